import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import Fastify from "fastify";
import { posthaste } from "posthaste/fastify";
import keyedApi from "../fixtures/keyed.ts";
import { servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serveHoldable } from "../support/held-lane.ts";
import { assertFirst, assertReplay, by, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { exchange, post, problemIn, RawConnection, request, typeOf } from "../support/raw-http.ts";
import { inBothModes } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

const module = new URL("../fixtures/keyed.ts", import.meta.url);
const DAY = 86_400_000;
let now = Date.UTC(2026, 1, 1, 12);

/** Each test is named for what packages for idempotency were found to do. None of it happens here. */
suite("Known faults of existing packages, none of which is one of ours", () => {
  inBothModes(
    module,
    keyedApi,
    (served) => {
      const titles = (table = "orders") => served.rows(table).map(({ title }) => title);

      test("another user's replay of the same key gets the first user's body", async () => {
        const key = randomUUID();
        const body = { title: "the same for both" };
        const first = await served.post("/orders", body, keyed(key, by("ann")));
        const other = await served.post("/orders", body, keyed(key, by("bob")));
        assertFirst(other, 201);
        assert.notEqual(other.text, first.text);
        assert.equal(titles().length, 2);
        assertReplay(first, await served.post("/orders", body, keyed(key, by("ann"))));
        assertReplay(other, await served.post("/orders", body, keyed(key, by("bob"))));
      });

      test("one misuse (422) overwrites the stored 201", async () => {
        const headers = keyed();
        const first = await served.post("/orders", { title: "a" }, headers);
        assertFirst(first, 201);
        const misuse = await served.post("/orders", { title: "b" }, headers);
        assertProblem(misuse, 422, "idempotency-key-reused");
        assertReplay(first, await served.post("/orders", { title: "a" }, headers));
        assert.deepEqual(titles(), ["a"]);
      });

      test("the same key on two paths collides", async () => {
        const headers = keyed();
        const body = { title: "the same at both" };
        const order = await served.post("/orders", body, headers);
        const transfer = await served.post("/transfers", body, headers);
        assertFirst(order, 201);
        assertFirst(transfer, 201);
        assertReplay(order, await served.post("/orders", body, headers));
        assertReplay(transfer, await served.post("/transfers", body, headers));
        assert.deepEqual([titles("orders").length, titles("transfers").length], [1, 1]);
      });

      test("an expired key is 409 for ever", async () => {
        const headers = keyed();
        const first = await served.post("/orders", { title: "a" }, headers);
        now += DAY;
        const second = await served.post("/orders", { title: "a" }, headers);
        assertFirst(second, 201);
        assert.notEqual(second.header("location"), first.header("location"));
        now += DAY;
        assertFirst(await served.post("/orders", { title: "b" }, headers), 201);
        assert.deepEqual(titles(), ["a", "a", "b"]);
      });
    },
    { clock: { now: () => now } },
  );

  test('the stored 409 of a concurrent twin is "replayed" for ever', async (t) => {
    const { origin, hold } = await serveHoldable(t, keyedApi, { module, twinWaitMs: 20 });
    const give = await hold();
    const key = randomUUID();
    const bytes = post("/api/orders", { title: "a" }, { "Idempotency-Key": key });
    const first = exchange(origin, bytes);
    await eventually(3_000, "the first is under way", async () => {
      const { status } = await exchange(origin, request("GET", `/api/idempotency/${key}`));
      return status === 200;
    });
    const twin = await exchange(origin, bytes);
    assert.equal(typeOf(problemIn(twin)), "request-in-progress");
    await give();
    const done = await first;
    assert.equal(done.status, 201);
    for (let time = 0; time < 3; time++) {
      const again = await exchange(origin, bytes);
      assert.equal(again.status, 201);
      assert.equal(again.headers.get("idempotent-replayed"), "true");
      assert.deepEqual(again.body, done.body);
    }
  });

  test("a crash leaves the key at 409 until its TTL, then runs twice", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const start = () => servePosthaste(t, [fileURLToPath(module), "--store", store], { cwd: "/" });
    const before = await start();
    const headers = { "Idempotency-Key": randomUUID() };
    // Its hook ends the process, when the record and the claim are written and not committed.
    const bytes = post("/api/orders", { title: "a", does: "crash in the dark" }, headers);
    const connection = await RawConnection.open(before.origin);
    assert.equal(await connection.send(bytes).answer(), undefined);
    connection.destroy();
    assert.equal((await before.exited).signal, "SIGKILL");

    const { origin } = await start();
    const listed = async (path: string) =>
      (await exchange(origin, request("GET", path))).json() as unknown[];
    assert.deepEqual(await listed("/api/orders"), []);
    await exchange(origin, post("/api/lights", { name: "on" }));
    const retry = await exchange(origin, bytes);
    assert.equal(retry.status, 201);
    assert.equal(retry.headers.has("idempotent-replayed"), false);
    const again = await exchange(origin, bytes);
    assert.equal(again.headers.get("idempotent-replayed"), "true");
    assert.deepEqual(again.body, retry.body);
    assert.equal((await listed("/api/orders")).length, 1);
    assert.equal((await listed("/api/effects")).length, 1);
  });

  for (const [mode, options] of [
    ["with the writer in a thread", { module }],
    ["with the lane on the main thread", {}],
  ] as const) {
    describe(mode, () => {
      test("a throw after the commit deletes the claim", async (t) => {
        const app = Fastify({ forceCloseConnections: true });
        t.after(() => app.close());
        let broken = true;
        app.addHook("onSend", async ({ method }) => {
          if (broken && method === "POST")
            throw new Error("A hook of the host, behind the commit.");
        });
        const store = join(temporaryFolder(t), "store.db");
        await app.register(posthaste(keyedApi, { store, ...options }), { prefix: "/api" });
        const origin = await app.listen({ host: "127.0.0.1", port: 0 });
        const bytes = post("/api/orders", { title: "a" }, { "Idempotency-Key": randomUUID() });
        assert.equal((await exchange(origin, bytes)).status, 500);
        broken = false;
        const retry = await exchange(origin, bytes);
        assert.equal(retry.status, 201);
        assert.equal(retry.headers.get("idempotent-replayed"), "true");
        assert.equal(retry.headers.get("location"), "/api/orders/1");
        const orders = await exchange(origin, request("GET", "/api/orders"));
        assert.equal((orders.json() as unknown[]).length, 1);
      });
    });
  }
});

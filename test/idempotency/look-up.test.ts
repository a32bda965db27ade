import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, suite, test } from "node:test";
import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import { compile } from "../../src/declare/compile.ts";
import { claimDigest } from "../../src/idempotency/fingerprint.ts";
import { readKey } from "../../src/pipeline/key.ts";
import { Underway } from "../../src/pipeline/underway.ts";
import keyedApi, { revoked } from "../fixtures/keyed.ts";
import notes from "../fixtures/notes.ts";
import { serveHoldable } from "../support/held-lane.ts";
import { by, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { exchange, post, request } from "../support/raw-http.ts";
import { inBothModes, serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

/** An API with a ledger of the test's own. */
function servingWith(find: () => Promise<undefined>) {
  const operations = compile(keyedApi).operations.filter(({ id }) => id === "orders.create");
  return { serving: { api: { operations, schemes: [] }, ledger: { find } } };
}

const module = new URL("../fixtures/keyed.ts", import.meta.url);
const START = Date.UTC(2026, 1, 1, 12);
let now = START;

suite("GET /idempotency/{key}", () => {
  inBothModes(
    module,
    keyedApi,
    (served) => {
      afterEach(() => {
        revoked.clear();
        now = START;
      });
      const ask = (key: string, headers: Record<string, string> = {}) =>
        served.get(`/idempotency/${encodeURIComponent(key)}`, headers);

      test("tells its owner what became of the request: status, place and times", async () => {
        const key = `order-${randomUUID()}`;
        const made = await served.post("/orders", { title: "a" }, keyed(key, by("ann")));
        const answer = await ask(key, by("ann"));
        assert.equal(answer.status, 200);
        assert.equal(answer.header("content-type"), "application/json");
        assert.equal(answer.header("cache-control"), "private, no-cache");
        assert.equal(answer.header("vary"), "Authorization");
        assert.deepEqual(answer.body, {
          key,
          uses: [
            {
              operation: "orders.create",
              state: "done",
              status: 201,
              location: made.header("location"),
              answeredAt: "2026-02-01T12:00:00.000Z",
              keptUntil: "2026-02-02T12:00:00.000Z",
            },
          ],
        });
      });

      test("tells of a refusal too, and of no place where there is none", async () => {
        const key = randomUUID();
        await served.post("/orders", { title: "a", amount: 2_000 }, keyed(key));
        const { uses } = (await ask(key)).body as { uses: Record<string, unknown>[] };
        assert.equal(uses.length, 1);
        assert.equal(uses[0]?.status, 422);
        assert.equal("location" in uses[0]!, false);
      });

      test("has one entry for each operation that the key was used at", async () => {
        const key = randomUUID();
        await served.post("/transfers", { title: "a" }, keyed(key));
        await served.post("/letters", { title: "a" }, keyed(key));
        const path = await served.make("/profiles", { name: "ada" });
        await served.mergePatch(path, { tags: [] }, keyed(key));
        const { uses } = (await ask(key)).body as { uses: { operation: string }[] };
        assert.deepEqual(uses.map(({ operation }) => operation).sort(), [
          "letters.create",
          "profiles.patch",
          "transfers.create",
        ]);
      });

      test("tells nobody else: another caller and one without credentials get 404", async () => {
        const key = randomUUID();
        await served.post("/orders", { title: "a" }, keyed(key, by("ann")));
        assertProblem(await ask(key, by("bob")), 404, "not-found");
        assertProblem(await ask(key), 404, "not-found");
        revoked.add("ann");
        assertProblem(await ask(key, by("ann")), 401, "unauthenticated");
      });

      test("tells callers without credentials of UUIDs", async () => {
        const key = randomUUID();
        await served.post("/orders", { title: "a" }, keyed(key));
        const answer = await ask(key);
        assert.equal(answer.status, 200);
        assert.equal(answer.header("cache-control"), "no-cache");
        assertProblem(await ask(key, by("ann")), 404, "not-found");
      });

      test("tells callers without credentials of no key that others could guess", async () => {
        for (const key of ["order-1", "1", `x${randomUUID()}`]) {
          assert.equal((await served.post("/orders", { title: "a" }, keyed(key))).status, 201);
          assertProblem(await ask(key), 404, "not-found");
        }
      });

      test("is 404 for a key that nobody has used, or that was not taken", async () => {
        assertProblem(await ask(randomUUID()), 404, "not-found");
        assertProblem(await ask("unused", by("ann")), 404, "not-found");
        const key = randomUUID();
        await served.post("/orders", { title: "" }, keyed(key));
        await served.post("/remarks", { title: "a" }, keyed(key));
        await served.post("/orders", { title: "a", does: "break in the dark" }, keyed(key));
        assertProblem(await ask(key), 404, "not-found");
      });

      test("is 404 for what can't be a key", async () => {
        for (const path of ["a%20b", "%C3%A4", "%00", "k".repeat(256), "%20", "%22%22%20"])
          assertProblem(await served.get(`/idempotency/${path}`, by("ann")), 404, "not-found");
        assertProblem(await served.get("/idempotency/", by("ann")), 404, "not-found");
        assertProblem(await served.get("/idempotency", by("ann")), 404, "not-found");
      });

      test("is 404 once the key has expired", async () => {
        const key = randomUUID();
        await served.post("/letters", { title: "a" }, keyed(key));
        now += 3_600_000 - 1;
        assert.equal((await ask(key)).status, 200);
        now += 1;
        assertProblem(await ask(key), 404, "not-found");
      });

      test("finds any key, percent-encoded", async () => {
        const marks = "!#$%&'()*+-./:;<=>?@[]^_`{|}~";
        for (const key of [
          `a/b/${randomUUID()}`,
          `100%25${randomUUID()}`,
          `${marks}${randomUUID()}`,
          "..",
          "%",
          "?a=b#c",
          `${"k".repeat(200)}${"%".repeat(55)}`,
        ]) {
          const made = await served.post("/orders", { title: "a" }, keyed(key, by("ann")));
          assert.equal(made.status, 201, key);
          // As it is on the wire: a library would resolve dots.
          const path = `/api/idempotency/${encodeURIComponent(key).replaceAll(".", "%2E")}`;
          const answer = await exchange(
            served.origin,
            request("GET", path, { Authorization: "Bearer ann" }),
          );
          assert.equal(answer.status, 200, key);
          assert.equal((answer.json() as { key: string }).key, key);
        }
      });

      test("finds a key that was sent as a String, as it was sent and as it is", async () => {
        const id = randomUUID();
        const [key, sent] = [`a,"${id}"\\`, `"a,\\"${id}\\"\\\\"`];
        assert.equal(
          (await served.post("/orders", { title: "a" }, keyed(sent, by("ann")))).status,
          201,
        );
        for (const form of [key, sent]) {
          const answer = await ask(form, by("ann"));
          assert.equal(answer.status, 200, form);
          assert.equal((answer.body as { key: string }).key, key);
        }
        const bare = randomUUID();
        await served.post("/orders", { title: "a" }, keyed(bare, by("ann")));
        assert.equal((await ask(`"${bare}"`, by("ann"))).status, 200);
      });

      test("answers HEAD as GET without the body, and names its methods", async () => {
        const key = randomUUID();
        await served.post("/orders", { title: "a" }, keyed(key));
        const [get, head] = [await ask(key), await served.head(`/idempotency/${key}`)];
        assert.equal(head.status, 200);
        assert.equal(head.text, "");
        assert.equal(head.header("content-length"), get.header("content-length"));
        assert.equal((await served.head(`/idempotency/${randomUUID()}`)).status, 404);
        const options = await served.request("OPTIONS", `/idempotency/${key}`);
        assert.equal(options.header("allow"), "GET, HEAD, OPTIONS");
        const refused = await served.delete(`/idempotency/${key}`);
        assertProblem(refused, 405, "method-not-allowed");
        assert.equal((await ask(key)).status, 200);
      });

      test("gives a JSON answer, or 406", async () => {
        const key = randomUUID();
        await served.post("/orders", { title: "a" }, keyed(key));
        assertProblem(await ask(key, { accept: "text/html" }), 406, "not-acceptable");
      });
    },
    { clock: { now: () => now } },
  );

  for (const [mode, options] of [
    ["with the writer in a thread", { module }],
    ["with the lane on the main thread", {}],
  ] as const) {
    test(`says running while the request is, and done once it was answered, ${mode}`, async (t) => {
      const { origin, hold } = await serveHoldable(t, keyedApi, options);
      const give = await hold();
      const key = randomUUID();
      const sent = exchange(
        origin,
        post("/api/orders", { title: "a" }, { "Idempotency-Key": key }),
      );
      const ask = async (headers: Record<string, string> = {}) =>
        exchange(origin, request("GET", `/api/idempotency/${key}`, headers));
      const running = await eventually(3_000, "the key is known", async () => {
        const answer = await ask();
        return answer.status === 200 ? answer : undefined;
      });
      assert.deepEqual(running.json(), {
        key,
        uses: [{ operation: "orders.create", state: "running" }],
      });
      assert.equal((await ask({ Authorization: "Bearer ann" })).status, 404);
      await give();
      assert.equal((await sent).status, 201);
      const { uses } = (await ask()).json() as { uses: { state: string; status: number }[] };
      assert.deepEqual(
        uses.map(({ state, status }) => [state, status]),
        [["done", 201]],
      );
    });
  }

  test("knows a key whose request ends while it looks", async () => {
    const key = randomUUID();
    const underway = new Underway(1_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    const ending = underway.once(
      claimDigest(undefined, "orders.create", "key", key),
      () => promise,
    );
    const { serving } = servingWith(async () => {
      // A reader that began before the commit, and comes back behind it.
      resolve();
      await ending;
      return undefined;
    });
    const headers = {};
    const exchange = { serving, underway, headers, principal: null, params: { key }, now };
    const answer = await readKey(exchange as never);
    assert.deepEqual(JSON.parse(answer.body ?? ""), {
      key,
      uses: [{ operation: "orders.create", state: "running" }],
    });
  });

  test("exists where an operation takes keys, and nowhere else", async (t) => {
    const served = await serve(t, notes);
    assertProblem(await served.get(`/idempotency/${randomUUID()}`), 404, "not-found");
    assert.equal((await served.request("OPTIONS", `/idempotency/${randomUUID()}`)).status, 204);
    const keyless = resource("keyless", {
      schema: z.object({ text: z.string() }),
      access: { create: anyone, read: anyone, update: anyone, delete: anyone },
      idempotency: { create: { key: "ignored" } },
    });
    const without = await serve(t, api({ keyless }));
    assert.equal((await without.request("OPTIONS", `/idempotency/${randomUUID()}`)).status, 404);
  });
});

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { describe, suite, type TestContext, test } from "node:test";
import type { ServiceOptions } from "../../src/pipeline/service.ts";
import keyedApi from "../fixtures/keyed.ts";
import { type Holdable, serveHoldable } from "../support/held-lane.ts";
import {
  exchange,
  post,
  problemIn,
  type RawAnswer,
  RawConnection,
  request,
  typeOf,
} from "../support/raw-http.ts";
import { eventually, within } from "../support/time.ts";

const module = new URL("../fixtures/keyed.ts", import.meta.url);

const isReplay = ({ headers }: RawAnswer) => headers.get("idempotent-replayed") === "true";

function titlesIn({ store }: Holdable, table: string, column = "title"): unknown[] {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    return database
      .prepare(`SELECT "${column}" AS title FROM "${table}" ORDER BY id`)
      .all()
      .map(({ title }) => title);
  } finally {
    database.close();
  }
}

/** Waits until the first request with a key is under way, and so its twins are twins. */
async function underway({ origin }: Holdable, key: string): Promise<void> {
  await eventually(3_000, "the first is under way", async () => {
    const { status, body } = await exchange(origin, request("GET", `/api/idempotency/${key}`));
    return status === 200 && body.includes('"running"');
  });
}

for (const [mode, place] of [
  ["with the writer in a thread", { module }],
  ["with the lane on the main thread", {}],
] as const) {
  const open = (t: TestContext, options: Partial<ServiceOptions> = {}) =>
    serveHoldable(t, keyedApi, { ...place, ...options });

  suite(`Twins, ${mode}`, () => {
    for (const count of [2, 10, 100]) {
      test(`${count} at once make one record and get one answer`, async (t) => {
        const served = await open(t);
        const bytes = post(
          "/api/orders",
          { title: "one" },
          { "Idempotency-Key": randomUUID(), Authorization: "Bearer ann" },
        );
        const connections = await Promise.all(
          Array.from({ length: count }, () => RawConnection.open(served.origin)),
        );
        t.after(() => {
          for (const connection of connections) connection.destroy();
        });
        for (const connection of connections) connection.send(bytes);
        const answers = await Promise.all(
          connections.map(async (connection) => (await connection.answer("POST"))!),
        );
        assert.deepEqual(
          answers.map(({ status }) => status),
          answers.map(() => 201),
        );
        assert.equal(new Set(answers.map(({ body }) => body.toString())).size, 1);
        assert.equal(new Set(answers.map(({ headers }) => headers.get("etag"))).size, 1);
        assert.equal(answers.filter((answer) => !isReplay(answer)).length, 1);
        assert.deepEqual(titlesIn(served, "orders"), ["one"]);
        assert.deepEqual(titlesIn(served, "effects", "text"), ["order one"]);
      });
    }

    test("a hundred requests with ten keys make ten records", async (t) => {
      const served = await open(t);
      const keys = Array.from({ length: 10 }, () => randomUUID());
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => {
          const at = index % keys.length;
          const headers = { "Idempotency-Key": keys[at]! };
          return exchange(served.origin, post("/api/orders", { title: `${at}` }, headers));
        }),
      );
      const byTitle = Map.groupBy(answers, ({ json }) => (json() as { title: string }).title);
      for (const [title, all] of byTitle) {
        assert.equal(all.length, 10, title);
        assert.equal(new Set(all.map(({ body }) => body.toString())).size, 1);
        assert.equal(all.filter((answer) => !isReplay(answer)).length, 1);
      }
      assert.deepEqual(titlesIn(served, "orders").sort(), [...byTitle.keys()].sort());
      assert.equal(byTitle.size, 10);
    });

    test("that differ: one is done, and the others are told so", async (t) => {
      const served = await open(t);
      const headers = { "Idempotency-Key": randomUUID() };
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          exchange(served.origin, post("/api/orders", { title: `${index}` }, headers)),
        ),
      );
      const [done, ...others] = answers.sort((a, b) => a.status - b.status);
      assert.equal(done?.status, 201);
      for (const other of others)
        assert.equal(typeOf(problemIn(other)), "idempotency-key-reused", `${other.status}`);
      const { title } = done.json() as { title: string };
      assert.deepEqual(titlesIn(served, "orders"), [title]);
    });

    test("of one whose hook breaks get its 500 or one of their own, and no record", async (t) => {
      const served = await open(t);
      const body = { title: "one", does: "break in the dark" };
      const bytes = post("/api/orders", body, { "Idempotency-Key": randomUUID() });
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => exchange(served.origin, bytes)),
      );
      for (const answer of answers) {
        assert.equal(typeOf(problemIn(answer)), "internal-error");
        assert.equal(isReplay(answer), false);
      }
      assert.deepEqual(titlesIn(served, "orders"), []);
      await exchange(served.origin, post("/api/lights", { name: "on" }));
      const retry = await exchange(served.origin, bytes);
      assert.equal(retry.status, 201);
      assert.equal(isReplay(retry), false);
      assert.deepEqual(titlesIn(served, "effects", "text"), ["order one"]);
    });

    test("that came while the first was waiting get its answer when that is there", async (t) => {
      const served = await open(t);
      const give = await served.hold();
      const key = randomUUID();
      const bytes = post("/api/orders", { title: "one" }, { "Idempotency-Key": key });
      const first = exchange(served.origin, bytes);
      await underway(served, key);
      const twins = Array.from({ length: 3 }, () => exchange(served.origin, bytes));
      // Answers of this server that were asked for later have come: the twins are waiting.
      for (let time = 0; time < 3; time++)
        await exchange(served.origin, request("GET", "/api/orders"));
      await give();
      const answers = await Promise.all([first, ...twins]);
      assert.deepEqual(answers.map(isReplay), [false, true, true, true]);
      assert.deepEqual(
        answers.map(({ body }) => body.toString()),
        answers.map(() => answers[0]!.body.toString()),
      );
      assert.deepEqual(titlesIn(served, "orders"), ["one"]);
    });

    describe("of one that takes longer than they wait", () => {
      test("are told 409 with Retry-After, and a later one is a replay", async (t) => {
        const served = await open(t, { twinWaitMs: 30 });
        const give = await served.hold();
        const key = randomUUID();
        const bytes = post("/api/orders", { title: "one" }, { "Idempotency-Key": key });
        const first = exchange(served.origin, bytes);
        await underway(served, key);
        const twins = await within(
          2_000,
          "the twins are told while the first is still waiting",
          Promise.all(Array.from({ length: 5 }, () => exchange(served.origin, bytes))),
        );
        for (const twin of twins) {
          assert.equal(typeOf(problemIn(twin)), "request-in-progress");
          assert.equal(twin.status, 409);
          assert.match(twin.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
          assert.equal(isReplay(twin), false);
        }
        assert.deepEqual(titlesIn(served, "orders"), []);
        await give();
        const done = await first;
        assert.equal(done.status, 201);
        const later = await exchange(served.origin, bytes);
        assert.equal(later.status, 201);
        assert.equal(isReplay(later), true);
        assert.deepEqual(later.body, done.body);
        assert.deepEqual(titlesIn(served, "orders"), ["one"]);
        assert.deepEqual(titlesIn(served, "effects", "text"), ["order one"]);
      });

      test("take no place in the lane from others while they wait", async (t) => {
        const served = await open(t, { twinWaitMs: 10_000, maxWaiting: 2 });
        const give = await served.hold();
        const key = randomUUID();
        const bytes = post("/api/orders", { title: "one" }, { "Idempotency-Key": key });
        const first = exchange(served.origin, bytes);
        await underway(served, key);
        const twins = Array.from({ length: 20 }, () => exchange(served.origin, bytes));
        for (let time = 0; time < 3; time++)
          await exchange(served.origin, request("GET", "/api/orders"));
        const other = randomUUID();
        const second = exchange(
          served.origin,
          post("/api/orders", { title: "two" }, { "Idempotency-Key": other }),
        );
        await underway(served, other);
        const third = await exchange(served.origin, post("/api/orders", { title: "three" }));
        assert.equal(typeOf(problemIn(third)), "overloaded");
        await give();
        assert.deepEqual([(await first).status, (await second).status], [201, 201]);
        // A lane with two places can't take all of them at once; whoever is sent away did nothing.
        for (const { status } of await Promise.all(twins)) assert.ok([201, 503].includes(status));
        assert.deepEqual(titlesIn(served, "orders").sort(), ["one", "two"]);
      });

      test("of another caller, at another operation or with another key are none", async (t) => {
        const served = await open(t, { twinWaitMs: 30 });
        const give = await served.hold();
        const key = randomUUID();
        const body = { title: "one" };
        const first = exchange(
          served.origin,
          post("/api/orders", body, { "Idempotency-Key": key }),
        );
        await underway(served, key);
        const others = [
          post("/api/orders", body, { "Idempotency-Key": key, Authorization: "Bearer ann" }),
          post("/api/transfers", body, { "Idempotency-Key": key }),
          post("/api/orders", body, { "Idempotency-Key": randomUUID() }),
          post("/api/orders", body),
        ].map((bytes) => exchange(served.origin, bytes));
        // Longer than a twin would wait.
        const twin = await exchange(
          served.origin,
          post("/api/orders", body, { "Idempotency-Key": key }),
        );
        assert.equal(twin.status, 409);
        await give();
        for (const answer of await Promise.all([first, ...others])) {
          assert.equal(answer.status, 201);
          assert.equal(isReplay(answer), false);
        }
        assert.equal(titlesIn(served, "orders").length, 4);
        assert.equal(titlesIn(served, "transfers").length, 1);
      });
    });

    test("of one whose client went away are answered, and there is one record", async (t) => {
      const served = await open(t);
      const give = await served.hold();
      const key = randomUUID();
      const bytes = post("/api/orders", { title: "one" }, { "Idempotency-Key": key });
      const gone = await RawConnection.open(served.origin);
      gone.send(bytes);
      await underway(served, key);
      gone.destroy();
      const twin = exchange(served.origin, bytes);
      await exchange(served.origin, request("GET", "/api/orders"));
      await give();
      const answer = await twin;
      assert.equal(answer.status, 201);
      assert.equal(isReplay(answer), true);
      assert.deepEqual(titlesIn(served, "orders"), ["one"]);
    });
  });
}

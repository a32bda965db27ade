import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import keyedApi from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, by, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const SECOND = 1_000;
let now = Date.UTC(2026, 1, 1, 12);

suite("A deduplication window", () => {
  inBothModes(
    new URL("../fixtures/keyed.ts", import.meta.url),
    keyedApi,
    (served) => {
      const titles = (table = "clicks") => served.rows(table).map(({ title }) => title);
      const effects = () => served.rows("effects").length;
      /** A title that no other test has used: windows outlive the rows that tests remove. */
      const fresh = () => randomUUID();

      test("gives the same payload without a key its first answer, and does the work once", async () => {
        const body = { title: fresh() };
        const first = await served.post("/clicks", body);
        assertFirst(first, 201);
        now += 10 * SECOND - 1;
        assertReplay(first, await served.post("/clicks", body));
        assertReplay(first, await served.post("/clicks", `{ "title":"${body.title}" }`));
        assert.deepEqual(titles(), [body.title]);
        assert.equal(effects(), 1);
      });

      test("ends: the same payload after it is a new request, with a window of its own", async () => {
        const body = { title: fresh() };
        const first = await served.post("/clicks", body);
        now += 10 * SECOND;
        const second = await served.post("/clicks", body);
        assertFirst(second, 201);
        assert.notEqual(second.header("location"), first.header("location"));
        now += 10 * SECOND - 1;
        assertReplay(second, await served.post("/clicks", body));
        assert.equal(titles().length, 2);
        assert.equal(effects(), 2);
      });

      test("is not prolonged by those that it answers", async () => {
        const body = { title: fresh() };
        await served.post("/clicks", body);
        for (const seconds of [4, 4]) {
          now += seconds * SECOND;
          assert.equal((await served.post("/clicks", body)).header("idempotent-replayed"), "true");
        }
        now += 2 * SECOND;
        assertFirst(await served.post("/clicks", body), 201);
      });

      test("lets another payload, another query and another operation through", async () => {
        const title = fresh();
        for (const [path, body] of [
          ["/clicks", { title }],
          ["/clicks", { title, button: "left" }],
          ["/clicks?page=2", { title }],
          ["/taps", { title }],
        ] as const)
          assertFirst(await served.post(path, body), 201);
        assert.deepEqual(titles(), [title, title, title]);
        assert.deepEqual(titles("taps"), [title]);
      });

      test("is each caller's own", async () => {
        const body = { title: fresh() };
        const first = await served.post("/clicks", body);
        const [ann, bob] = [
          await served.post("/clicks", body, by("ann")),
          await served.post("/clicks", body, by("bob")),
        ];
        assertFirst(first, 201);
        assertFirst(ann, 201);
        assertFirst(bob, 201);
        assertReplay(ann, await served.post("/clicks", body, by("ann")));
        assert.equal(titles().length, 3);
      });

      test("does not count for a request with a key: that says itself what it repeats", async () => {
        const body = { title: fresh() };
        const bare = await served.post("/clicks", body);
        const headers = keyed();
        const first = await served.post("/clicks", body, headers);
        assertFirst(first, 201);
        assertReplay(first, await served.post("/clicks", body, headers));
        const second = await served.post("/clicks", body, keyed());
        assertFirst(second, 201);
        assertReplay(bare, await served.post("/clicks", body));
        // A key is kept for longer than the window.
        now += 10 * SECOND;
        assertReplay(first, await served.post("/clicks", body, headers));
        assert.equal(titles().length, 3);
      });

      test("works where keys are ignored, also beside one", async () => {
        const body = { title: fresh() };
        const first = await served.post("/taps", body, keyed());
        assertFirst(first, 201);
        assertReplay(first, await served.post("/taps", body, keyed()));
        assertReplay(first, await served.post("/taps", body));
        now += 60 * SECOND;
        assertFirst(await served.post("/taps", body), 201);
        assert.equal(titles("taps").length, 2);
      });

      test("has ten twins at once make one record", async () => {
        const body = { title: fresh() };
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => served.post("/clicks", body)),
        );
        assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
        assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
        assert.deepEqual(titles(), [body.title]);
      });

      test("is none where it is not declared", async () => {
        const body = { title: fresh() };
        for (let time = 0; time < 3; time++) assertFirst(await served.post("/orders", body), 201);
        assert.equal(titles("orders").length, 3);
      });

      test("can't be looked up, or spent, as a key", async () => {
        const body = { title: fresh() };
        await served.post("/clicks", body, by("ann"));
        for (const key of [body.title, "window", "undefined"])
          assertProblem(await served.get(`/idempotency/${key}`, by("ann")), 404, "not-found");
      });
    },
    { clock: { now: () => now } },
  );
});

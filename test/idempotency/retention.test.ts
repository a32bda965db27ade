import assert from "node:assert/strict";
import { suite, test } from "node:test";
import keyedApi from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let now = Date.UTC(2026, 1, 1, 12);
const clock = { now: () => now };

suite("How long a key is kept", () => {
  inBothModes(
    new URL("../fixtures/keyed.ts", import.meta.url),
    keyedApi,
    (served) => {
      for (const [what, path, kept] of [
        ["24 hours where nothing is said", "/orders", DAY],
        ["as long as the operation declares", "/letters", HOUR],
      ] as const) {
        test(`${what}: until then it replays, from then on it is free`, async () => {
          const headers = keyed();
          const table = path.slice(1);
          const first = await served.post(path, { title: "a" }, headers);
          assertFirst(first, 201);
          now += kept - 1;
          assertReplay(first, await served.post(path, { title: "a" }, headers));
          now += 1;
          const second = await served.post(path, { title: "a" }, headers);
          assertFirst(second, 201);
          assert.notEqual(second.header("location"), first.header("location"));
          assert.equal(served.rows(table).length, 2);
          // The new one has taken the place of the old one, with a term of its own.
          now += kept - 1;
          assertReplay(second, await served.post(path, { title: "a" }, headers));
          now += 1;
          assertFirst(await served.post(path, { title: "a" }, headers), 201);
          assert.equal(served.rows(table).length, 3);
        });
      }

      test("is counted from the first request: replays do not prolong it", async () => {
        const headers = keyed();
        const first = await served.post("/orders", { title: "a" }, headers);
        for (let time = 0; time < 3; time++) {
          now += DAY / 4;
          assertReplay(first, await served.post("/orders", { title: "a" }, headers));
        }
        now += DAY / 4;
        assertFirst(await served.post("/orders", { title: "a" }, headers), 201);
      });

      test("a refusal is kept as long, and another request with an expired key is no misuse", async () => {
        const headers = keyed();
        const first = await served.post("/orders", { title: "a", amount: 2_000 }, headers);
        assertFirst(first, 422);
        const other = () => served.post("/orders", { title: "b" }, headers);
        assertProblem(await other(), 422, "idempotency-key-reused");
        now += DAY;
        const done = await other();
        assertFirst(done, 201);
        assertReplay(done, await other());
        const old = await served.post("/orders", { title: "a", amount: 2_000 }, headers);
        assertProblem(old, 422, "idempotency-key-reused");
      });

      test("a refused misuse does not prolong it either", async () => {
        const headers = keyed();
        await served.post("/orders", { title: "a" }, headers);
        now += DAY - 1;
        const misuse = await served.post("/orders", { title: "b" }, headers);
        assertProblem(misuse, 422, "idempotency-key-reused");
        now += 1;
        assertFirst(await served.post("/orders", { title: "b" }, headers), 201);
      });
    },
    { clock },
  );
});

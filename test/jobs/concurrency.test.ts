import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fixture, { scripts } from "../fixtures/labours.ts";
import { look } from "../support/jobs.ts";
import { inBothModes, type Served } from "../support/scenario.ts";
import { eventually, within } from "../support/time.ts";

suite("Many jobs at a time", () => {
  const module = new URL("../fixtures/labours.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { jobGraceMs: 0 });

  function scenarios(served: Served) {
    afterEach(() => scripts.clear());

    const put = async (kind: string, script: string, times: number) => {
      const answer = await served.post("/put", { kind, input: { script }, times, after: "count" });
      assert.equal(answer.status, 200, answer.text);
    };
    const unfinished = () =>
      Number(
        look(served.store, "SELECT count(*) AS n FROM posthaste_jobs WHERE finished_at IS NULL")[0]
          ?.n,
      );

    test("of a kind no more run than it says, even of 1,000, and each runs once", async () => {
      let running = 0;
      let most = 0;
      const times = new Map<number, number>();
      scripts.set("count", async ({ input }) => {
        most = Math.max(most, ++running);
        times.set(input.number!, (times.get(input.number!) ?? 0) + 1);
        for (let round = 0; round < 3; round++) await turn();
        running--;
      });
      await put("narrow", "count", 1_000);
      await eventually(60_000, "all are done", () => unfinished() === 0);
      assert.equal(most, 3, "and as many as it may");
      assert.equal(times.size, 1_000);
      assert.deepEqual(
        [...times.values()].filter((count) => count !== 1),
        [],
      );
    });

    test("a kind that is busy does not keep another one waiting", async () => {
      const go = Promise.withResolvers<void>();
      const other = Promise.withResolvers<void>();
      scripts.set("blocks", () => go.promise);
      scripts.set("other", () => other.resolve());
      await put("single", "blocks", 20);
      await put("labour", "other", 1);
      await other.promise;
      go.resolve();
      await eventually(20_000, "all are done", () => unfinished() === 0);
    });

    for (const [kind, atOnce] of [
      ["labour", 10],
      ["wide", 500],
    ] as const) {
      test(`10,000 that do nothing, ${atOnce} at a time`, async (t) => {
        const done = Promise.withResolvers<void>();
        let ran = 0;
        scripts.set("nothing", () => {
          if (++ran === 10_000) done.resolve();
        });
        const at = performance.now();
        for (let part = 0; part < 10; part++) await put(kind, "nothing", 1_000);
        const enqueued = performance.now();
        await within(120_000, "all ran", done.promise);
        const ended = performance.now();
        await eventually(20_000, "all are done", () => unfinished() === 0);
        t.diagnostic(
          `enqueued in ${Math.round(enqueued - at)} ms, done ${Math.round(ended - enqueued)} ms later: ${Math.round(10_000 / ((ended - at) / 1_000))} a second`,
        );
        const [row] = look(
          served.store,
          "SELECT count(*) AS n FROM posthaste_jobs WHERE state = 'done' AND attempt = 1 AND kind = ? AND input LIKE '%nothing%'",
          kind,
        );
        assert.equal(row?.n, 10_000);
      });
    }
  }
});

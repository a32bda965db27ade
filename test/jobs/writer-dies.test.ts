import assert from "node:assert/strict";
import { afterEach, suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fixture, { scripts } from "../fixtures/labours.ts";
import { look } from "../support/jobs.ts";
import { assertProblem } from "../support/problem.ts";
import { serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

const module = new URL("../fixtures/labours.ts", import.meta.url);

suite("When the writer dies in the middle of turns", () => {
  afterEach(() => scripts.clear());

  const open = (t: TestContext) => serve(t, fixture, { module, beatMs: 50, jobGraceMs: 0 });

  for (const when of ["before the commit", "before the answer"] as const) {
    test(`${when}, no job is lost, none stays with nobody, and none runs twice at a time`, async (t) => {
      const served = await open(t);
      const running = new Set<string>();
      const twice: string[] = [];
      const runs = new Map<string, number>();
      scripts.set("works", async ({ id }) => {
        if (running.has(id)) twice.push(id);
        running.add(id);
        runs.set(id, (runs.get(id) ?? 0) + 1);
        await sleep(1);
        running.delete(id);
      });
      const restarts = () =>
        served.observed.filter(({ event }) => event === "writer.restarted").length;
      const kinds = ["labour", "wide", "single", "narrow"];
      const acknowledged: string[] = [];
      for (let death = 1; death <= 6; death++) {
        for (const kind of kinds) {
          const answer = await served.post("/put", { kind, input: { script: "works" }, times: 50 });
          if (answer.status === 200) acknowledged.push(...(answer.body as { ids: string[] }).ids);
        }
        const told = await served.post("/kill-writer", { when });
        // Whoever brought the writer down is told that it did, or that its change was made.
        assertProblem(told, 500, "internal-error");
        await eventually(10_000, "the writer is back", () => restarts() >= death);
      }
      assert.ok(acknowledged.length >= 50, `${acknowledged.length} were acknowledged`);
      const unfinished = () =>
        look(
          served.store,
          "SELECT id, state, worker FROM posthaste_jobs WHERE finished_at IS NULL",
        );
      await eventually(30_000, "all have ended", () => unfinished().length === 0);
      const states = new Map(
        look(served.store, "SELECT id, state FROM posthaste_jobs").map(({ id, state }) => [
          id,
          state,
        ]),
      );
      assert.deepEqual(
        acknowledged.filter((id) => states.get(id) !== "done"),
        [],
      );
      assert.deepEqual(twice, []);
      const again = [...runs.values()].filter((count) => count > 1).length;
      t.diagnostic(`${states.size} jobs, ${again} of them ran again, ${restarts()} deaths`);
    });
  }

  test("what was claimed by a turn whose answer was lost is released though there is always more to do", async (t) => {
    const served = await open(t);
    let ran = 0;
    let stop = false;
    scripts.set("again", async ({ input }) => {
      ran++;
      await sleep(1);
      // Keeps the runner busy for as long as the test lasts.
      if (!stop)
        await served.post("/put", { kind: "labour", input: { ...input, script: "again" } });
    });
    scripts.set("rare", () => {});
    await served.post("/put", { kind: "labour", input: { script: "again" }, times: 10 });
    await eventually(10_000, "it is busy", () => ran > 50);
    for (let death = 1; death <= 3; death++) {
      await Promise.all([
        ...Array.from({ length: 5 }, () =>
          served.post("/put", { kind: "wide", input: { script: "rare" }, times: 20 }),
        ),
        served.post("/kill-writer", { when: "before the answer" }),
      ]);
      await eventually(
        10_000,
        "the writer is back",
        () => served.observed.filter(({ event }) => event === "writer.restarted").length >= death,
      );
      if (ran > 0)
        await served.post("/put", { kind: "labour", input: { script: "again" }, times: 10 });
    }
    const left = () =>
      look(
        served.store,
        "SELECT id FROM posthaste_jobs WHERE kind = 'wide' AND finished_at IS NULL",
      );
    await eventually(30_000, "all of the others have ended", () => left().length === 0);
    stop = true;
    const total = look(served.store, "SELECT id FROM posthaste_jobs WHERE kind = 'wide'").length;
    assert.ok(total > 0);
  });
});

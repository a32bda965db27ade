import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import { api, job } from "posthaste";
import { z } from "zod";
import { readSchedule } from "../../src/declare/schedule.ts";
import { temporaryFolder } from "../support/folder.ts";
import { changeStore, jobsIn, workshop } from "../support/jobs.ts";
import { eventually } from "../support/time.ts";

interface Run {
  readonly id: string;
  readonly at: number;
}

/** A job that comes with the clock, and what it did. */
function clockwork(schedule: string, run: (runs: Run[]) => unknown = () => {}, keep?: "1 second") {
  const runs: Run[] = [];
  const tick = job("tick", {
    input: z.object({ greeting: z.string().default("hello") }),
    schedule,
    ...(keep === undefined ? {} : { keep }),
    backoff: { first: "10 milliseconds", most: "20 milliseconds" },
    run: ({ id, input }) => {
      assert.equal(input.greeting, "hello");
      runs.push({ id, at: Date.now() });
      return run(runs);
    },
  });
  return { runs, tick, api: api({ tick }) };
}

const idsOf = (runs: readonly Run[]) => runs.map(({ id }) => id);

suite("A schedule", () => {
  test("makes a job whenever it comes true, and each time once", async (t) => {
    const { runs, api } = clockwork("* * * * * *");
    await workshop(t, api);
    await eventually(20_000, "it came true three times", () => runs.length >= 3);
    assert.equal(new Set(idsOf(runs)).size, runs.length);
    for (const { id, at } of runs) {
      const planned = Date.parse(id.slice("tick@".length));
      assert.equal(planned % 1_000, 0);
      assert.ok(at >= planned, `${id} ran before its time`);
    }
  });

  test("of seconds is kept also where a sign of life is rarer than it", async (t) => {
    const { runs, api } = clockwork("* * * * * *");
    await workshop(t, api, { beatMs: 60_000 });
    await eventually(20_000, "it came true four times", () => runs.length >= 4);
    const planned = idsOf(runs).map((id) => Date.parse(id.slice("tick@".length)));
    const gaps = planned.slice(1).map((time, index) => time - planned[index]!);
    assert.ok(Math.min(...gaps) <= 2_000, `${gaps}`);
  });

  test("is kept by two processes together, and each time comes once", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const one = clockwork("* * * * * *");
    const other = clockwork("* * * * * *");
    await workshop(t, one.api, { store });
    await workshop(t, other.api, { store });
    await eventually(
      20_000,
      "it came true four times",
      () => one.runs.length + other.runs.length >= 4,
    );
    const ids = [...idsOf(one.runs), ...idsOf(other.runs)];
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
  });

  test("does not run again what ran before a restart", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const ids: string[] = [];
    for (let life = 0; life < 4; life++) {
      const { runs, api } = clockwork("* * * * * *");
      const { close } = await workshop(t, api, { store, jobGraceMs: 2_000 });
      await eventually(20_000, "it came true", () => runs.length >= 1);
      await close();
      ids.push(...idsOf(runs));
    }
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
    const jobs = jobsIn(store, "tick");
    assert.equal(jobs.filter(({ state }) => state === "done").length, ids.length);
    assert.ok(jobs.filter(({ state }) => state === "scheduled").length <= 1, "and one is planned");
  });

  test("that came true while nobody was there is made up for once", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const { close } = await workshop(t, clockwork("0 0 1 1 *").api, { store });
    await eventually(5_000, "it is planned", () => jobsIn(store, "tick").length === 1);
    await close();
    // As if the first of January had been an hour ago.
    const missed = Date.now() - 3_600_000;
    const id = `tick@${new Date(missed).toISOString()}`;
    changeStore(store, "UPDATE posthaste_jobs SET id = ?, run_at = ?", id, missed);
    const { runs, api } = clockwork("0 0 1 1 *");
    await workshop(t, api, { store });
    await eventually(10_000, "it runs", () => runs.length === 1);
    assert.equal(runs[0]?.id, id);
    await eventually(10_000, "the next one is planned", () => {
      const [next] = jobsIn(store, "tick").filter(({ state }) => state === "scheduled");
      return next !== undefined && Number(next.run_at) > Date.now();
    });
    assert.equal(runs.length, 1);
  });

  test("that another release has changed holds at once, and not when the old one would have come", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const old = await workshop(t, clockwork("0 0 1 1 *").api, { store });
    await eventually(5_000, "it is planned", () => jobsIn(store, "tick").length === 1);
    await old.close();
    const { runs, api } = clockwork("* * * * * *");
    await workshop(t, api, { store });
    await eventually(20_000, "it came true twice", () => runs.length >= 2);
    const waiting = jobsIn(store, "tick").filter(({ state }) => state === "scheduled");
    assert.ok(waiting.every(({ run_at }) => Number(run_at) < Date.now() + 60_000));
  });

  test("leaves out a time at which the one before is still at work", async (t) => {
    const go = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const { runs, api } = clockwork("* * * * * *", async (all) => {
      most = Math.max(most, ++running);
      if (all.length === 1) await go.promise;
      running--;
    });
    const { store } = await workshop(t, api);
    await eventually(10_000, "the first one runs", () => runs.length === 1);
    const first = Date.parse(runs[0]!.id.slice("tick@".length));
    await eventually(10_000, "two more would have come", () => Date.now() > first + 2_200);
    assert.equal(jobsIn(store, "tick").length, 1);
    go.resolve();
    await eventually(10_000, "it goes on", () => runs.length >= 2);
    assert.equal(most, 1);
  });

  test("of which an occurrence fails goes on when that one has been tried again", async (t) => {
    const { runs, api } = clockwork("* * * * * *", (all) => {
      if (all.length === 1) throw new Error("not yet");
    });
    await workshop(t, api);
    await eventually(20_000, "it came true twice", () => new Set(idsOf(runs)).size >= 2);
    assert.equal(idsOf(runs)[0], idsOf(runs)[1], "the first one was tried again");
  });

  test("comes once where its time zone has a time never, or twice", () => {
    const schedule = readSchedule("30 2 * * *", "Europe/Berlin");
    const next = (after: string) => new Date(schedule.after(Date.parse(after))!).toISOString();
    assert.equal(next("2026-03-28T12:00:00Z"), "2026-03-29T01:00:00.000Z", "behind the gap");
    assert.equal(next("2026-03-29T01:00:00Z"), "2026-03-30T00:30:00.000Z");
    assert.equal(next("2026-10-24T12:00:00Z"), "2026-10-25T00:30:00.000Z", "the first of the two");
    assert.equal(next("2026-10-25T00:30:00Z"), "2026-10-26T01:30:00.000Z");
  });

  test("follows its time zone", async (t) => {
    const noon = job("noon", {
      input: z.object({}),
      schedule: "0 12 * * *",
      timeZone: "Asia/Tokyo",
      run: () => {},
    });
    const { store } = await workshop(t, api({ noon }));
    const planned = await eventually(5_000, "it is planned", () => jobsIn(store, "noon")[0]);
    assert.equal(new Date(Number(planned.run_at)).toISOString().slice(11), "03:00:00.000Z");
  });
});

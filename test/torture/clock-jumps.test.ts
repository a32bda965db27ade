import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { anyone, api, job, nobody, resource, workflow } from "posthaste";
import { z } from "zod";
import { type Clock, slewedClock } from "../../src/kernel/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { jobsIn, look } from "../support/jobs.ts";
import { assertFirst, assertReplay, keyed } from "../support/keyed.ts";
import { type Served, serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const jumps = [
  ["a day forward", DAY],
  ["a day back", -DAY],
] as const;

/** A wall clock that can be put, and what the server makes of it. */
class Wall {
  #offset = 0;
  readonly wall = () => Date.now() + this.#offset;
  readonly clock: Clock = slewedClock({
    wall: this.wall,
    monotonic: () => performance.now(),
    sinceBoot: () => performance.now(),
  });

  jump(milliseconds: number): void {
    this.#offset += milliseconds;
  }
}

const runs: { name: string; attempt: number; at: number }[] = [];

const errand = job("errand", {
  input: z.object({ name: z.string() }),
  keep: "30 minutes",
  run: async ({ input, attempt }) => {
    runs.push({ name: input.name, attempt, at: performance.now() });
    await sleep(input.name.startsWith("long") ? 700 : 1);
  },
});

const nap = workflow("nap", {
  input: z.object({ name: z.string() }),
  run: async ({ input, step }) => {
    await step.sleep("rest", "1 second");
    runs.push({ name: input.name, attempt: 1, at: performance.now() });
  },
});

const tick = job("tick", {
  input: z.object({}),
  schedule: "* * * * * *",
  run: ({ id }) => {
    runs.push({ name: id, attempt: 1, at: performance.now() });
  },
});

const orders = resource("orders", {
  schema: z.object({ title: z.string(), delay: z.boolean().default(false) }),
  access: { create: anyone, read: anyone, update: nobody, delete: nobody },
  idempotency: { create: { keep: "24 hours", window: "1 hour" } },
  created: async ({ row, enqueue }) => {
    const options = row.delay ? ({ delay: "1 second" } as const) : {};
    if (row.title.startsWith("nap")) await enqueue(nap, { name: row.title });
    else await enqueue(errand, { name: row.title }, options);
  },
});

const shop = api({ orders, errand, nap });
const clockwork = api({ orders, errand, nap, tick });

/** Serves with beats and housekeeping of an instant. */
function open(t: TestContext, clock: Clock, declared = shop, store?: string): Promise<Served> {
  const { setInterval } = globalThis;
  const hurry = t.mock.method(globalThis, "setInterval", ((work: () => void, milliseconds = 1) =>
    setInterval(work, milliseconds === 60_000 ? 20 : milliseconds)) as typeof setInterval);
  return serve(t, declared, {
    clock,
    beatMs: 50,
    ...(store === undefined ? {} : { store }),
  }).finally(() => hurry.mock.restore());
}

const runsOf = (name: string) => runs.filter((run) => run.name === name);
const ran = (name: string) => eventually(10_000, `${name} runs`, () => runsOf(name).length > 0);

for (const [name, by] of jumps) {
  suite(`When the clock jumps ${name}`, () => {
    test("a key keeps its answer, and so does a window", async (t) => {
      const wall = new Wall();
      const served = await open(t, wall.clock);
      const headers = keyed();
      const first = await served.post("/orders", { title: `key ${name}` }, headers);
      const unkeyed = await served.post("/orders", { title: `window ${name}` });
      assertFirst(first, 201);
      wall.jump(by + Math.sign(by) * HOUR);
      // Housekeeping comes along several times.
      await sleep(150);
      assert.equal(look(served.store, "SELECT * FROM posthaste_keys").length, 2);
      assertReplay(first, await served.post("/orders", { title: `key ${name}` }, headers));
      assertReplay(unkeyed, await served.post("/orders", { title: `window ${name}` }));
      assert.equal(served.rows("orders").length, 2);
    });

    test("the record of a finished job is kept as long as it was to be", async (t) => {
      const wall = new Wall();
      const served = await open(t, wall.clock);
      await served.make("/orders", { title: `short ${name}` });
      await ran(`short ${name}`);
      await eventually(
        5_000,
        "it is done",
        () => jobsIn(served.store, "errand")[0]?.state === "done",
      );
      wall.jump(by);
      await sleep(150);
      assert.equal(jobsIn(served.store, "errand").length, 1);
    });

    test("a delayed job comes at its time, once", async (t) => {
      const wall = new Wall();
      const served = await open(t, wall.clock);
      const began = performance.now();
      await served.make("/orders", { title: `delayed ${name}`, delay: true });
      wall.jump(by);
      await ran(`delayed ${name}`);
      const [{ at } = { at: 0 }] = runsOf(`delayed ${name}`);
      // A second by a clock that runs by half faster, or at half the speed.
      assert.ok(at - began > 600 && at - began < 3_000, `after ${at - began} ms`);
      await sleep(300);
      assert.equal(runsOf(`delayed ${name}`).length, 1);
    });

    test("a workflow sleeps as long as it was to", async (t) => {
      const wall = new Wall();
      const served = await open(t, wall.clock);
      const began = performance.now();
      await served.make("/orders", { title: `nap ${name}` });
      await sleep(200);
      wall.jump(by);
      await ran(`nap ${name}`);
      const [{ at } = { at: 0 }] = runsOf(`nap ${name}`);
      assert.ok(at - began > 600 && at - began < 3_200, `after ${at - began} ms`);
      assert.equal(runsOf(`nap ${name}`).length, 1);
    });

    test("a schedule goes on, without a gap and without a rush", async (t) => {
      const wall = new Wall();
      const served = await open(t, wall.clock, clockwork);
      const ticks = () => runs.filter((run) => run.name.startsWith("tick@")).length;
      await eventually(5_000, "it came true", () => ticks() > 0);
      wall.jump(by);
      const before = ticks();
      await sleep(3_200);
      const came = ticks() - before;
      assert.ok(came >= 1 && came <= 6, `${came} times in three seconds`);
      const ids = jobsIn(served.store, "tick").map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    });

    test("a job that runs is not taken for dead, by another process least of all", async (t) => {
      const wall = new Wall();
      const store = join(temporaryFolder(t), "store.db");
      const served = await open(t, wall.clock, shop, store);
      // Started behind the jump, it believes another time of day.
      const other = new Wall();
      other.jump(by);
      await open(t, other.clock, shop, store);
      const names = Array.from({ length: 12 }, (_, index) => `long ${index} ${name}`);
      await Promise.all(names.map((title) => served.make("/orders", { title })));
      wall.jump(by);
      for (const each of names) await ran(each);
      await sleep(300);
      for (const each of names) assert.equal(runsOf(each).length, 1, each);
    });

    test("a server that starts behind it knows its keys, and loses no job", async (t) => {
      const store = join(temporaryFolder(t), "store.db");
      const headers = keyed();
      const before = new Wall();
      const served = await open(t, before.clock, shop, store);
      const first = await served.post(
        "/orders",
        { title: `restart ${name}`, delay: true },
        headers,
      );
      assertFirst(first, 201);
      await served.close();

      const after = new Wall();
      // A little less: what was kept for a day is not expired yet.
      after.jump(by - Math.sign(by) * HOUR);
      const again = await open(t, after.clock, shop, store);
      const replay = await again.post(
        "/orders",
        { title: `restart ${name}`, delay: true },
        headers,
      );
      assertReplay(first, replay);
      if (by > 0) {
        await ran(`restart ${name}`);
      } else {
        // It waits for the time that it was given, which is a day away.
        await sleep(300);
        assert.equal(jobsIn(store, "errand")[0]?.state, "scheduled");
      }
      assert.equal(jobsIn(store, "errand").length, 1);
    });
  });
}

test("with the plain wall clock, a jump would expire a key (so these tests can fail)", async (t) => {
  const wall = new Wall();
  const served = await open(t, { now: wall.wall });
  const headers = keyed();
  assertFirst(await served.post("/orders", { title: "plain" }, headers), 201);
  wall.jump(DAY + HOUR);
  await sleep(150);
  assert.deepEqual(look(served.store, "SELECT * FROM posthaste_keys"), []);
  assertFirst(await served.post("/orders", { title: "plain" }, headers), 201);
});

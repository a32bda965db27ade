import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { action, anyone, api, type JobContext, job, resource } from "posthaste";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { jobsIn, type Workshop, workshop } from "../support/jobs.ts";
import { eventually } from "../support/time.ts";

type Run = (context: JobContext<{ number: number }>) => unknown;

/** One of several servers of an API, which does with its jobs what it is told. */
function factory(run: Run) {
  const effects = resource("effects", {
    schema: z.object({ text: z.string() }),
    access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  });
  const part = job("part", {
    input: z.object({ number: z.int() }),
    concurrency: 5,
    backoff: { first: "10 milliseconds" },
    run,
  });
  const order = action("order", {
    input: z.object({ count: z.int() }),
    access: anyone,
    run: async ({ input, enqueue }) => {
      for (let number = 0; number < input.count; number++) await enqueue(part, { number });
    },
  });
  return api({ effects, part, order });
}

/** Has jobs made, as a request would. */
async function order({ service }: Workshop, count: number): Promise<void> {
  const { operations } = service.serving.api;
  const unit = {
    operation: operations.findIndex(({ id }) => id === "order"),
    requestId: "",
    principal: null,
    parentIds: [],
    input: { kind: "action", values: { count }, params: {} },
    preferences: {},
    now: Date.now(),
  };
  const { wake } = (await service.store.lane.submit(unit)) as { wake: never };
  service.work.wake(wake);
}

const storeOf = (t: TestContext) => join(temporaryFolder(t), "store.db");
const workerOf = ({ sql }: Workshop) =>
  eventually(
    5_000,
    "it has a name",
    () => sql("SELECT instance FROM posthaste_workers")[0]?.instance,
  );

suite("Two servers on one store", () => {
  test("share the work, and no job runs in both, nor twice", async (t) => {
    const store = storeOf(t);
    const running = new Set<number>();
    const twice: number[] = [];
    const by = new Map<string, number[]>([
      ["one", []],
      ["other", []],
    ]);
    const worker =
      (name: string): Run =>
      async ({ input: { number } }) => {
        if (running.has(number)) twice.push(number);
        running.add(number);
        by.get(name)!.push(number);
        await sleep(2);
        running.delete(number);
      };
    const one = await workshop(t, factory(worker("one")), { store });
    const other = await workshop(t, factory(worker("other")), { store });
    for (let round = 0; round < 5; round++) {
      await order(one, 40);
      await order(other, 40);
    }
    await one.finished("part", 60_000);
    const all = [...by.get("one")!, ...by.get("other")!];
    assert.equal(all.length, 400);
    assert.deepEqual(twice, []);
    assert.ok(by.get("one")!.length > 20 && by.get("other")!.length > 20);
    assert.ok(
      jobsIn(store, "part").every(({ state, attempt }) => state === "done" && attempt === 1),
    );
    assert.deepEqual([...one.told("jobs.failed"), ...other.told("jobs.failed")], []);
  });

  test("what one enqueues while it is too busy itself is found by the other", async (t) => {
    const store = storeOf(t);
    const go = Promise.withResolvers<void>();
    const found: number[] = [];
    const busy = await workshop(
      t,
      factory(() => go.promise),
      { store },
    );
    await order(busy, 5);
    await eventually(10_000, "it is busy", () =>
      jobsIn(store, "part").every(({ state }) => state === "running"),
    );
    await workshop(
      t,
      factory(({ input }) => found.push(input.number)),
      { store },
    );
    await order(busy, 3);
    await eventually(10_000, "the other one has done it", () => found.length === 3);
    go.resolve();
    await busy.finished("part");
  });

  test("a server that is taken for dead, and is not, is stopped: its signal says why, and nothing of it counts", async (t) => {
    const store = storeOf(t);
    const late: string[] = [];
    const go = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    let reason: unknown;
    const slow = await workshop(
      t,
      factory(async ({ signal, transaction, progress }) => {
        const note = (text: string) => () => late.push(text);
        signal.addEventListener("abort", () => {
          reason = signal.reason;
        });
        await go.promise;
        await transaction(({ tx }) =>
          tx.insertInto("effects").values({ text: "slow" }).execute(),
        ).catch(note("transaction"));
        try {
          progress("slow");
        } catch {
          late.push("progress");
        }
        over.resolve();
        return "slow";
      }),
      { store },
    );
    const worker = await workerOf(slow);
    await order(slow, 1);
    await eventually(10_000, "it runs", () => jobsIn(store, "part")[0]?.state === "running");
    const other = await workshop(
      t,
      factory(async ({ transaction, attempt }) => {
        await transaction(({ tx }) => tx.insertInto("effects").values({ text: "other" }).execute());
        return `attempt ${attempt}`;
      }),
      { store },
    );
    // What the other one would do, had it seen no sign of life for long enough. The slow one has no
    // place for it any more than it knows: it may take it up itself, as another attempt.
    await other.service.store.lane.submit({ job: "reclaim", worker, now: Date.now() });
    other.service.work.wake({ kinds: ["part"], due: undefined });
    const [row] = await other.finished("part");
    assert.equal(row?.result, '"attempt 2"');
    await eventually(10_000, "the slow one is told", () => reason);
    assert.match(String(reason), /another worker's by now/);
    go.resolve();
    await over.promise;
    assert.deepEqual(late, ["transaction", "progress"]);
    assert.deepEqual(
      other.sql("SELECT text FROM effects").map(({ text }) => text),
      ["other"],
    );
    assert.equal(jobsIn(store, "part")[0]?.result, '"attempt 2"');
    assert.deepEqual(slow.told("job.done"), []);
  });

  test("a server that was taken for dead and takes its job up again runs it as another attempt, and ends the first", async (t) => {
    const store = storeOf(t);
    const reasons: string[] = [];
    const go = Promise.withResolvers<void>();
    const attempts: number[] = [];
    const only = await workshop(
      t,
      factory(async ({ attempt, signal }) => {
        attempts.push(attempt);
        signal.addEventListener("abort", () =>
          reasons.push(`${attempt}: ${signal.reason.message}`),
        );
        await go.promise;
        return attempt;
      }),
      { store },
    );
    const worker = await workerOf(only);
    await order(only, 1);
    await eventually(10_000, "it runs", () => attempts.length === 1);
    await only.service.store.lane.submit({ job: "reclaim", worker, now: Date.now() });
    only.service.work.wake({ kinds: ["part"], due: undefined });
    await eventually(10_000, "it runs again", () => attempts.length === 2);
    await eventually(10_000, "the first one is told", () => reasons.length === 1);
    assert.match(reasons[0]!, /^1: The job is another worker's by now/);
    go.resolve();
    const [row] = await only.finished("part");
    assert.deepEqual([row?.state, row?.result, row?.attempt], ["done", "2", 2]);
    await sleep(200);
    assert.deepEqual(attempts, [1, 2], "nothing of it was left to be found");
  });
});

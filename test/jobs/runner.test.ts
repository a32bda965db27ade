import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { job } from "posthaste";
import { z } from "zod";
import { jobModelOf } from "../../src/declare/job.ts";
import type { BeatOutcome, JobCommand, TurnCommand, TurnOutcome } from "../../src/jobs/commands.ts";
import type { ClaimedJob } from "../../src/jobs/queue.ts";
import { JobRunner } from "../../src/jobs/runner.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { eventually } from "../support/time.ts";

const model = jobModelOf(job("part", { input: z.object({}), concurrency: 2, run: () => {} }));
const claimed = (number: number, attempt = 1): ClaimedJob => ({
  number,
  id: `job ${number}`,
  kind: "part",
  input: {},
  attempt,
  priority: 0,
});
const nothing: TurnOutcome = { ended: [], claimed: [] };

interface Asked<Outcome> {
  readonly command: JobCommand;
  answer(outcome: Outcome): void;
  fail(): void;
}

/** A runner whose queue is the test. Beats come every 10 ms, and wait for an answer like the rest. */
function runner(t: TestContext) {
  const turns: Asked<TurnOutcome>[] = [];
  const beats: Asked<BeatOutcome>[] = [];
  const all: Asked<TurnOutcome>[] = [];
  const working = new Map<number, () => void>();
  const made = new JobRunner({
    worker: "me",
    kinds: new Map([["part", model]]),
    submit: (command) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const asked = {
        command,
        answer: resolve,
        fail: () => reject(new Error("The store is away.")),
      };
      if (command.job === "turn") all.push(asked as never);
      if (command.job === "turn") turns.push(asked as never);
      else if (command.job === "beat") beats.push(asked as never);
      else resolve([]);
      return promise;
    },
    execute: ({ number }) =>
      new Promise((resolve) => working.set(number, () => resolve({ result: null }))),
    planned: () => [],
    changed: () => {},
    clock: systemClock,
    observe: () => {},
    beatMs: 10,
  });
  made.start();
  t.after(async () => {
    const stopping = made.stop(0);
    const answering = setInterval(() => {
      for (const each of all.splice(0)) each.answer(nothing);
    }, 5);
    await stopping;
    clearInterval(answering);
  });
  const next = <T>(asked: T[]) => eventually(5_000, "it asks", () => asked.shift());
  const beat = async (held: BeatOutcome["held"]) => {
    const { answer } = await next(beats);
    answer({ beats: [], held, cancelling: [], due: undefined });
    await turn();
  };
  const endingsOf = ({ command }: Asked<TurnOutcome>) =>
    (command as TurnCommand).endings.map(({ number, attempt, ending }) => [
      number,
      attempt,
      ending.as,
    ]);
  return { next, turns, beats, beat, working, endingsOf };
}

suite("The runner of jobs", () => {
  test("gives back what the queue says it has and it has not, also while it is busy", async (t) => {
    const { next, turns, beat, endingsOf } = runner(t);
    const first = await next(turns);
    await beat([claimed(7)]);
    first.answer(nothing);
    assert.deepEqual(endingsOf(await next(turns)), [[7, 1, "suspended"]]);
  });

  test("gives back nothing that it has, has ended, or is telling the end of", async (t) => {
    const { next, turns, beat, working, endingsOf } = runner(t);
    (await next(turns)).answer({ ended: [], claimed: [claimed(1), claimed(2)] });
    await eventually(5_000, "both run", () => working.size === 2);
    working.get(1)!();
    const telling = await next(turns);
    assert.deepEqual(endingsOf(telling), [[1, 1, "done"]]);
    // The queue has not heard of the end yet.
    await beat([claimed(1), claimed(2)]);
    telling.answer(nothing);
    await beat([claimed(2)]);
    working.get(2)!();
    assert.deepEqual(
      endingsOf(await next(turns)).filter(([number]) => number !== 2),
      [],
    );
  });

  test("tells again what it could not tell, and then nothing twice", async (t) => {
    const { next, turns, working, endingsOf } = runner(t);
    (await next(turns)).answer({ ended: [], claimed: [claimed(1)] });
    await eventually(5_000, "it runs", () => working.size === 1);
    working.get(1)!();
    const lost = await next(turns);
    assert.deepEqual(endingsOf(lost), [[1, 1, "done"]]);
    lost.fail();
    const again = await next(turns);
    assert.deepEqual(endingsOf(again), [[1, 1, "done"]]);
    again.answer({ ended: [true], claimed: [] });
    await turn();
    for (const each of turns.splice(0)) assert.deepEqual(endingsOf(each), []);
  });

  test("asks for no more than it may run, and for the rest when a place is free", async (t) => {
    const { next, turns, working } = runner(t);
    const first = await next(turns);
    assert.deepEqual((first.command as TurnCommand).wants, [{ kind: "part", limit: 2 }]);
    first.answer({ ended: [], claimed: [claimed(1), claimed(2)] });
    await eventually(5_000, "both run", () => working.size === 2);
    assert.equal(turns.length, 0);
    working.get(2)!();
    const second = await next(turns);
    assert.deepEqual((second.command as TurnCommand).wants, [{ kind: "part", limit: 1 }]);
  });
});

import type { Executor } from "../store/port.ts";
import type { ClaimedJob, Ending, Hold, NewJob, Queue } from "./queue.ts";

/** What workers ask of the queue: plain data, done where the writer is. */
export type JobCommand =
  | TurnCommand
  | { readonly job: "promote"; readonly now: number; readonly limit: number }
  | { readonly job: "beat"; readonly worker: string; readonly planned: readonly NewJob[] }
  | { readonly job: "reclaim"; readonly worker: string; readonly now: number }
  | {
      readonly job: "checkpoint";
      readonly hold: Hold;
      readonly step: {
        readonly name: string;
        readonly result: unknown;
        readonly wakeAt: number | undefined;
      };
      readonly now: number;
    }
  | { readonly job: "progress"; readonly hold: Hold; readonly value: unknown }
  | { readonly job: "cancel"; readonly id: string; readonly now: number; readonly keepMs: number }
  | { readonly job: "retry"; readonly id: string; readonly now: number }
  | { readonly job: "sweep"; readonly now: number; readonly limit: number };

/** Ends attempts and takes new jobs, in one unit: what a busy worker does all day. */
export interface TurnCommand {
  readonly job: "turn";
  readonly worker: string;
  readonly endings: readonly {
    readonly number: number;
    readonly attempt: number;
    readonly ending: Ending;
  }[];
  /** Put in behind the endings. */
  readonly planned: readonly NewJob[];
  readonly wants: readonly { readonly kind: string; readonly limit: number }[];
  readonly now: number;
}

export interface TurnOutcome {
  /** For each ending whether the job was still the worker's. */
  readonly ended: readonly boolean[];
  readonly claimed: readonly ClaimedJob[];
}

export interface PromoteOutcome {
  readonly kinds: readonly string[];
  readonly due: number | undefined;
}

export interface BeatOutcome {
  readonly beats: readonly { readonly worker: string; readonly beat: number }[];
  /** What the queue says that this worker has. */
  readonly held: readonly Pick<ClaimedJob, "number" | "attempt" | "kind" | "id">[];
  readonly cancelling: readonly number[];
  readonly due: number | undefined;
}

export function isJobCommand(unit: unknown): unit is JobCommand {
  return typeof unit === "object" && unit !== null && "job" in unit;
}

export async function performJobCommand(
  queue: Queue,
  command: JobCommand,
  on: Executor,
): Promise<unknown> {
  switch (command.job) {
    case "turn":
      return turn(queue, command, on);
    case "promote": {
      const kinds = await queue.promote(on, command.now, command.limit);
      return { kinds, due: await queue.nextDue(on) } satisfies PromoteOutcome;
    }
    case "beat": {
      await queue.beat(on, command.worker);
      for (const job of command.planned) await queue.plan(on, job);
      return {
        beats: await queue.beats(on),
        held: await queue.held(on, command.worker),
        cancelling: await queue.cancelling(on, command.worker),
        due: await queue.nextDue(on),
      } satisfies BeatOutcome;
    }
    case "reclaim":
      return queue.reclaim(on, command.worker, command.now);
    case "checkpoint": {
      const held = await queue.holds(on, command.hold);
      if (held) await queue.checkpoint(on, command.hold.number, command.step, command.now);
      return held;
    }
    case "progress":
      return queue.progress(on, command.hold, command.value);
    case "cancel":
      return queue.cancel(on, command.id, command.now, command.keepMs);
    case "retry":
      return queue.retry(on, command.id, command.now);
    case "sweep":
      return queue.sweep(on, command.now, command.limit);
  }
}

async function turn(queue: Queue, command: TurnCommand, on: Executor): Promise<TurnOutcome> {
  const { worker, endings, planned, wants, now } = command;
  const ended: boolean[] = [];
  for (const { number, attempt, ending } of endings) {
    ended.push(await queue.end(on, { number, attempt, worker }, ending, now));
  }
  for (const job of planned) await queue.plan(on, job);
  const claimed: ClaimedJob[] = [];
  for (const { kind, limit } of wants) {
    claimed.push(...(await queue.claim(on, { worker, kind, limit, now })));
  }
  return { ended, claimed };
}

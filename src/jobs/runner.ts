import type { JobModel } from "../declare/job.ts";
import { JobFailure } from "../declare/job.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Observe } from "../kernel/observations.ts";
import { backoffMs } from "./backoff.ts";
import type {
  BeatOutcome,
  JobCommand,
  PromoteOutcome,
  TurnCommand,
  TurnOutcome,
} from "./commands.ts";
import type { ClaimedJob, Ending, NewJob } from "./queue.ts";

/** How an attempt of a workflow may end without having ended the workflow. */
export interface Suspension {
  readonly wakeAt: number;
}

export interface RunnerOptions {
  /** Names this process among those that work on the same store. */
  readonly worker: string;
  readonly kinds: ReadonlyMap<string, JobModel>;
  readonly submit: (command: JobCommand) => Promise<unknown>;
  /** Runs an attempt. Resolves to its result, or to why it sleeps. */
  readonly execute: (
    job: ClaimedJob,
    signal: AbortSignal,
  ) => Promise<{ readonly result: unknown } | { readonly suspended: Suspension }>;
  /** Jobs that schedules ask for at this time. */
  readonly planned: (now: number) => readonly NewJob[];
  /** Told whenever something about a job changes that its monitor shows. */
  readonly changed: (id: string) => void;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Milliseconds between two signs of life. Default 5,000. */
  readonly beatMs?: number;
}

/** Beats of another worker that are missed before its jobs are taken over. */
const MISSED_BEATS = 3;
const PROMOTE_AT_ONCE = 500;
const MAX_TIMER_MS = 60_000;
const MAX_ERROR_LENGTH = 8_192;
/** A failed job is a dead letter: somebody has to look at it, and may be on holiday. */
const KEEP_FAILED_MS = 30 * 86_400_000;

interface Running {
  readonly job: ClaimedJob;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/**
 * Takes jobs from the queue and runs them, in this process. Whether a worker lives is judged by
 * its beats and by the time that passes here, never by comparing clocks: those may jump.
 */
export class JobRunner {
  readonly #options: RunnerOptions;
  readonly #running = new Map<number, Running>();
  readonly #busy = new Map<string, number>();
  /** Kinds of which jobs may be ready. */
  readonly #hungry = new Set<string>();
  readonly #others = new Map<string, { beat: number; missed: number }>();
  #endings: TurnCommand["endings"][number][] = [];
  #turning: Promise<void> | undefined;
  #dueTimer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #beatTimer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    for (const kind of options.kinds.keys()) this.#hungry.add(kind);
  }

  /** Begins to work. Without any kind there is nothing to do, ever. */
  start(): void {
    if (this.#options.kinds.size === 0) return;
    const beat = () => void this.#beat().catch((error) => this.#failed(error));
    this.#beatTimer = setInterval(beat, this.#options.beatMs ?? 5_000);
    this.#beatTimer.unref();
    beat();
    this.#work();
  }

  /** Jobs of these kinds are ready now, or become ready at a time. */
  wake(kinds: Iterable<string>, dueAt?: number): void {
    for (const kind of kinds) if (this.#options.kinds.has(kind)) this.#hungry.add(kind);
    if (dueAt !== undefined) this.#dueBy(dueAt);
    this.#work();
  }

  /** Ends an attempt that runs here. @returns whether it does */
  cancel(id: string): boolean {
    for (const { job, controller } of this.#running.values()) {
      if (job.id !== id) continue;
      controller.abort(new Cancelled());
      return true;
    }
    return false;
  }

  /**
   * Takes nothing more, and waits for what runs; what still runs then is aborted and put back, to
   * be run again by whoever comes next.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#beatTimer);
    clearTimeout(this.#dueTimer);
    if (this.#options.kinds.size === 0) return;
    const all = () => Promise.all([...this.#running.values()].map(({ done }) => done));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([all(), late]);
    clearTimeout(timer);
    for (const { controller } of this.#running.values()) controller.abort(new Stopping());
    await Promise.race([all(), new Promise((resolve) => setTimeout(resolve, 100))]);
    const { now } = this.#options.clock;
    for (const { job } of this.#running.values()) {
      this.#endings.push({ ...job, ending: { as: "suspended", runAt: now() } });
    }
    this.#running.clear();
    await this.#turning;
    await this.#turn().catch((error) => this.#failed(error));
    await this.#options
      .submit({ job: "reclaim", worker: this.#options.worker })
      .catch((error) => this.#failed(error));
  }

  #work(): void {
    if (this.#turning !== undefined || this.#stopping) return;
    this.#turning = this.#turns()
      .catch((error) => {
        this.#failed(error);
        // The store is away: what was not told to it stays here until it is back.
        return new Promise<void>((resolve) => setTimeout(resolve, 250));
      })
      .finally(() => {
        this.#turning = undefined;
        if (this.#endings.length > 0 || this.#wants().length > 0) this.#work();
      });
  }

  async #turns(): Promise<void> {
    while (!this.#stopping && (this.#endings.length > 0 || this.#wants().length > 0)) {
      await this.#turn();
    }
  }

  async #turn(): Promise<void> {
    const { worker, clock, submit } = this.#options;
    const endings = this.#endings;
    const wants = this.#stopping ? [] : this.#wants();
    this.#endings = [];
    let outcome: TurnOutcome;
    try {
      const now = clock.now();
      outcome = (await submit({ job: "turn", worker, endings, wants, now })) as TurnOutcome;
    } catch (error) {
      this.#endings = [...endings, ...this.#endings];
      throw error;
    }
    const counts = new Map<string, number>();
    for (const job of outcome.claimed) {
      counts.set(job.kind, (counts.get(job.kind) ?? 0) + 1);
      this.#start(job);
    }
    // Who gave less than was asked for has no more; an enqueue or a beat says when that changes.
    for (const { kind, limit } of wants) {
      if ((counts.get(kind) ?? 0) < limit) this.#hungry.delete(kind);
    }
  }

  #wants(): { kind: string; limit: number }[] {
    const wants: { kind: string; limit: number }[] = [];
    for (const kind of this.#hungry) {
      const limit = this.#options.kinds.get(kind)!.concurrency - (this.#busy.get(kind) ?? 0);
      if (limit > 0) wants.push({ kind, limit });
    }
    return wants;
  }

  #start(job: ClaimedJob): void {
    const controller = new AbortController();
    this.#busy.set(job.kind, (this.#busy.get(job.kind) ?? 0) + 1);
    const done = this.#attempt(job, controller).then((ending) => {
      this.#busy.set(job.kind, this.#busy.get(job.kind)! - 1);
      // A stop may have put it back already.
      if (!this.#running.delete(job.number)) return;
      this.#endings.push({ number: job.number, attempt: job.attempt, ending });
      if (ending.as === "retry" || ending.as === "suspended") this.#dueBy(ending.runAt);
      this.#work();
      void this.#turning?.finally(() => this.#options.changed(job.id));
    });
    this.#running.set(job.number, { job, controller, done });
    this.#options.changed(job.id);
  }

  async #attempt(job: ClaimedJob, controller: AbortController): Promise<Ending> {
    const model = this.#options.kinds.get(job.kind)!;
    const { clock, observe, execute } = this.#options;
    if (job.attempt > model.attempts) {
      // It took the process along each time, or nobody could tell how it ended.
      return failed("The last attempt was broken off.", model);
    }
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const { signal } = controller;
    const aborted = new Promise<never>((_, reject) => {
      timer = setTimeout(() => controller.abort(new TookTooLong(model.timeoutMs)), model.timeoutMs);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    try {
      const outcome = await Promise.race([execute(job, signal), aborted]);
      if ("suspended" in outcome) return { as: "suspended", runAt: outcome.suspended.wakeAt };
      observe({ event: "job.done", kind: job.kind, id: job.id, milliseconds: since(began) });
      return { as: "done", result: outcome.result, keepMs: model.keepMs };
    } catch (error) {
      if (error instanceof Stopping) return { as: "suspended", runAt: clock.now() };
      if (error instanceof Cancelled) return { as: "cancelled", keepMs: model.keepMs };
      const ending = this.#endingOf(error, job, model);
      observe({
        event: ending.as === "failed" ? "job.failed" : "job.retried",
        kind: job.kind,
        id: job.id,
        attempt: job.attempt,
        error,
      });
      return ending;
    } finally {
      clearTimeout(timer);
    }
  }

  #endingOf(error: unknown, job: ClaimedJob, model: JobModel): Ending {
    if (error instanceof JobFailure) {
      const failure = { code: error.code, detail: error.message };
      return { as: "failed", error: describe(error), failure, keepMs: KEEP_FAILED_MS };
    }
    const { permanent, retryAfterMs } = (error ?? {}) as {
      permanent?: unknown;
      retryAfterMs?: unknown;
    };
    if (permanent === true || job.attempt >= model.attempts) return failed(describe(error), model);
    const wait = Math.max(
      backoffMs(model.backoff, job.attempt),
      typeof retryAfterMs === "number" ? retryAfterMs : 0,
    );
    return { as: "retry", runAt: this.#options.clock.now() + wait, error: describe(error) };
  }

  #dueBy(due: number): void {
    if (due >= this.#due || this.#stopping) return;
    this.#due = due;
    clearTimeout(this.#dueTimer);
    const wait = Math.min(Math.max(0, due - this.#options.clock.now()), MAX_TIMER_MS);
    this.#dueTimer = setTimeout(() => {
      this.#due = Number.POSITIVE_INFINITY;
      void this.#promote().catch((error) => this.#failed(error));
    }, wait);
    this.#dueTimer.unref();
  }

  async #promote(): Promise<void> {
    const { submit, clock } = this.#options;
    const command = { job: "promote", now: clock.now(), limit: PROMOTE_AT_ONCE } as const;
    const { kinds, due } = (await submit(command)) as PromoteOutcome;
    this.wake(kinds, due);
  }

  /** Says that this worker lives, and looks after the others, and after what it may have lost. */
  async #beat(): Promise<void> {
    const { worker, submit, clock, planned } = this.#options;
    const beat = { job: "beat", worker, planned: planned(clock.now()) } as const;
    const { beats, held, cancelling, due } = (await submit(beat)) as BeatOutcome;
    if (this.#stopping) return;
    for (const number of cancelling) this.#running.get(number)?.controller.abort(new Cancelled());
    this.#releaseStrays(held);
    for (const other of beats) {
      if (other.worker === worker) continue;
      const known = this.#others.get(other.worker);
      const missed = known?.beat === other.beat ? known.missed + 1 : 0;
      this.#others.set(other.worker, { beat: other.beat, missed });
      if (missed < MISSED_BEATS) continue;
      this.#others.delete(other.worker);
      this.wake((await submit({ job: "reclaim", worker: other.worker })) as string[]);
    }
    // Another process may have put something in.
    this.wake(this.#options.kinds.keys(), due);
  }

  /** Jobs that the queue says are here, and are not: the answer to a turn was lost. */
  #releaseStrays(held: BeatOutcome["held"]): void {
    if (this.#turning !== undefined) return;
    const ending = new Set(this.#endings.map(({ number }) => number));
    for (const { number, attempt } of held) {
      if (this.#running.has(number) || ending.has(number)) continue;
      const runAt = this.#options.clock.now();
      this.#endings.push({ number, attempt, ending: { as: "suspended", runAt } });
    }
  }

  #failed(error: unknown): void {
    if (!this.#stopping) this.#options.observe({ event: "jobs.failed", error });
  }
}

class Cancelled extends Error {
  override readonly message = "The job was cancelled.";
}

class Stopping extends Error {
  override readonly message = "The server is stopping.";
}

class TookTooLong extends Error {
  constructor(milliseconds: number) {
    super(`The attempt took more than ${milliseconds} ms.`);
    this.name = "TookTooLong";
  }
}

function failed(error: string, model: JobModel): Ending {
  const failure = { code: "failed", detail: `Gave up after ${model.attempts} attempts.` };
  return { as: "failed", error, failure, keepMs: KEEP_FAILED_MS };
}

function describe(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, MAX_ERROR_LENGTH);
}

function since(began: number): number {
  return Math.round(performance.now() - began);
}

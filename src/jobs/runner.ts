import type { JobModel } from "../declare/job.ts";
import type { Clock } from "../kernel/clock.ts";
import { crashPoint } from "../kernel/crash-points.ts";
import type { Observe } from "../kernel/observations.ts";
import type {
  BeatOutcome,
  JobCommand,
  PromoteOutcome,
  TurnCommand,
  TurnOutcome,
} from "./commands.ts";
import { Cancelled, endingOf, gaveUp, Stopping, TakenOver, TookTooLong, thrown } from "./ending.ts";
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
  /** Jobs that schedules ask for at this time; of these kinds, or of all. */
  readonly planned: (now: number, kinds?: ReadonlySet<string>) => readonly NewJob[];
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
/** Beyond this a timer of Node fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

interface Running {
  readonly job: ClaimedJob;
  readonly controller: AbortController;
  done: Promise<void>;
}

interface Ended {
  readonly job: Pick<ClaimedJob, "number" | "attempt" | "kind" | "id">;
  readonly ending: Ending;
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
  #others = new Map<string, { beat: number; missed: number }>();
  #endings: Ended[] = [];
  /** Endings that the queue is being told. */
  #telling: readonly Ended[] = [];
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
    clearTimeout(this.#dueTimer);
    if (this.#options.kinds.size === 0) return;
    // Until the end: whoever runs jobs and is silent is taken for dead.
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
      this.#endings.push({ job, ending: { as: "suspended", runAt: now() } });
    }
    this.#running.clear();
    await this.#turning;
    clearInterval(this.#beatTimer);
    await this.#turn().catch((error) => this.#failed(error));
    await this.#reclaim(this.#options.worker).catch((error) => this.#failed(error));
  }

  #work(): void {
    if (this.#turning !== undefined) return;
    this.#turning = this.#turns()
      .catch((error) => {
        this.#failed(error);
        // The store is away: what was not told to it stays here until it is back.
        return new Promise<void>((resolve) => setTimeout(resolve, 250));
      })
      .finally(() => {
        this.#turning = undefined;
        if (!this.#stopping && this.#hasWork()) this.#work();
      });
  }

  async #turns(): Promise<void> {
    while (this.#hasWork()) await this.#turn();
  }

  #hasWork(): boolean {
    return this.#endings.length > 0 || this.#wants().length > 0;
  }

  async #turn(): Promise<void> {
    const { submit } = this.#options;
    const endings = this.#endings;
    const wants = this.#wants();
    this.#endings = [];
    this.#telling = endings;
    if (endings.length > 0) crashPoint("before-end");
    let outcome: TurnOutcome;
    try {
      outcome = (await submit(this.#turnCommand(endings, wants))) as TurnOutcome;
    } catch (error) {
      this.#endings = [...endings, ...this.#endings];
      throw error;
    } finally {
      this.#telling = [];
    }
    for (const { job, ending } of endings) {
      if (ending.as === "retry" || ending.as === "suspended") this.#dueBy(ending.runAt);
      this.#options.changed(job.id);
    }
    if (endings.length > 0) crashPoint("after-end");
    if (outcome.claimed.length > 0) crashPoint("after-claim");
    const counts = new Map<string, number>();
    for (const job of outcome.claimed) {
      counts.set(job.kind, (counts.get(job.kind) ?? 0) + 1);
      if (!this.#stopping) this.#start(job);
      else
        this.#endings.push({ job, ending: { as: "suspended", runAt: this.#options.clock.now() } });
    }
    // Who gave less than was asked for has no more; an enqueue or a beat says when that changes.
    for (const { kind, limit } of wants) {
      if ((counts.get(kind) ?? 0) < limit) this.#hungry.delete(kind);
    }
  }

  #turnCommand(endings: readonly Ended[], wants: TurnCommand["wants"]): TurnCommand {
    const { worker, clock, planned } = this.#options;
    const now = clock.now();
    // An occurrence that ended makes room for the next one, which need not wait for a beat.
    const next = planned(now, new Set(endings.map(({ job }) => job.kind)));
    for (const { runAt } of next) this.#dueBy(runAt);
    return {
      job: "turn",
      worker,
      endings: endings.map(({ job: { number, attempt }, ending }) => ({ number, attempt, ending })),
      planned: next,
      wants,
      now,
    };
  }

  #wants(): { kind: string; limit: number }[] {
    if (this.#stopping) return [];
    const wants: { kind: string; limit: number }[] = [];
    for (const kind of this.#hungry) {
      const limit = this.#options.kinds.get(kind)!.concurrency - (this.#busy.get(kind) ?? 0);
      if (limit > 0) wants.push({ kind, limit });
    }
    return wants;
  }

  #start(job: ClaimedJob): void {
    const controller = new AbortController();
    // An earlier attempt that is still at it here was taken for dead meanwhile.
    this.#running.get(job.number)?.controller.abort(new TakenOver());
    this.#busy.set(job.kind, (this.#busy.get(job.kind) ?? 0) + 1);
    const running: Running = { job, controller, done: Promise.resolve() };
    this.#running.set(job.number, running);
    running.done = this.#attempt(job, controller).then((ending) => {
      this.#busy.set(job.kind, this.#busy.get(job.kind)! - 1);
      // A stop may have put it back already, and another attempt may have taken its place.
      if (this.#running.get(job.number) !== running) return;
      this.#running.delete(job.number);
      this.#endings.push({ job, ending });
      this.#work();
    });
    this.#options.changed(job.id);
  }

  async #attempt(job: ClaimedJob, controller: AbortController): Promise<Ending> {
    const model = this.#options.kinds.get(job.kind)!;
    const { clock, observe, execute } = this.#options;
    if (job.attempt > model.attempts) {
      // It took the process along each time, or nobody could tell how it ended.
      return gaveUp("The last attempt was broken off.", model.attempts);
    }
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const { signal } = controller;
    const aborted = new Promise<never>((_, reject) => {
      const tooLong = () => controller.abort(new TookTooLong(model.timeoutMs));
      timer = setTimeout(tooLong, Math.min(model.timeoutMs, MAX_TIMEOUT_MS));
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    try {
      const outcome = await Promise.race([execute(job, signal), aborted]);
      if ("suspended" in outcome) return { as: "suspended", runAt: outcome.suspended.wakeAt };
      observe({ event: "job.done", kind: job.kind, id: job.id, milliseconds: since(began) });
      return { as: "done", result: outcome.result, keepMs: model.keepMs };
    } catch (cause) {
      const error = thrown(cause);
      if (error instanceof Stopping || error instanceof TakenOver)
        return { as: "suspended", runAt: clock.now() };
      if (error instanceof Cancelled) return { as: "cancelled", keepMs: model.keepMs };
      const ending = endingOf(error, job, model, clock.now());
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
    const before = [...this.#running.values()];
    const { beats, held, cancelling, due } = (await submit(beat)) as BeatOutcome;
    for (const number of cancelling) this.#running.get(number)?.controller.abort(new Cancelled());
    this.#abortLost(before, held);
    if (this.#stopping) return;
    this.#releaseStrays(held);
    const others = new Map<string, { beat: number; missed: number }>();
    for (const other of beats) {
      if (other.worker === worker) continue;
      const known = this.#others.get(other.worker);
      const missed = known?.beat === other.beat ? known.missed + 1 : 0;
      if (missed < MISSED_BEATS) others.set(other.worker, { beat: other.beat, missed });
      else this.wake(await this.#reclaim(other.worker));
    }
    this.#others = others;
    // Another process may have put something in.
    this.wake(this.#options.kinds.keys(), due);
  }

  async #reclaim(worker: string): Promise<string[]> {
    const { submit, clock } = this.#options;
    return (await submit({ job: "reclaim", worker, now: clock.now() })) as string[];
  }

  /** Attempts whose jobs somebody else has by now: this worker was taken for dead, and was not. */
  #abortLost(before: readonly Running[], held: BeatOutcome["held"]): void {
    const mine = new Map(held.map(({ number, attempt }) => [number, attempt]));
    for (const { job, controller } of before) {
      if (mine.get(job.number) !== job.attempt) controller.abort(new TakenOver());
    }
  }

  /**
   * Jobs that the queue says are here, and are not: the answer to a turn was lost. Answers come in
   * the order of what was asked, so whatever the queue gave before is here by now.
   */
  #releaseStrays(held: BeatOutcome["held"]): void {
    const ended = new Set([...this.#telling, ...this.#endings].map(({ job }) => job.number));
    for (const { number, attempt, kind, id } of held) {
      if (this.#running.has(number) || ended.has(number)) continue;
      const ending = { as: "suspended", runAt: this.#options.clock.now() } as const;
      this.#endings.push({ job: { number, attempt, kind, id }, ending });
    }
  }

  #failed(error: unknown): void {
    if (!this.#stopping) this.#options.observe({ event: "jobs.failed", error });
  }
}

function since(began: number): number {
  return Math.round(performance.now() - began);
}

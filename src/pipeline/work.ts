import { randomUUID } from "node:crypto";
import { readSchedule, type Schedule } from "../declare/schedule.ts";
import type { JobCommand } from "../jobs/commands.ts";
import type { NewJob } from "../jobs/queue.ts";
import { JobRunner } from "../jobs/runner.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Observe } from "../kernel/observations.ts";
import type { MailTransport } from "../mail/transport.ts";
import type { Store } from "../store/port.ts";
import { attempter } from "./attempt.ts";
import type { Serving } from "./serving.ts";
import type { Wake } from "./transaction/unit.ts";

export interface WorkOptions {
  readonly serving: Serving;
  readonly store: Store;
  readonly mail: MailTransport;
  readonly clock: Clock;
  readonly observe: Observe;
  /** See RunnerOptions. */
  readonly beatMs?: number | undefined;
}

/** Rows of a kind that a sweep removes at once. */
const SWEEP_AT_ONCE = 500;
const SWEEP_EVERY_MS = 60_000;

/** What goes on behind the answers: jobs, and the housekeeping. */
export class Work {
  readonly #options: WorkOptions;
  readonly #runner: JobRunner;
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #schedules: ReadonlyMap<string, Schedule>;
  #sweepTimer: NodeJS.Timeout | undefined;
  #draining = false;

  constructor(options: WorkOptions) {
    this.#options = options;
    const { serving, store, mail, clock, observe } = options;
    const worker = randomUUID();
    this.#schedules = new Map(
      [...serving.api.jobs.values()].flatMap(({ name, schedule }) =>
        schedule === undefined ? [] : [[name, readSchedule(schedule.cron, schedule.timeZone)]],
      ),
    );
    this.#runner = new JobRunner({
      worker,
      kinds: serving.api.jobs,
      submit: (command: JobCommand) => store.lane.submit(command),
      execute: attempter({
        serving,
        lane: store.lane,
        reader: store.reader,
        worker,
        mail,
        clock,
        wake: (wake) => this.wake(wake),
        changed: (id) => this.#changed(id),
      }),
      planned: (now, kinds) => this.#planned(now, kinds),
      changed: (id) => this.#changed(id),
      clock,
      observe,
      ...(options.beatMs === undefined ? {} : { beatMs: options.beatMs }),
    });
  }

  start(): void {
    this.#runner.start();
    const sweep = () =>
      void this.#sweep().catch((error) => this.#options.observe({ event: "jobs.failed", error }));
    this.#sweepTimer = setInterval(sweep, SWEEP_EVERY_MS);
    this.#sweepTimer.unref();
  }

  /** The server stops: whoever waits for a job is told now what is known of it. */
  drain(): void {
    this.#draining = true;
    for (const id of [...this.#watchers.keys()]) this.#changed(id);
  }

  get draining(): boolean {
    return this.#draining;
  }

  async stop(graceMs: number): Promise<void> {
    clearInterval(this.#sweepTimer);
    await this.#runner.stop(graceMs);
  }

  /** Jobs were made, and are durable. */
  wake({ kinds, due }: Wake): void {
    this.#runner.wake(kinds, due);
  }

  /** Ends a job that runs in this process. */
  cancel(id: string): void {
    this.#runner.cancel(id);
    this.#changed(id);
  }

  /** Resolves at the next change of a job, or after this many milliseconds. */
  change(id: string, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const watchers = this.#watchers.get(id) ?? new Set();
      this.#watchers.set(id, watchers);
      const done = () => {
        clearTimeout(timer);
        watchers.delete(done);
        if (watchers.size === 0) this.#watchers.delete(id);
        resolve();
      };
      // Another process may run the job; only looking again tells then.
      const timer = setTimeout(done, Math.min(Math.max(0, milliseconds), 1_000));
      watchers.add(done);
    });
  }

  #changed(id: string): void {
    for (const watcher of this.#watchers.get(id) ?? []) watcher();
  }

  /**
   * The next job of every schedule. Its id says which time of which schedule it is, so that a time
   * that two processes plan, or one plans twice, makes one job.
   */
  #planned(now: number, kinds?: ReadonlySet<string>): NewJob[] {
    return [...this.#schedules].flatMap(([kind, schedule]): NewJob[] => {
      if (kinds?.has(kind) === false) return [];
      const runAt = schedule.after(now);
      if (runAt === undefined) return [];
      const { priority } = this.#options.serving.api.jobs.get(kind)!;
      return [
        {
          id: `${kind}@${new Date(runAt).toISOString()}`,
          kind,
          input: {},
          priority,
          runAt,
          unique: "schedule",
          owner: undefined,
          operation: undefined,
          now,
        },
      ];
    });
  }

  async #sweep(): Promise<void> {
    const { store, clock } = this.#options;
    let removed = SWEEP_AT_ONCE;
    while (removed >= SWEEP_AT_ONCE) {
      const unit = { sweep: SWEEP_AT_ONCE, now: clock.now() };
      removed = Number(await store.lane.submit(unit));
    }
  }
}

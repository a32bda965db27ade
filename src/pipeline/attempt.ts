import { CompiledQuery } from "kysely";
import {
  type JobContext,
  JobFailure,
  type JobTransaction,
  type StepContext,
  type Steps,
  type WorkflowContext,
} from "../declare/job.ts";
import type { Mailer } from "../declare/mail.ts";
import type { TransactionSql } from "../declare/transaction.ts";
import type { ClaimedJob, Hold, StoredStep } from "../jobs/queue.ts";
import type { RunnerOptions } from "../jobs/runner.ts";
import type { Clock } from "../kernel/clock.ts";
import { crashPoint } from "../kernel/crash-points.ts";
import type { Duration } from "../kernel/duration.ts";
import type { Json } from "../kernel/json.ts";
import type { MailTransport } from "../mail/transport.ts";
import type { Executor, Lane } from "../store/port.ts";
import { asJson, parseJobInput, readDuration } from "./job-input.ts";
import type { Serving } from "./serving.ts";
import { Enqueuing } from "./transaction/enqueue.ts";
import type { Wake } from "./transaction/unit.ts";

export interface AttemptOptions {
  readonly serving: Serving;
  readonly lane: Lane;
  readonly reader: Executor;
  readonly worker: string;
  readonly mail: MailTransport;
  readonly clock: Clock;
  readonly wake: (wake: Wake) => void;
  readonly changed: (id: string) => void;
}

/** Milliseconds between two notes of a job's progress. */
const PROGRESS_EVERY_MS = 250;

/** Runs one attempt of a job: gives users' functions what they were promised. */
export function attempter(options: AttemptOptions): RunnerOptions["execute"] {
  return async (job, signal) => {
    const model = options.serving.api.jobs.get(job.kind)!;
    const input = await parseJobInput(model, job.input).catch((error: Error) => {
      // Made by another release of the API: no attempt will read it.
      throw Object.assign(error, { permanent: true });
    });
    const attempt = new Attempt(options, job, signal);
    const context: Omit<JobContext<unknown>, "transaction" | "mail"> = {
      input,
      id: job.id,
      key: job.id,
      attempt: job.attempt,
      signal,
      progress: (value) => attempt.progress(value),
    };
    try {
      if (model.kind === "job") {
        const transaction: JobContext<unknown>["transaction"] = (work) =>
          attempt.transact((given) => work(given));
        const mail = attempt.mailer(job.id);
        return { result: asJson("result", await model.run({ ...context, transaction, mail })) };
      }
      const step = await attempt.steps();
      const run = async () => model.run({ ...context, step } satisfies WorkflowContext<unknown>);
      const ended = run().then((result) => ({ result: asJson("result", result) }));
      return await Promise.race([ended, attempt.suspended]);
    } finally {
      attempt.end();
    }
  };
}

class Attempt {
  readonly #options: AttemptOptions;
  readonly #job: ClaimedJob;
  readonly #signal: AbortSignal;
  readonly #hold: Hold;
  /** Settles when a step sleeps: its own promise never does, and the function ends nowhere. */
  readonly suspended: Promise<{ suspended: { wakeAt: number } }>;
  #suspend!: (wakeAt: number) => void;
  #progress: unknown;
  #progressTimer: NodeJS.Timeout | undefined;
  /** Steps that have begun and not ended. */
  readonly #underWay = new Set<Promise<unknown>>();
  #ended = false;

  constructor(options: AttemptOptions, job: ClaimedJob, signal: AbortSignal) {
    this.#options = options;
    this.#job = job;
    this.#signal = signal;
    this.#hold = { number: job.number, attempt: job.attempt, worker: options.worker };
    this.suspended = new Promise((resolve) => {
      this.#suspend = (wakeAt) => resolve({ suspended: { wakeAt } });
    });
  }

  /** What the function still does when the attempt is over has no effect here. */
  end(): void {
    this.#ended = true;
    if (this.#progressTimer !== undefined) this.#noteProgress();
  }

  progress(value: Json): void {
    this.#assertRunning();
    this.#progress = asJson("progress", value);
    this.#progressTimer ??= setTimeout(() => this.#noteProgress(), PROGRESS_EVERY_MS);
  }

  #noteProgress(): void {
    clearTimeout(this.#progressTimer);
    this.#progressTimer = undefined;
    const command = { job: "progress", hold: this.#hold, value: this.#progress };
    void this.#options.lane.submit(command).then(
      () => this.#options.changed(this.#job.id),
      () => {},
    );
  }

  /** Mails of which each has a key of its own, the same at every attempt that sends them in this order. */
  mailer(key: string): Mailer {
    let count = 0;
    return {
      send: async (mail) => {
        this.#assertRunning();
        const { mail: transport } = this.#options;
        const idempotencyKey = mail.idempotencyKey ?? `${key}:mail-${++count}`;
        return transport.send({ ...mail, idempotencyKey }, { signal: this.#signal });
      },
    };
  }

  /**
   * A transaction that is only made while the job is this attempt's: whoever was taken for dead, and
   * was not, changes nothing.
   * @param note Done in the same transaction, behind the work
   */
  async transact<T>(
    work: (transaction: JobTransaction) => Promise<T>,
    note: (on: Executor, result: T) => Promise<void> = async () => {},
  ): Promise<T> {
    this.#assertRunning();
    const { serving, lane, clock } = this.#options;
    let enqueuing: Enqueuing | undefined;
    const result = await lane.transact(async (tx) => {
      const on = executorOver(tx);
      if (!(await serving.queue.holds(on, this.#hold))) throw lostHold();
      enqueuing = new Enqueuing(serving, on, { owner: undefined, now: clock.now() });
      const returned = await work({ tx, enqueue: enqueuing.enqueue });
      await note(on, returned);
      return returned;
    });
    crashPoint("after-step");
    if (enqueuing?.wake !== undefined) this.#options.wake(enqueuing.wake);
    return result;
  }

  async steps(): Promise<Steps> {
    const { serving, reader, clock } = this.#options;
    const { number, id } = this.#job;
    const done = await serving.queue.steps(reader, number);
    const begun = new Set<string>();
    /** What is remembered of a step, or what comes of it now. One that failed may be tried again. */
    const once = async <T>(
      name: string,
      remembered: (step: StoredStep) => T,
      work: () => Promise<T>,
    ): Promise<T> => {
      this.#assertRunning();
      if (begun.has(name))
        throw new JobFailure("step-twice", `The workflow has two steps named "${name}".`);
      begun.add(name);
      const known = done.get(name);
      if (known !== undefined) return remembered(known);
      const working = work();
      this.#underWay.add(working);
      try {
        return await working;
      } catch (error) {
        begun.delete(name);
        throw error;
      } finally {
        this.#underWay.delete(working);
      }
    };
    const resultOf =
      <T>(name: string) =>
      ({ result, wakeAt }: StoredStep) => {
        if (wakeAt !== undefined) throw anotherStep(name);
        return result as T;
      };
    return {
      run: <T>(name: string, work: (step: StepContext) => Promise<T> | T) =>
        once<T>(name, resultOf(name), async () => {
          const key = `${id}:${name}`;
          const given = { key, signal: this.#signal, mail: this.mailer(key) };
          const result = asJson("result", await work(given));
          await this.#checkpoint({ name, result, wakeAt: undefined });
          return result as T;
        }),
      transaction: <T>(name: string, work: (given: JobTransaction) => Promise<T>) =>
        once<T>(name, resultOf(name), async () => {
          let result: unknown;
          await this.transact(work, async (on, returned) => {
            result = asJson("result", returned);
            const step = { name, result, wakeAt: undefined };
            await serving.queue.checkpoint(on, number, step, clock.now());
          });
          return result as T;
        }),
      sleep: async (name: string, duration: Duration) => {
        const span = readDuration(duration);
        const wakeAt = await once(
          name,
          (step) => {
            if (step.wakeAt === undefined) throw anotherStep(name);
            return step.wakeAt;
          },
          async () => {
            const end = clock.now() + span;
            await this.#checkpoint({ name, result: undefined, wakeAt: end });
            return end;
          },
        );
        if (wakeAt <= clock.now()) return;
        await this.#quiet();
        if (wakeAt <= clock.now()) return;
        this.#suspend(wakeAt);
        await new Promise<never>(() => {});
      },
    };
  }

  /** Resolves when no step is under way, and the last ones that were led to no other. */
  async #quiet(): Promise<void> {
    do {
      await Promise.allSettled(this.#underWay);
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#underWay.size > 0);
  }

  async #checkpoint(step: {
    readonly name: string;
    readonly result: unknown;
    readonly wakeAt: number | undefined;
  }): Promise<void> {
    this.#assertRunning();
    const now = this.#options.clock.now();
    const command = { job: "checkpoint", hold: this.#hold, step, now };
    crashPoint("before-step");
    if (!(await this.#options.lane.submit(command))) throw lostHold();
    crashPoint("after-step");
  }

  #assertRunning(): void {
    this.#signal.throwIfAborted();
    if (this.#ended) throw new Error("The attempt is over.");
  }
}

function lostHold(): Error {
  return new Error("The job is another worker's by now: this one was taken for dead.");
}

function anotherStep(name: string): Error {
  const message = `The step "${name}" was a step of another kind when it was done. Give the new one a name of its own.`;
  return Object.assign(new Error(message), { permanent: true });
}

/** Our own statements on a transaction that users' functions see as Kysely. */
function executorOver(tx: TransactionSql): Executor {
  return {
    execute: async (sql, parameters) => {
      const { rows } = await tx.executeQuery(CompiledQuery.raw(sql, [...parameters]));
      return rows as readonly Record<string, unknown>[];
    },
  };
}

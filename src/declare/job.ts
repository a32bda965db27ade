import { type Duration, milliseconds } from "../kernel/duration.ts";
import type { Json } from "../kernel/json.ts";
import type { Mailer } from "./mail.ts";
import type { InputOf, OutputOf, StandardSchema } from "./standard-schema.ts";
import type { TransactionSql } from "./transaction.ts";

/** Any declared job or workflow, for places that take whatever is declared. */
export interface AnyJob {
  readonly kind: "job" | "workflow";
  readonly name: string;
  readonly config: AnyJobConfig;
}

/** A declared job or workflow, with the types that its schema and its function gave it. */
export interface Job<Input = unknown, Result = unknown> extends AnyJob {
  /** Types only, never a value. */
  readonly "~types"?: { readonly input: Input; readonly result: Result };
}

/** When and how an enqueued job runs. */
export interface EnqueueOptions {
  /** How long to wait before the first attempt. */
  readonly delay?: Duration;
  /** Higher runs first, among jobs of one kind. Default: that of the declaration. */
  readonly priority?: number;
  /**
   * While a job of the kind with the same key waits or runs, no second one is made: the one that is
   * there is returned.
   */
  readonly unique?: string;
}

export interface EnqueuedJob {
  /** UUID; also the stable key of everything that the job does outside. */
  readonly id: string;
}

/** Puts a job into the queue, in the transaction that is open: it runs if that is committed. */
export type Enqueue = <Input>(
  job: Job<Input, unknown>,
  // The job alone says what it takes: whatever it was given would else be a type that it fits.
  input: NoInfer<Input>,
  options?: EnqueueOptions,
) => Promise<EnqueuedJob>;

/** A transaction of a job: the database alone may be awaited in it. */
export interface JobTransaction {
  readonly tx: TransactionSql;
  readonly enqueue: Enqueue;
}

/** What a job's function gets. */
export interface JobContext<Input> {
  readonly input: Input;
  /** UUID of the job. */
  readonly id: string;
  /**
   * The same for every attempt: give it to whoever honours keys (`Idempotency-Key`), and what the
   * job does there happens once.
   */
  readonly key: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborted when the attempt takes too long, when the job is cancelled, and when the server stops. */
  readonly signal: AbortSignal;
  /** Sends mails; see the docs page on mail. */
  readonly mail: Mailer;
  /** Tells how far the job is; shown by its status monitor. */
  readonly progress: (value: Json) => void;
  /**
   * A transaction, which holds the commit lane for its few statements. An attempt after a crash
   * runs it again; what must happen once is a step of a workflow.
   */
  readonly transaction: <T>(work: (transaction: JobTransaction) => Promise<T>) => Promise<T>;
}

/** What a step's function gets. */
export interface StepContext {
  /** The same for every attempt of this step, and different for every step. */
  readonly key: string;
  readonly signal: AbortSignal;
  /** Sends mails, each with a key of this step. */
  readonly mail: Mailer;
}

/** The steps of a workflow. A step that was done is not done again: its result is remembered. */
export interface Steps {
  /** A step with effects outside: at least once, with a stable key. Its result must be JSON. */
  readonly run: <T>(name: string, work: (step: StepContext) => Promise<T> | T) => Promise<T>;
  /** A step in the database alone: exactly once, together with the note that it was done. */
  readonly transaction: <T>(
    name: string,
    work: (transaction: JobTransaction) => Promise<T>,
  ) => Promise<T>;
  /** Waits, also for days: nothing is kept in memory, and a restart changes nothing. */
  readonly sleep: (name: string, duration: Duration) => Promise<void>;
}

/** What a workflow's function gets. */
export interface WorkflowContext<Input> extends Omit<JobContext<Input>, "transaction" | "mail"> {
  readonly step: Steps;
}

interface CommonConfig<S extends StandardSchema, Result> {
  /** A Standard Schema of what the job is given. It is kept as JSON. */
  readonly input: S;
  /** Attempts before the job is given up, the first included. Default 10. */
  readonly attempts?: number;
  /** The wait behind a failed attempt: it doubles from `first` to `most`. Default 1 second to 1 hour. */
  readonly backoff?: { readonly first?: Duration; readonly most?: Duration };
  /** How long an attempt may take. Default `"1 minute"`. */
  readonly timeout?: Duration;
  /** Jobs of the kind that run at the same time, in one process. Default 10. */
  readonly concurrency?: number;
  /** Higher runs first. Default 0. */
  readonly priority?: number;
  /** How long the record of a finished job is kept. Default `"1 day"`. */
  readonly keep?: Duration;
  /** Path of what the job has made, below the API's base path: its monitor leads there with a 303. */
  readonly location?: (result: Awaited<Result>) => `/${string}`;
  /** A cron expression: a job with the input `{}` is made whenever it comes true. */
  readonly schedule?: string;
  /** IANA time zone of the schedule. Default `"UTC"`. */
  readonly timeZone?: string;
  /** A sentence for the documentation. */
  readonly description?: string;
}

/** The options of `job()`. */
export interface JobConfig<S extends StandardSchema, Result> extends CommonConfig<S, Result> {
  readonly run: (context: JobContext<OutputOf<S>>) => Promise<Result> | Result;
}

/** The options of `workflow()`. */
export interface WorkflowConfig<S extends StandardSchema, Result> extends CommonConfig<S, Result> {
  readonly run: (context: WorkflowContext<OutputOf<S>>) => Promise<Result> | Result;
}

export type AnyJobConfig = {
  readonly [Option in keyof JobConfig<StandardSchema, unknown>]: unknown;
};

/**
 * Declares a job: work that is done after the answer, and again until it succeeds.
 * @param name Lower case, words joined by `-`: `welcome-mail`.
 */
export function job<S extends StandardSchema, Result>(
  name: string,
  config: JobConfig<S, Result>,
): Job<InputOf<S>, Awaited<Result>> {
  return Object.freeze({ kind: "job", name, config });
}

/**
 * Declares a workflow: a job of several steps, each of which is done once and remembered.
 * @param name Lower case, words joined by `-`: `order-payment`.
 */
export function workflow<S extends StandardSchema, Result>(
  name: string,
  config: WorkflowConfig<S, Result>,
): Job<InputOf<S>, Awaited<Result>> {
  return Object.freeze({ kind: "workflow", name, config });
}

/**
 * Thrown by a job that can't succeed, however often it is tried. Its code and its sentence are
 * shown to whoever may see the job.
 */
export class JobFailure extends Error {
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.name = "JobFailure";
    this.code = code;
  }
}

/** A job in its normal form: every default filled in. */
export interface JobModel {
  readonly name: string;
  readonly kind: "job" | "workflow";
  readonly input: StandardSchema;
  readonly run: (context: unknown) => unknown;
  readonly attempts: number;
  readonly backoff: { readonly firstMs: number; readonly mostMs: number };
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly priority: number;
  readonly keepMs: number;
  readonly location: ((result: unknown) => string) | undefined;
  readonly schedule: { readonly cron: string; readonly timeZone: string } | undefined;
  readonly description: string | undefined;
}

const span = (duration: unknown, otherwise: number) =>
  duration === undefined ? otherwise : milliseconds(duration as Duration);

/** Compiles a verified declaration. */
export function jobModelOf({ kind, name, config }: AnyJob): JobModel {
  const backoff = (config.backoff ?? {}) as { first?: Duration; most?: Duration };
  return Object.freeze<JobModel>({
    name,
    kind,
    input: config.input as StandardSchema,
    run: config.run as JobModel["run"],
    attempts: (config.attempts ?? 10) as number,
    backoff: { firstMs: span(backoff.first, 1_000), mostMs: span(backoff.most, 3_600_000) },
    timeoutMs: span(config.timeout, 60_000),
    concurrency: (config.concurrency ?? 10) as number,
    priority: (config.priority ?? 0) as number,
    keepMs: span(config.keep, 86_400_000),
    location: config.location as JobModel["location"],
    schedule:
      config.schedule === undefined
        ? undefined
        : { cron: config.schedule as string, timeZone: (config.timeZone ?? "UTC") as string },
    description: config.description as string | undefined,
  });
}

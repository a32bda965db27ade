import type { JsonObject } from "../kernel/json.ts";
import type { AccessRule, Principal } from "./access.ts";
import type { Idempotency } from "./idempotency.ts";
import type { AnyJob, Enqueue, Job } from "./job.ts";
import type { AnyResource, Fail, RowOf } from "./resource.ts";
import type { InputOf, OutputOf, StandardSchema } from "./standard-schema.ts";
import type { TransactionSql } from "./transaction.ts";

/** Any declared action, for places that take whatever is declared. */
export interface AnyAction {
  readonly kind: "action";
  readonly name: string;
  readonly config: AnyActionConfig;
}

/** What an action's function gets. */
export interface ActionContext<Input, Row> {
  /** The body, validated; `undefined` where the action takes none. */
  readonly input: Input;
  /** What the path names, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The record that the action is on, as it is now; `undefined` where it is on none. */
  readonly row: Row;
  readonly principal: Principal | null;
  /** Milliseconds since the Unix epoch, when the request came. */
  readonly now: number;
  /** The database, in the transaction of the request. Nothing else may be awaited. */
  readonly tx: TransactionSql;
  readonly enqueue: Enqueue;
  readonly fail: Fail;
  /** Ends the action with a 409: what it is on is not in a state that allows it. */
  readonly conflict: (code: string, detail: string) => never;
}

/** What every action has. */
interface CommonConfig<S extends StandardSchema, On extends AnyResource> {
  /**
   * The resource whose record it acts on: `on: orders` puts the action under `/orders/{id}/…`, and
   * gives its function the record. A record that is not there is a 404.
   */
  readonly on?: On;
  /** Template below the API's base path. Default `/NAME`, below the record where there is one. */
  readonly path?: `/${string}`;
  /** A Standard Schema of the body; without one the action takes no body. */
  readonly input?: S;
  /** Who may. */
  readonly access: AccessRule;
  /** What becomes of an `Idempotency-Key`. Require one where it costs money or sends something. */
  readonly idempotency?: Idempotency;
  /** Bytes of a body at the most. Default 262,144. */
  readonly maxBodyBytes?: number;
  /** A sentence for the documentation. */
  readonly description?: string;
  /** A body, for the documentation; checked against the schema at boot. */
  readonly example?: JsonObject;
}

type Given<S extends StandardSchema> = unknown extends OutputOf<S> ? undefined : OutputOf<S>;

type RowOn<On extends AnyResource> = unknown extends RowOf<On> ? undefined : RowOf<On>;

/** The options of an `action()` that is done when it is answered. */
export interface ActionConfig<
  S extends StandardSchema,
  Out extends StandardSchema,
  On extends AnyResource,
> extends CommonConfig<S, On> {
  /** A Standard Schema of the result. Without one the answer has no body. */
  readonly output?: Out;
  /** Default 200, or 204 without an output. 201 says that something was made. */
  readonly status?: 200 | 201 | 204;
  /** Path of what was made, for `Location`: below the API's base path. */
  readonly location?: (output: OutputOf<Out>) => `/${string}`;
  readonly starts?: undefined;
  /** Runs inside the transaction. */
  readonly run: (
    context: ActionContext<Given<S>, RowOn<On>>,
  ) => (unknown extends InputOf<Out> ? unknown : InputOf<Out>) | Promise<InputOf<Out>>;
}

/** The options of an `action()` that only begins its work: it is answered 202. */
export interface StartingActionConfig<S extends StandardSchema, On extends AnyResource, JobInput>
  extends CommonConfig<S, On> {
  /** The job or workflow that does the work. Its status monitor is in `Location`. */
  readonly starts: Job<JobInput, unknown>;
  /** Runs inside the transaction, and returns what the job is given. */
  readonly run: (
    context: ActionContext<Given<S>, RowOn<On>>,
  ) => NoInfer<JobInput> | Promise<NoInfer<JobInput>>;
}

export type AnyActionConfig = {
  readonly [Option in
    | keyof ActionConfig<StandardSchema, StandardSchema, AnyResource>
    | keyof StartingActionConfig<StandardSchema, AnyResource, unknown>]?: unknown;
};

export interface Action extends AnyAction {}

/**
 * Declares an action: a POST that is not a create.
 * @param name Lower case, words joined by `-`: `payments`, `send-again`.
 */
export function action<
  S extends StandardSchema = StandardSchema<unknown, unknown>,
  const On extends AnyResource = AnyResource,
  JobInput = unknown,
>(name: string, config: StartingActionConfig<S, On, JobInput>): Action;
export function action<
  S extends StandardSchema = StandardSchema<unknown, unknown>,
  Out extends StandardSchema = StandardSchema<unknown, unknown>,
  const On extends AnyResource = AnyResource,
>(name: string, config: ActionConfig<S, Out, On>): Action;
export function action(name: string, config: AnyActionConfig): Action {
  return Object.freeze({ kind: "action", name, config });
}

/** The job that an action starts, as declared. */
export function startedBy({ config }: AnyAction): AnyJob | undefined {
  return config.starts as AnyJob | undefined;
}

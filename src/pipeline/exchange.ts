import type { ConditionalHeaders } from "../content/conditions.ts";
import type { Preferences } from "../content/preferences.ts";
import type { Principal } from "../declare/access.ts";
import type { ResourceModel } from "../declare/model.ts";
import type { ActionOperation, Operation, ResourceOperation } from "../declare/operation.ts";
import type { Claim } from "../idempotency/ledger.ts";
import type { Json } from "../kernel/json.ts";
import type { Observe } from "../kernel/observations.ts";
import type { Executor, Lane } from "../store/port.ts";
import type { RowId } from "../store/rows.ts";
import type { Serving } from "./serving.ts";
import type { WriteInput } from "./transaction/unit.ts";
import type { Underway } from "./underway.ts";
import type { Work } from "./work.ts";

/**
 * A request on its way through the stages. Every stage takes what the one before it made sure of,
 * so an order that skips a check does not compile.
 */
export interface Received {
  readonly serving: Serving;
  readonly lane: Lane;
  readonly reader: Executor;
  readonly observe: Observe;
  readonly underway: Underway;
  readonly work: Work;
  /** Milliseconds since the Unix epoch, when the request came. */
  readonly now: number;
  readonly requestId: string;
  readonly operation: Operation;
  readonly method: string;
  /** As sent, with the base path, without the query. */
  readonly path: string;
  /** The query as sent, without its `?`. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Reads the whole body, and no more than this many bytes of it. */
  readonly readBody: (maxBytes: number) => Promise<Buffer>;
}

export interface Authenticated extends Received {
  readonly principal: Principal | null;
}

/** The caller may call the operation. */
export interface Admitted extends Authenticated {
  readonly admitted: true;
}

/** The answer's form is agreed. */
export interface Negotiated extends Admitted {
  /** Media type of the answer. */
  readonly accepted: string;
  readonly preferences: Preferences;
}

/** The path names something that can exist. */
export interface Located extends Negotiated {
  readonly operation: ResourceOperation | ActionOperation;
  /** Ids of the parents, outermost first. */
  readonly parentIds: readonly RowId[];
  /** `undefined` at a collection. */
  readonly id: RowId | undefined;
}

/** What the request says of its own repetition, and of the state that it changes. */
export interface Preconditioned extends Located {
  /** The idempotency key, where one was sent and the operation takes it. */
  readonly key: string | undefined;
  readonly conditions: ConditionalHeaders | undefined;
}

export interface Decoded extends Preconditioned {
  readonly mediaType: string;
  /** `undefined` where the operation takes no body. */
  readonly payload: Json | undefined;
}

/** All that can be judged without the record was. */
export interface Validated extends Decoded {
  readonly input: WriteInput;
}

export interface Claimed extends Preconditioned {
  readonly input: WriteInput;
  /** What the request wants to be the first of; `undefined` where it may well be repeated. */
  readonly claim: Claim | undefined;
}

/** The resource of an exchange that the table of lives leads through stages of resources. */
export function resourceOf({ operation }: Located): ResourceModel {
  return (operation as ResourceOperation).resource;
}

/** One header field; several lines of it are one list (RFC 9110 section 5.3). */
export function header({ headers }: Received, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

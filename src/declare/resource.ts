import type { Json, JsonObject } from "../kernel/json.ts";
import type { AccessRule, Principal } from "./access.ts";
import type { Idempotency } from "./idempotency.ts";
import type { Enqueue } from "./job.ts";
import type { OutputOf, StandardSchema } from "./standard-schema.ts";
import type { TransactionSql } from "./transaction.ts";

/** How ids come about. */
export type IdKind =
  /** 1, 2, 3 … given by the database and never reused. The default. */
  | "integer"
  /** UUID version 7 given by the server: sorts by time, says nothing about how many there are. */
  | "uuid"
  /** Chosen by the client with `PUT /things/{id}`; a POST gives a UUID version 7. */
  | "client";

/** Any declared resource, for places that take whatever is declared. */
export interface AnyResource {
  readonly kind: "resource";
  readonly name: string;
  readonly config: AnyResourceConfig;
}

/** A declared resource, with the types that its schema gave it. */
export interface Resource<Row = unknown, Id extends IdKind = IdKind> extends AnyResource {
  /** Types only, never a value: what a stored record looks like, and what its id is. */
  readonly "~types"?: { readonly row: Row; readonly id: Id };
}

/** What a stored record of a declared resource looks like. */
export type RowOf<R extends AnyResource> = R extends Resource<infer Row, IdKind> ? Row : never;

type FieldName<S extends StandardSchema> = Extract<keyof OutputOf<S>, string>;

type IdValue<Id extends IdKind> = Id extends "integer" ? number : string;

type ParentKeys<Parents> = {
  readonly [Name in Extract<keyof Parents, string> as `${Name}Id`]: Parents[Name] extends Resource<
    unknown,
    infer Id
  >
    ? IdValue<Id>
    : never;
};

type Timestamps<T extends boolean> = T extends true
  ? { readonly createdAt: string; readonly updatedAt: string }
  : unknown;

export type Row<S extends StandardSchema, Id extends IdKind, Parents, T extends boolean> = Readonly<
  OutputOf<S> & object
> & { readonly id: IdValue<Id> } & ParentKeys<Parents> &
  Timestamps<T>;

/**
 * Marks a fault at a place in the body, by declared names: `/email`, `/lines/0/quantity`, or `""` for
 * the whole of it. Every fault of a request is answered at once, with 422. Without a detail, the
 * code serves as one.
 */
export type Fail = (pointer: "" | `/${string}`, code: string, detail?: string) => void;

/** What a business rule gets. */
export interface RuleContext<Input, Stored> {
  /** The record as it will be stored, validated, without its id. */
  readonly input: Input;
  /** The record as it is stored now; `undefined` when it is being created. */
  readonly row: Stored | undefined;
  readonly principal: Principal | null;
  readonly tx: TransactionSql;
  readonly fail: Fail;
}

/** What `created` and `deleted` get. */
export interface HookContext<Stored> {
  /** The record as written, hidden fields included; when deleted, as it was. */
  readonly row: Stored;
  readonly principal: Principal | null;
  readonly tx: TransactionSql;
  /** Puts a job into the queue, in the same transaction. */
  readonly enqueue: Enqueue;
  readonly fail: Fail;
}

/** What `updated` gets. */
export interface UpdateHookContext<Stored> extends HookContext<Stored> {
  /** The record as it was before. */
  readonly before: Stored;
}

/** What a function in `set` gets. It runs before the transaction, and must not await. */
export interface SetContext {
  readonly principal: Principal | null;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** The options of `resource()`. */
export interface ResourceConfig<
  S extends StandardSchema,
  Id extends IdKind,
  Parents extends Readonly<Record<string, AnyResource>>,
  T extends boolean,
> {
  /** A Standard Schema of an object, with JSON Schema output (zod >= 4.2, arktype). */
  readonly schema: S;
  /** Who may do what. Every operation needs a word; `nobody` takes it away. */
  readonly access: {
    readonly create: AccessRule;
    /** GET and HEAD, of one record and of the list. */
    readonly read: AccessRule;
    /** PUT and PATCH. */
    readonly update: AccessRule;
    readonly delete: AccessRule;
  };
  /** Default `"integer"`. */
  readonly id?: Id;
  /**
   * The resource that records belong to: `{ post: posts }` puts this one under
   * `/posts/{postId}/…` and gives its records a `postId`.
   */
  readonly parent?: Parents;
  /** Fields whose value no two records share; an array for values that are unique together. */
  readonly unique?: readonly (
    | FieldName<S>
    | readonly (FieldName<S> | keyof ParentKeys<Parents>)[]
  )[];
  /** Shown to clients, never written by them. */
  readonly readOnly?: readonly FieldName<S>[];
  /** Written by clients, never shown to them. */
  readonly writeOnly?: readonly FieldName<S>[];
  /** Neither shown to clients nor written by them. */
  readonly hidden?: readonly FieldName<S>[];
  /** Values that the server gives on creation. Such fields can't be written by clients. */
  readonly set?: {
    readonly [F in FieldName<S>]?:
      | Extract<OutputOf<S>[F], Json>
      | ((context: SetContext) => OutputOf<S>[F]);
  };
  /** Business rules, run inside the transaction, before a record is made or changed. */
  readonly rules?: readonly ((
    context: RuleContext<
      Readonly<OutputOf<S> & object> & ParentKeys<Parents>,
      Row<S, Id, Parents, T>
    >,
  ) => unknown)[];
  /** Runs inside the transaction, after the record was made. */
  readonly created?: (context: HookContext<Row<S, Id, Parents, T>>) => unknown;
  /** Runs inside the transaction, after the record was changed. */
  readonly updated?: (context: UpdateHookContext<Row<S, Id, Parents, T>>) => unknown;
  /** Runs inside the transaction, after the record was deleted; not when its parent's deletion took it along. */
  readonly deleted?: (context: HookContext<Row<S, Id, Parents, T>>) => unknown;
  readonly list?: {
    /**
     * Fields that a list can be filtered by; each gets an index. A visible field that is unique by
     * itself always can.
     */
    readonly filter?: readonly (
      | FieldName<S>
      | (T extends true ? "createdAt" | "updatedAt" : never)
    )[];
    /** Fields that a list can be sorted by; each gets an index. `id` always can. */
    readonly sort?: readonly (
      | FieldName<S>
      | (T extends true ? "createdAt" | "updatedAt" : never)
    )[];
    /** Records a page, where the client does not say. Default 20. */
    readonly limit?: number;
    /** Records a page at the most. Default 100. */
    readonly maxLimit?: number;
  };
  /** Adds `createdAt` and `updatedAt` (RFC 3339, UTC), kept by the server. Default false. */
  readonly timestamps?: T;
  /**
   * What becomes of these records when the one that they belong to is deleted: that is refused with
   * a 409 (`"refuse"`, the default), or they go with it (`"cascade"`).
   */
  readonly onParentDelete?: "refuse" | "cascade";
  /** Bytes of a body at the most. Default 262,144. */
  readonly maxBodyBytes?: number;
  /** What becomes of an `Idempotency-Key`. By default a POST takes one, and a PATCH ignores it. */
  readonly idempotency?: { readonly create?: Idempotency; readonly patch?: Idempotency };
  /** Whether PUT, PATCH and DELETE must say with `If-Match` which state they change. Default `"optional"`. */
  readonly ifMatch?: "optional" | "required";
  /** A sentence for the documentation. */
  readonly description?: string;
  /** A body that creates a record, for the documentation; checked against the schema at boot. */
  readonly example?: JsonObject;
}

export type AnyResourceConfig = {
  readonly [Option in keyof ResourceConfig<StandardSchema, IdKind, never, boolean>]: unknown;
};

/**
 * Declares a resource: a table, and the operations on it.
 * @param name Plural, lower case, words joined by `-`: `order-items` is the path `/order-items` and the
 * table `order_items`.
 */
export function resource<
  S extends StandardSchema,
  Id extends IdKind = "integer",
  const Parents extends Readonly<Record<string, AnyResource>> = Record<never, never>,
  T extends boolean = false,
>(name: string, config: ResourceConfig<S, Id, Parents, T>): Resource<Row<S, Id, Parents, T>, Id> {
  return Object.freeze({ kind: "resource", name, config });
}

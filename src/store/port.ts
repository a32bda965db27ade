import type { FieldKind } from "../declare/fields.ts";
import type { TransactionSql } from "../declare/transaction.ts";

/**
 * The port of the store. Everything above it speaks of units, rows and transactions; everything
 * that is one engine's own stands below, in a folder of its own.
 */

export type SqlRow = Readonly<Record<string, unknown>>;

/** Runs one statement inside the transaction or snapshot that it belongs to. */
export interface Executor {
  execute(
    sql: string,
    parameters: readonly unknown[],
  ): readonly SqlRow[] | Promise<readonly SqlRow[]>;
}

/** A transaction as a unit of work sees it. */
export interface Transaction extends Executor {
  /** Takes back all that the unit has done so far, and nothing of others. What follows counts. */
  undo(): void;
  /** Kysely over the same transaction, for users' rules and hooks. Closed when the unit ends. */
  readonly sql: TransactionSql;
}

/**
 * A unit of work by name: plain data that travels to wherever the writer is. What it means is
 * known to `Perform`, which the writer was started with.
 */
export type Unit = unknown;

/**
 * Does a unit's work.
 * @returns what the caller gets once everything is durable; plain data
 * @throws StoreError, or anything else that the unit alone fails by: it is rolled back
 */
export type Perform = (unit: Unit, transaction: Transaction) => unknown;

/**
 * The way in for writes (DESIGN, the commit lane). Promises settle after the commit is durable;
 * a rejection is a StoreError, and means that nothing was committed unless it says otherwise.
 */
export interface Lane {
  /**
   * By name: runs where the writer is, together with whatever else waits. When a writer dies, what
   * it had not committed is handed to the next one, save for the unit that had it then.
   */
  submit(unit: Unit, options?: SubmitOptions): Promise<unknown>;
  /**
   * Interactively: a closure here holds the lane for its round trips. While it does, no other
   * write proceeds; past the bound it is rolled back, and its next statement fails.
   */
  transact<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T>;
}

export interface SubmitOptions {
  /**
   * A second time does nothing but tell the outcome of the first: the unit is handed on even where it
   * was committed, and only its answer was lost.
   */
  readonly repeatable?: boolean;
}

export type Health = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface Store {
  readonly lane: Lane;
  /** Reads on a connection of its own: sees everything committed, waits for no writer. */
  readonly reader: Executor;
  readonly engine: Engine;
  health(): Health;
  /** Finishes what was submitted, then closes. */
  close(): Promise<void>;
}

/** What differs between engines in the statements that we write ourselves. */
export interface Engine {
  readonly name: "sqlite";
  /** Compiles a query; nothing is executed. */
  readonly compiler: TransactionSql;
  encode(kind: FieldKind, value: unknown): unknown;
  decode(kind: FieldKind, value: unknown): unknown;
}

export type StoreErrorKind =
  /** A unique index refused the row: `columns` tells which. */
  | "unique"
  /** A foreign key refused the row. */
  | "reference"
  /** No space left for the change. */
  | "full"
  /** The disk failed: what was to be made durable may not be. */
  | "io"
  /** Locked by somebody else for too long. */
  | "busy"
  /** More is waiting than the lane takes. */
  | "overloaded"
  /** The writer is away; nothing of the unit was committed. */
  | "writer-lost"
  /** The unit brought the writer down, or held it for too long. It was stopped, and it alone. */
  | "broke-the-writer"
  /** The writer died between the commit and the answer: the unit is durable, its outcome lost. */
  | "outcome-lost"
  /** A unit held the lane for too long and was rolled back. */
  | "held-too-long"
  /** A unit waited for something that is not the database. */
  | "foreign-wait"
  /** The store was closed. */
  | "closed"
  /** The file, folder or server can't be used; the message is a sentence for the operator. */
  | "unusable"
  /** Anything else that the engine reports. */
  | "failed";

export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  readonly columns: readonly string[];

  constructor(
    kind: StoreErrorKind,
    message: string,
    options: { cause?: unknown; columns?: readonly string[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StoreError";
    this.kind = kind;
    this.columns = options.columns ?? [];
  }
}

import { constants, DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type Executor, type SqlRow, StoreError } from "../port.ts";
import { storeError } from "./errors.ts";

/** Statements kept prepared; a connection that meets more begins anew. */
const MAX_STATEMENTS = 500;

export interface StatementResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/**
 * What a user's statement must not do (https://sqlite.org/c3ref/c_alter_table.html): end the
 * transaction that all units of a turn share, or change the connection.
 */
const CONTROL: ReadonlySet<number> = new Set([
  constants.SQLITE_TRANSACTION,
  constants.SQLITE_SAVEPOINT,
  constants.SQLITE_ATTACH,
  constants.SQLITE_DETACH,
  constants.SQLITE_PRAGMA,
]);

/** One connection to a database file, with its statements prepared once. Synchronous. */
export class SqliteConnection implements Executor {
  readonly database: DatabaseSync;
  readonly #own = new Map<string, StatementSync>();
  /** Apart from our own: a user's COMMIT must not find ours. */
  readonly #users = new Map<string, StatementSync>();
  #preparingForUser = false;

  constructor(path: string, options: { readonly readOnly: boolean }) {
    this.database = new DatabaseSync(path, {
      readOnly: options.readOnly,
      timeout: 5_000,
      enableForeignKeyConstraints: true,
    });
    try {
      if (!options.readOnly) {
        this.database.exec("PRAGMA journal_mode = WAL");
        // A 2xx leaves only after the commit is on disk: in WAL mode that needs FULL.
        this.database.exec("PRAGMA synchronous = FULL");
        // The checkpointer copies pages back long before; if it can't keep up, a commit does it, so
        // that the log stays below some 80 MiB.
        this.database.exec("PRAGMA wal_autocheckpoint = 20000");
      }
      this.database.exec("PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY");
      this.database.setAuthorizer((action) =>
        this.#preparingForUser && CONTROL.has(action) ? constants.SQLITE_DENY : constants.SQLITE_OK,
      );
    } catch (error) {
      this.database.close();
      throw error;
    }
  }

  execute(sql: string, parameters: readonly unknown[]): SqlRow[] {
    try {
      return this.#prepare(this.#own, sql).all(...(parameters as SQLInputValue[])) as SqlRow[];
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Runs a user's statement, within the transaction that is open and under its control only. */
  runForUser(sql: string, parameters: readonly unknown[]): StatementResult {
    // Some conflicts end the transaction (OR ROLLBACK); what followed would commit by itself.
    if (!this.inTransaction) {
      throw new StoreError("failed", "The database has ended the transaction.");
    }
    const statement = this.#prepareForUser(sql);
    const values = parameters.map(bindable);
    try {
      if (statement.columns().length > 0) {
        const rows = statement.all(...values) as SqlRow[];
        return { rows, changes: rows.length, lastInsertRowid: 0 };
      }
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], changes: Number(changes), lastInsertRowid };
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Whether a transaction is open. SQLite ends one by itself after some errors (full disk, I/O). */
  get inTransaction(): boolean {
    return this.database.isTransaction;
  }

  close(): void {
    this.#own.clear();
    this.#users.clear();
    this.database.close();
  }

  #prepareForUser(sql: string): StatementSync {
    // The authorizer is not asked about it, and it would fail in a transaction with other words.
    if (/^\W*vacuum\b/i.test(sql)) throw refusal(sql);
    this.#preparingForUser = true;
    try {
      return this.#prepare(this.#users, sql);
    } catch (error) {
      if (error instanceof StoreError && /not authorized/.test(error.message)) {
        throw refusal(sql);
      }
      throw error;
    } finally {
      this.#preparingForUser = false;
    }
  }

  #prepare(statements: Map<string, StatementSync>, sql: string): StatementSync {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      try {
        statement = this.database.prepare(sql);
      } catch (error) {
        throw storeError(error);
      }
      statements.set(sql, statement);
    }
    return statement;
  }
}

function refusal(sql: string): StoreError {
  return new StoreError(
    "failed",
    `Not inside a transaction of the lane: ${sql.trim().slice(0, 60)}`,
  );
}

/** What users hand to Kysely, made into what SQLite takes. */
function bindable(value: unknown): SQLInputValue {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.toISOString();
  return value as SQLInputValue;
}

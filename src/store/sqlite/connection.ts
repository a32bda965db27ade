import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Executor, SqlRow } from "../port.ts";
import { storeError } from "./errors.ts";

/** Statements kept prepared; a connection that meets more begins anew. */
const MAX_STATEMENTS = 500;

export interface StatementResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/** One connection to a database file, with its statements prepared once. Synchronous. */
export class SqliteConnection implements Executor {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

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
        // Pages that many turns touch are copied back once. Four times the default measured best:
        // the log stays below 16 MiB, and commits cost a fifth less.
        this.database.exec("PRAGMA wal_autocheckpoint = 4000");
      }
      this.database.exec("PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY");
    } catch (error) {
      this.database.close();
      throw error;
    }
  }

  execute(sql: string, parameters: readonly unknown[]): SqlRow[] {
    try {
      return this.#prepare(sql).all(...(parameters as SQLInputValue[])) as SqlRow[];
    } catch (error) {
      throw storeError(error);
    }
  }

  /** As `execute`, for callers that need the number of changed rows too. */
  run(sql: string, parameters: readonly unknown[]): StatementResult {
    const statement = this.#prepare(sql);
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
    this.#statements.clear();
    this.database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      try {
        statement = this.database.prepare(sql);
      } catch (error) {
        throw storeError(error);
      }
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** What users hand to Kysely, made into what SQLite takes. */
function bindable(value: unknown): SQLInputValue {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.toISOString();
  return value as SQLInputValue;
}

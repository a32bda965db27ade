import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  DummyDriver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { TransactionSql } from "../../declare/transaction.ts";
import type { Engine } from "../port.ts";
import { StoreError } from "../port.ts";
import type { StatementResult } from "./connection.ts";

export const sqliteEngine: Engine = {
  name: "sqlite",
  compiler: new Kysely({ dialect: dialect(new DummyDriver()) }),
  encode(kind, value) {
    if (value === undefined || value === null) return null;
    if (kind === "boolean") return value ? 1 : 0;
    return kind === "json" ? JSON.stringify(value) : value;
  },
  decode(kind, value) {
    if (value === null) return null;
    if (kind === "boolean") return value === 1;
    return kind === "json" ? JSON.parse(value as string) : value;
  },
};

/** Where Kysely's statements go: to the connection beside us, or to the writer thread. */
export type RunStatement = (
  sql: string,
  parameters: readonly unknown[],
) => StatementResult | Promise<StatementResult>;

/**
 * Kysely over a transaction that somebody else began and will end. Its own transaction calls are
 * refused: a commit in the middle would tear the unit apart.
 */
export function kyselyOver(run: RunStatement): TransactionSql {
  return new Kysely({ dialect: dialect(new BorrowedDriver(run)) });
}

function dialect(driver: Driver): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class BorrowedDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(run: RunStatement) {
    this.#connection = {
      async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
        const { rows, changes, lastInsertRowid } = await run(sql, parameters);
        return {
          rows: rows as R[],
          numAffectedRows: BigInt(changes),
          insertId: BigInt(lastInsertRowid),
        };
      },
      // biome-ignore lint/correctness/useYield: a generator is what the interface asks for.
      async *streamQuery(): AsyncIterableIterator<never> {
        throw new StoreError("failed", "Rows can't be streamed inside a transaction of the lane.");
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(): Promise<void> {
    throw new StoreError(
      "failed",
      "The code runs inside a transaction already: use tx itself, not tx.transaction().",
    );
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async destroy(): Promise<void> {}
}

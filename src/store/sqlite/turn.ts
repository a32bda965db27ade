import type { TransactionSql } from "../../declare/transaction.ts";
import { crashPoint } from "../../kernel/crash-points.ts";
import { type Perform, StoreError, type Transaction, type Unit } from "../port.ts";
import { failureOf, type UnitResult } from "./call.ts";
import { type CommitGate, enterCommit, leaveCommit, setUnderWay } from "./commit-gate.ts";
import type { SqliteConnection } from "./connection.ts";
import { kyselyOver } from "./engine.ts";
import { storeError } from "./errors.ts";

const REMEMBER =
  "INSERT INTO posthaste_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/**
 * A turn of the lane: one transaction, a savepoint for each unit, one commit. A unit that fails is
 * rolled back alone; when the commit fails, every unit in it fails, and nobody was told otherwise.
 * @param last Number of the last unit, kept with the data: it tells what became durable, should the
 * writer die before it could answer.
 */
export async function runTurn(
  connection: SqliteConnection,
  writer: { readonly instance: string; readonly gate: CommitGate },
  last: number,
  units: readonly Unit[],
  perform: Perform,
): Promise<UnitResult[]> {
  const results: UnitResult[] = [];
  try {
    connection.execute("BEGIN IMMEDIATE", []);
    for (const [index, unit] of units.entries()) {
      setUnderWay(writer.gate, last - units.length + 1 + index);
      results.push(await runUnit(connection, unit, perform));
      crashPoint("in-turn");
      // After a full disk or an I/O error SQLite ends the transaction, the earlier units with it.
      if (!connection.inTransaction)
        throw new StoreError("failed", "The transaction was ended by the database.");
    }
    setUnderWay(writer.gate, undefined);
    commitRemembering(connection, writer, "last_unit", last);
    return results;
  } catch (error) {
    setUnderWay(writer.gate, undefined);
    rollBack(connection);
    const cause = results.find((result) => result.failure?.kind === "full")?.failure;
    const failure = cause ?? failureOf(storeError(error));
    return units.map(() => ({ outcome: undefined, failure }));
  }
}

/** Commits, and keeps the number of what becomes durable with it. */
export function commitRemembering(
  connection: SqliteConnection,
  { instance, gate }: { readonly instance: string; readonly gate: CommitGate },
  what: "last_unit" | "last_hold",
  number: number,
): void {
  connection.execute(REMEMBER, [`${what} ${instance}`, String(number)]);
  crashPoint("before-commit");
  if (!enterCommit(gate)) throw new StoreError("writer-lost", "The writer was given up.");
  try {
    connection.execute("COMMIT", []);
    crashPoint("after-commit");
  } finally {
    leaveCommit(gate);
  }
}

async function runUnit(
  connection: SqliteConnection,
  unit: Unit,
  perform: Perform,
): Promise<UnitResult> {
  const transaction = new UnitTransaction(connection);
  connection.execute("SAVEPOINT unit", []);
  try {
    const working = perform(unit, transaction);
    const outcome = working instanceof Promise ? await databaseOnly(working) : working;
    transaction.close();
    connection.execute("RELEASE unit", []);
    return { outcome, failure: undefined };
  } catch (error) {
    transaction.close();
    if (connection.inTransaction) {
      connection.execute("ROLLBACK TO unit", []);
      connection.execute("RELEASE unit", []);
    }
    return { outcome: undefined, failure: failureOf(storeError(error)) };
  }
}

function rollBack(connection: SqliteConnection): void {
  if (connection.inTransaction) connection.execute("ROLLBACK", []);
}

/**
 * Every statement here is answered at once, so a unit that only awaits the database settles before
 * the event loop turns. One that does not is waiting for something else while it holds the lane.
 */
function databaseOnly(working: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setImmediate(() =>
      reject(
        new StoreError(
          "foreign-wait",
          "Code inside a transaction waited for something that is not the database. Await tx only; do everything else before or after.",
        ),
      ),
    );
    working.then(resolve, reject).finally(() => clearImmediate(late));
  });
}

/** The transaction of one unit; dead once the unit has ended, whoever still holds it. */
class UnitTransaction implements Transaction {
  readonly #connection: SqliteConnection;
  #sql: TransactionSql | undefined;
  #open = true;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  execute(sql: string, parameters: readonly unknown[]) {
    this.#assertOpen();
    if (!this.#connection.inTransaction) {
      throw new StoreError("failed", "The database has ended the transaction.");
    }
    return this.#connection.execute(sql, parameters);
  }

  get sql(): TransactionSql {
    this.#sql ??= kyselyOver((sql, parameters) => {
      this.#assertOpen();
      return this.#connection.runForUser(sql, parameters);
    });
    return this.#sql;
  }

  undo(): void {
    this.execute("ROLLBACK TO unit", []);
  }

  close(): void {
    this.#open = false;
  }

  #assertOpen(): void {
    if (!this.#open) {
      throw new StoreError(
        "closed",
        "The transaction has ended: tx was used after the rule or hook returned.",
      );
    }
  }
}

import type { Perform, Unit } from "../port.ts";
import { SqliteConnection, type StatementResult } from "./connection.ts";
import { refuseControl, runTurn } from "./turn.ts";
import type { UnitResult, Writer } from "./writer.ts";

/** The writer in the thread that it is called from. The writer thread runs one of these, too. */
export class LocalWriter implements Writer {
  readonly trouble = undefined;
  readonly #connection: SqliteConnection;
  readonly #perform: Perform;

  constructor(path: string, perform: Perform) {
    this.#connection = new SqliteConnection(path, { readOnly: false });
    this.#perform = perform;
  }

  run(turn: number, units: readonly Unit[]): Promise<UnitResult[]> {
    return runTurn(this.#connection, turn, units, this.#perform);
  }

  async begin(): Promise<void> {
    this.#connection.execute("BEGIN IMMEDIATE", []);
  }

  async statement(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    return this.#connection.run(refuseControl(sql), parameters);
  }

  async end(commit: boolean): Promise<void> {
    if (!this.#connection.inTransaction) return;
    try {
      this.#connection.execute(commit ? "COMMIT" : "ROLLBACK", []);
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.execute("ROLLBACK", []);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }
}

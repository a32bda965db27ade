import { crashPoint } from "../../kernel/crash-points.ts";
import { type Perform, StoreError, type Unit } from "../port.ts";
import { type Call, failureOf, type Reply } from "./call.ts";
import type { CommitGate } from "./commit-gate.ts";
import { SqliteConnection, type StatementResult } from "./connection.ts";
import { commitRemembering, runTurn } from "./turn.ts";

export interface WriterOptions {
  readonly path: string;
  /** Units in a turn at the most; bounds how long the first of a turn waits for the commit. */
  readonly maxBatch: number;
  /** Names this store's writers, so that what became durable is told from other processes' units. */
  readonly instance: string;
  /** See CommitGate. */
  readonly gate: CommitGate;
}

/**
 * Owns the one writing connection. Calls are taken in their order; units that wait when a turn
 * begins go into it together. There is no timer: while one turn commits, the next one gathers.
 */
export class SqliteWriter {
  readonly #connection: SqliteConnection;
  readonly #perform: Perform;
  readonly #options: WriterOptions;
  readonly #answer: (reply: Reply) => void;
  /** Lets in what has come meanwhile. */
  readonly #gather: () => Promise<void> | undefined;
  readonly #calls: Exclude<Call, { call: "units" }>[] = [];
  /** Units behind the calls: `#order` says how many of them come before which call. */
  #units: Unit[] = [];
  #firstUnit = 0;
  #order: number[] = [];
  #held = false;
  #running = false;

  constructor(
    options: WriterOptions,
    perform: Perform,
    answer: (reply: Reply) => void,
    gather: () => Promise<void> | undefined,
  ) {
    this.#connection = new SqliteConnection(options.path, { readOnly: false });
    this.#options = options;
    this.#perform = perform;
    this.#answer = answer;
    this.#gather = gather;
  }

  receive(call: Call): void {
    if (call.call === "units") {
      if (this.#units.length === 0) this.#firstUnit = call.first;
      this.#units.push(...(JSON.parse(call.units) as Unit[]));
    } else {
      this.#calls.push(call);
      this.#order.push(this.#units.length);
    }
    if (!this.#running) {
      this.#running = true;
      this.#run().catch((error) => {
        // Nobody can be told any more by answers; the end of the thread tells everyone.
        setImmediate(() => {
          throw error;
        });
      });
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      const gathering = this.#gather();
      if (gathering !== undefined) await gathering;
      const [call] = this.#calls;
      // While the lane is held, units wait; what the holder asks for comes first.
      if (call !== undefined && (this.#held || this.#order[0] === 0)) {
        this.#calls.shift();
        this.#order.shift();
        this.#obey(call);
      } else if (this.#units.length > 0 && !this.#held) {
        await this.#turn();
      } else {
        break;
      }
    }
    this.#running = false;
  }

  async #turn(): Promise<void> {
    const size = Math.min(this.#order[0] ?? this.#units.length, this.#options.maxBatch);
    const units = size === this.#units.length ? this.#units : this.#units.slice(0, size);
    const first = this.#firstUnit;
    this.#units = size === this.#units.length ? [] : this.#units.slice(size);
    this.#firstUnit += size;
    this.#order = this.#order.map((before) => before - size);
    const results = await runTurn(
      this.#connection,
      this.#options,
      first + size - 1,
      units,
      this.#perform,
    );
    crashPoint("before-results");
    this.#answer({ reply: "results", first, results });
  }

  #obey(call: Exclude<Call, { call: "units" }>): void {
    try {
      this.#answer({ reply: "done", result: this.#do(call), failure: undefined });
    } catch (error) {
      this.#answer({ reply: "done", result: undefined, failure: failureOf(error) });
    }
  }

  #do(call: Exclude<Call, { call: "units" }>): StatementResult | undefined {
    switch (call.call) {
      case "begin":
        this.#connection.execute("BEGIN IMMEDIATE", []);
        this.#held = true;
        return undefined;
      case "statement":
        return this.#connection.runForUser(call.sql, call.parameters);
      case "end":
        crashPoint("in-hold");
        this.#held = false;
        this.#end(call);
        return undefined;
      case "close":
        this.#connection.close();
        return undefined;
    }
  }

  #end({ commit, hold }: Extract<Call, { call: "end" }>): void {
    // SQLite ends a transaction by itself after some errors, and a commit would promise nothing then.
    if (!this.#connection.inTransaction) {
      if (!commit) return;
      throw new StoreError("failed", "The database has ended the transaction.");
    }
    try {
      if (commit) commitRemembering(this.#connection, this.#options, "last_hold", hold);
      else this.#connection.execute("ROLLBACK", []);
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.execute("ROLLBACK", []);
      throw error;
    }
  }
}

import type { TransactionSql } from "../../declare/transaction.ts";
import type { Observe } from "../../kernel/observations.ts";
import { type Lane, StoreError, type SubmitOptions, type Unit } from "../port.ts";
import { type Call, errorOf, type Reply } from "./call.ts";
import type { StatementResult } from "./connection.ts";
import { kyselyOver } from "./engine.ts";
import type { Listener, Transport } from "./transport.ts";

export interface LaneOptions {
  /** Units under way at the most; one more is refused at once. */
  readonly maxWaiting: number;
  /** Milliseconds that an interactive transaction may hold the lane. */
  readonly maxHoldMs: number;
  /** Milliseconds without an answer after which the writer is taken for hung and replaced. */
  readonly writerTimeoutMs: number;
  /** Number of the last unit or interactive transaction that is durable, read on another connection. */
  readonly lastDurable: (what: "unit" | "hold") => number;
  /** Told that a turn is durable. */
  readonly committed: () => void;
  readonly connect: (listener: Listener) => Transport | Promise<Transport>;
  readonly observe: Observe;
}

interface Pending {
  /** The unit as JSON: it may have to be handed to another writer. */
  readonly text: string;
  readonly repeatable: boolean;
  /** Writers that have died with it. */
  deaths: number;
  resolve(outcome: unknown): void;
  reject(error: unknown): void;
}

/** Who was there at so many deaths is no bystander any more. */
const MAX_DEATHS = 3;

/** Milliseconds that units wait for the next writer. */
const ORPHANS_WAIT_MS = 5_000;
const RESTART_DELAYS_MS = [0, 50, 200, 1_000, 5_000];
const WATCH_EVERY_MS = 500;
/**
 * Units that are sent without waiting for the end of the pass: while the writer works on these, the
 * rest of the pass is still being read, and neither thread waits for the other.
 */
const CHUNK = 8;

/**
 * The commit lane, as seen from where requests are served. What one pass of the event loop brings
 * goes to the writer in one message; whatever waits there when a turn begins shares its commit.
 */
export class SqliteLane implements Lane, Listener {
  readonly #options: LaneOptions;
  #transport: Transport | undefined;
  /** Units that the writer has not answered, in the order of their numbers. */
  #pending: Pending[] = [];
  #firstPending: number;
  /** As JSON: a unit that has none is its own caller's fault, and told to that one. */
  #outbox: string[] = [];
  /** Units of a writer that died, for the next one. */
  #orphans: Pending[] = [];
  #done:
    | { resolve(result: StatementResult | undefined): void; reject(error: unknown): void }
    | undefined;
  #holds: Promise<unknown> = Promise.resolve();
  #holding = 0;
  #lastHold = 0;
  #deaths = 0;
  #givenUp = false;
  #answers = 0;
  #watch: NodeJS.Timeout | undefined;
  #closed = false;
  #idle: (() => void) | undefined;
  /** Undefined while the writer is well. */
  trouble: string | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#firstPending = options.lastDurable("unit") + 1;
  }

  async open(): Promise<void> {
    this.#transport = await this.#options.connect(this);
  }

  submit(unit: Unit, { repeatable = false }: SubmitOptions = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(closed());
    if (this.#transport === undefined) return Promise.reject(lost());
    if (this.#pending.length >= this.#options.maxWaiting) {
      return Promise.reject(new StoreError("overloaded", "Too many writes are waiting."));
    }
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(unit) ?? "null";
      this.#pending.push({ text, repeatable, deaths: 0, resolve, reject });
      const waiting = this.#outbox.push(text);
      if (waiting === CHUNK) this.#sendUnits();
      else if (waiting === 1) setImmediate(() => this.#sendUnits());
      this.#startWatch();
    });
  }

  transact<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    if (this.#holding >= this.#options.maxWaiting) {
      return Promise.reject(new StoreError("overloaded", "Too many transactions are waiting."));
    }
    this.#holding++;
    this.#startWatch();
    return new Promise((resolve, reject) => {
      this.#holds = this.#holds
        .then(() => this.#hold(work, resolve, reject))
        .catch(reject)
        .then(() => {
          this.#holding--;
          this.#settleIdle();
        });
    });
  }

  /**
   * Takes nothing new, waits for everything that was submitted, and closes the writer.
   * @param idle Called when all was answered, before the writer closes.
   */
  async close(idle: () => Promise<void>): Promise<void> {
    this.#closed = true;
    if (this.#transport === undefined) this.#disown();
    if (this.#pending.length > 0 || this.#holding > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    clearInterval(this.#watch);
    await idle();
    if (this.#transport === undefined) return;
    await this.#call({ call: "close" }, this.#transport);
    await this.#transport.close();
  }

  complained(error: string): void {
    this.#options.observe({ event: "writer.complained", error });
  }

  reply(reply: Reply): void {
    this.#answers++;
    if (reply.reply === "done") {
      const done = this.#done;
      this.#done = undefined;
      if (reply.failure === undefined) done?.resolve(reply.result);
      else done?.reject(errorOf(reply.failure));
      return;
    }
    this.#deaths = 0;
    this.#options.committed();
    const answered = this.#pending.splice(0, reply.results.length);
    this.#firstPending += answered.length;
    for (const [index, { resolve, reject }] of answered.entries()) {
      const { outcome, failure } = reply.results[index]!;
      if (failure === undefined) resolve(outcome);
      else reject(errorOf(failure));
    }
    this.#settleIdle();
  }

  /** The writer is gone: everyone is told, and another one is started. */
  died(reason: unknown): void {
    this.#giveUp(reason);
    void this.#restart();
  }

  /**
   * Sorts those who wait: whose unit became durable before the writer went, whose unit had the
   * writer then, and all others, which the next writer gets.
   */
  #giveUp(reason: unknown): void {
    const transport = this.#transport;
    this.#transport = undefined;
    if (this.#givenUp) return;
    this.#givenUp = true;
    const { observe, lastDurable } = this.#options;
    this.trouble = "the writer is being restarted";
    const first = this.#firstPending;
    const durable = lastDurable("unit");
    const pending = this.#pending;
    this.#firstPending += pending.length;
    this.#pending = [];
    this.#outbox = [];
    for (const [index, unit] of pending.entries()) {
      const isDurable = first + index <= durable;
      const another = ++unit.deaths < MAX_DEATHS && !this.#closed;
      if (isDurable && !unit.repeatable) unit.reject(outcomeLost());
      else if (!isDurable && transport?.had(first + index)) unit.reject(broke(reason));
      else if (another) this.#orphans.push(unit);
      else unit.reject(isDurable ? outcomeLost() : lost());
    }
    observe({
      event: "writer.died",
      error: reason,
      unitsLost: pending.length - this.#orphans.length,
      unitsHandedOn: this.#orphans.length,
    });
    // A thread inside a statement can't be ended; nobody is to wait for that.
    setTimeout(() => {
      if (this.#givenUp) this.#disown();
    }, ORPHANS_WAIT_MS).unref();
    // A hold whose end was under way may have been committed, too.
    this.#done?.reject(lastDurable("hold") === this.#lastHold ? outcomeLost() : lost());
    this.#done = undefined;
    this.#settleIdle();
  }

  /** No writer will take them. */
  #disown(): void {
    const orphans = this.#orphans;
    this.#orphans = [];
    for (const { reject } of orphans) reject(lost());
    this.#settleIdle();
  }

  async #restart(): Promise<void> {
    const began = performance.now();
    while (!this.#closed) {
      const delay = RESTART_DELAYS_MS[Math.min(this.#deaths++, RESTART_DELAYS_MS.length - 1)]!;
      await new Promise((resolve) => setTimeout(resolve, delay));
      if (this.#closed) return;
      try {
        // Numbers go on behind the last durable one: those of lost units are free again.
        this.#firstPending = this.#options.lastDurable("unit") + 1;
        const transport = await this.#options.connect(this);
        this.#transport = transport;
        this.#givenUp = false;
        this.#pending = this.#orphans;
        this.#outbox = this.#orphans.map(({ text }) => text);
        this.#orphans = [];
        this.#sendUnits();
        this.trouble = undefined;
        this.#options.observe({
          event: "writer.restarted",
          milliseconds: Math.round(performance.now() - began),
        });
        return;
      } catch (error) {
        this.trouble = "the writer can't be restarted";
        this.#disown();
        this.#options.observe({ event: "writer.gave-up", error });
      }
    }
  }

  #sendUnits(): void {
    const units = this.#outbox;
    if (units.length === 0) return;
    this.#outbox = [];
    const first = this.#firstPending + this.#pending.length - units.length;
    this.#transport?.send({ call: "units", first, units: `[${units.join(",")}]` });
  }

  #call(call: Call, transport: Transport | undefined): Promise<StatementResult | undefined> {
    // Another writer knows nothing of a transaction that was begun with the one before.
    if (transport === undefined || transport !== this.#transport) return Promise.reject(lost());
    // What was submitted before must be there before.
    this.#sendUnits();
    const { promise, resolve, reject } = Promise.withResolvers<StatementResult | undefined>();
    this.#done = { resolve, reject };
    transport.send(call);
    return promise;
  }

  /** Ends when the lane is free again; whoever asked for it may have been told before. */
  async #hold<T>(
    work: (sql: TransactionSql) => Promise<T>,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const { maxHoldMs } = this.#options;
    let ended: StoreError | undefined;
    let queue: Promise<unknown> = Promise.resolve();
    const sql = kyselyOver((statement, parameters) => {
      // One call to the writer at a time, also when the closure does not await its statements.
      const result = queue.then(async () => {
        if (ended !== undefined) throw ended;
        return (await this.#call({ call: "statement", sql: statement, parameters }, transport))!;
      });
      queue = result.catch(() => {});
      return result;
    });
    const transport = this.#transport;
    const hold = ++this.#lastHold;
    await this.#call({ call: "begin" }, transport);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, late) => {
      const error = new StoreError(
        "held-too-long",
        `A transaction held the lane for more than ${maxHoldMs} ms and was rolled back.`,
      );
      timer = setTimeout(() => late(error), maxHoldMs);
    });
    const end = async (commit: boolean) => {
      await queue;
      await this.#call({ call: "end", commit, hold }, transport);
    };
    try {
      const result = await Promise.race([work(sql), tooLong]);
      ended = closedTransaction();
      await end(true);
      resolve(result);
    } catch (error) {
      ended ??= error instanceof StoreError ? error : closedTransaction();
      reject(error);
      await end(false).catch(() => {});
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Counts its own ticks, not time: a machine that slept has not been waiting for the writer.
   */
  #startWatch(): void {
    if (this.#watch !== undefined) return;
    const patience = Math.ceil(this.#options.writerTimeoutMs / WATCH_EVERY_MS);
    let seen = this.#answers;
    let ticks = 0;
    this.#watch = setInterval(
      () => {
        const waiting = this.#pending.length > 0 || this.#done !== undefined;
        if (this.#answers !== seen || !waiting) ticks = 0;
        else ticks++;
        seen = this.#answers;
        if (ticks < patience) return;
        ticks = 0;
        const reason = new Error(
          `The writer gave no answer for ${this.#options.writerTimeoutMs} ms.`,
        );
        // In the middle of a commit nothing is sure before the thread has ended.
        if (this.#transport?.kill(reason)) this.#giveUp(reason);
      },
      Math.min(WATCH_EVERY_MS, this.#options.writerTimeoutMs),
    );
    this.#watch.unref();
  }

  #settleIdle(): void {
    if (this.#pending.length === 0 && this.#holding === 0) this.#idle?.();
  }
}

function broke(reason: unknown): StoreError {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new StoreError(
    "broke-the-writer",
    `The unit brought the writer down, or held it for too long, and was stopped: ${why}`,
  );
}

const lost = () => new StoreError("writer-lost", "The writer is away; nothing was committed.");
const outcomeLost = () =>
  new StoreError("outcome-lost", "The writer died after the commit and before the answer.");
const closed = () => new StoreError("closed", "The store is closed.");
const closedTransaction = () => new StoreError("closed", "The transaction has ended.");

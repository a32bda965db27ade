import type { TransactionSql } from "../../declare/resource.ts";
import { type Lane, StoreError, type Unit } from "../port.ts";
import { kyselyOver } from "./engine.ts";
import { errorOf, type Writer } from "./writer.ts";

export interface LaneOptions {
  /** Units in a turn at the most; bounds how long the last one of a turn waits for the commit. */
  readonly maxBatch: number;
  /** Units waiting at the most; one more is refused at once. */
  readonly maxWaiting: number;
  /** Milliseconds that an interactive transaction may hold the lane. */
  readonly maxHoldMs: number;
  /** Number of the last turn that the database has seen. */
  readonly turn: number;
}

interface Waiting {
  /** By name, or a closure that gets the lane to itself. */
  readonly unit: Unit;
  readonly hold: (() => Promise<void>) | undefined;
  resolve(outcome: unknown): void;
  reject(error: unknown): void;
}

/**
 * The commit lane. What waits is taken first come, first served; one turn is in flight at a time,
 * and there is no timer: while one turn commits, the next one gathers.
 */
export class SqliteLane implements Lane {
  readonly #writer: Writer;
  readonly #options: LaneOptions;
  #waiting: Waiting[] = [];
  #turn: number;
  #running = false;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(writer: Writer, options: LaneOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#turn = options.turn;
  }

  submit(unit: Unit): Promise<unknown> {
    return this.#enqueue(unit, undefined);
  }

  async transact<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    let result: T | undefined;
    await this.#enqueue(undefined, async () => {
      result = await this.#hold(work);
    });
    return result as T;
  }

  /** Resolves when everything that was submitted has been answered; takes nothing new. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  #enqueue(unit: Unit, hold: Waiting["hold"]): Promise<unknown> {
    if (this.#closed) return Promise.reject(new StoreError("closed", "The store is closed."));
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(new StoreError("overloaded", "Too many writes are waiting."));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, hold, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // Not at once: whatever else this pass of the event loop brings shares the commit.
      setImmediate(() => this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      if (first?.hold === undefined) await this.#runTurn(this.#takeBatch());
      else await this.#runHold(this.#waiting.shift()!);
    }
    this.#running = false;
    this.#idle?.();
  }

  #takeBatch(): Waiting[] {
    let size = 0;
    const most = Math.min(this.#waiting.length, this.#options.maxBatch);
    while (size < most && this.#waiting[size]!.hold === undefined) size++;
    if (size === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, size);
  }

  async #runTurn(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#writer.run(
        ++this.#turn,
        batch.map(({ unit }) => unit),
      );
      batch.forEach(({ resolve, reject }, index) => {
        const { outcome, failure } = results[index]!;
        if (failure === undefined) resolve(outcome);
        else reject(errorOf(failure));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #runHold({ hold, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await hold!());
    } catch (error) {
      reject(error);
    }
  }

  async #hold<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    const { maxHoldMs } = this.#options;
    let ended: StoreError | undefined;
    let queue: Promise<unknown> = Promise.resolve();
    const sql = kyselyOver((statement, parameters) => {
      // One call to the writer at a time, also when the closure does not await its statements.
      const result = queue.then(() => {
        if (ended !== undefined) throw ended;
        return this.#writer.statement(statement, parameters);
      });
      queue = result.catch(() => {});
      return result;
    });
    await this.#writer.begin();
    let timer: NodeJS.Timeout | undefined;
    try {
      const result = await Promise.race([
        work(sql),
        new Promise<never>((_, reject) => {
          timer = setTimeout(
            () =>
              reject(
                new StoreError(
                  "held-too-long",
                  `A transaction held the lane for more than ${maxHoldMs} ms and was rolled back.`,
                ),
              ),
            maxHoldMs,
          );
        }),
      ]);
      ended = new StoreError("closed", "The transaction has ended.");
      await queue;
      await this.#writer.end(true);
      return result;
    } catch (error) {
      ended =
        error instanceof StoreError
          ? error
          : new StoreError("closed", "The transaction has ended.");
      await queue;
      await this.#writer.end(false).catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

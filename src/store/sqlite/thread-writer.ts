import { Worker } from "node:worker_threads";
import type { Observe } from "../../kernel/observations.ts";
import { StoreError, type Unit } from "../port.ts";
import type { StatementResult } from "./connection.ts";
import { errorOf, type UnitResult, type Writer } from "./writer.ts";
import type { Call, Reply } from "./writer-thread.ts";

export interface ThreadWriterOptions {
  readonly path: string;
  /** The module that the thread runs; it ends in `serveWriter`. */
  readonly entry: URL;
  readonly workerData: unknown;
  /** Digest of the declarations that the main thread serves. */
  readonly digest: string;
  /** Milliseconds that a turn may take before the thread is taken for hung and replaced. */
  readonly turnTimeoutMs: number;
  /** The last turn that is durable, read on another connection. */
  readonly committedTurn: () => number;
  readonly observe: Observe;
}

const RESTART_DELAYS_MS = [0, 50, 200, 1_000, 5_000];

/**
 * The writer in a thread of its own. A thread that dies or hangs is replaced; whoever waited for it
 * is told, and told apart is whether the turn became durable before.
 */
export class ThreadWriter implements Writer {
  readonly #options: ThreadWriterOptions;
  #thread: Promise<Thread>;
  #deaths = 0;
  #closing = false;
  trouble: string | undefined;

  private constructor(options: ThreadWriterOptions, thread: Thread) {
    this.#options = options;
    this.#thread = Promise.resolve(thread);
    this.#guard(thread);
  }

  static async start(options: ThreadWriterOptions): Promise<ThreadWriter> {
    return new ThreadWriter(options, await Thread.start(options));
  }

  async run(turn: number, units: readonly Unit[]): Promise<readonly UnitResult[]> {
    const thread = await this.#thread;
    const watchdog = setTimeout(
      () => thread.kill(new Error(`A turn took more than ${this.#options.turnTimeoutMs} ms.`)),
      this.#options.turnTimeoutMs,
    );
    try {
      const results = (await thread.call({ call: "run", turn, units })) as UnitResult[];
      this.#deaths = 0;
      return results;
    } catch (error) {
      if (thread.death === undefined) throw error;
      this.#options.observe({ event: "writer.died", error: thread.death, unitsLost: units.length });
      throw this.#options.committedTurn() >= turn
        ? new StoreError("outcome-lost", "The writer died after the commit and before the answer.")
        : new StoreError("writer-lost", "The writer died; nothing was committed.");
    } finally {
      clearTimeout(watchdog);
    }
  }

  async begin(): Promise<void> {
    await (await this.#thread).call({ call: "begin" });
  }

  async statement(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    return (await (
      await this.#thread
    ).call({ call: "statement", sql, parameters })) as StatementResult;
  }

  async end(commit: boolean): Promise<void> {
    await (await this.#thread).call({ call: "end", commit });
  }

  async close(): Promise<void> {
    this.#closing = true;
    const thread = await this.#thread;
    if (thread.death === undefined) await thread.call({ call: "close" });
    await thread.exited;
  }

  #guard(thread: Thread): void {
    thread.exited.then(() => {
      if (this.#closing) return;
      this.#thread = this.#restart();
    });
  }

  async #restart(): Promise<Thread> {
    const began = performance.now();
    for (;;) {
      const delay = RESTART_DELAYS_MS[Math.min(this.#deaths++, RESTART_DELAYS_MS.length - 1)]!;
      await new Promise((resolve) => setTimeout(resolve, delay));
      try {
        const thread = await Thread.start(this.#options);
        this.trouble = undefined;
        this.#options.observe({
          event: "writer.restarted",
          milliseconds: performance.now() - began,
        });
        this.#guard(thread);
        return thread;
      } catch (error) {
        this.trouble = `the writer can't be restarted: ${(error as Error).message}`;
        this.#options.observe({ event: "writer.gave-up", error });
        if (this.#closing) throw new StoreError("closed", "The store is closed.");
      }
    }
  }
}

/** One life of the thread. */
class Thread {
  readonly #worker: Worker;
  #waiting: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  death: unknown;
  readonly exited: Promise<void>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (reply: Reply) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (reply.reply === "failure") waiting?.reject(errorOf(reply.failure));
      else waiting?.resolve(reply.reply === "value" ? reply.value : reply.digest);
    });
    worker.on("error", (error) => {
      this.death ??= error;
    });
    this.exited = new Promise((resolve) => {
      worker.on("exit", (code) => {
        this.death ??= new Error(`The writer thread ended with code ${code}.`);
        this.#waiting?.reject(
          new StoreError("writer-lost", "The writer is away.", { cause: this.death }),
        );
        this.#waiting = undefined;
        resolve();
      });
    });
  }

  static async start({ entry, workerData, path, digest }: ThreadWriterOptions): Promise<Thread> {
    const worker = new Worker(entry, { workerData, name: "posthaste-writer" });
    const thread = new Thread(worker);
    try {
      const loaded = await thread.#answer();
      if (loaded !== digest) {
        throw new StoreError(
          "unusable",
          "The module of the API gave other declarations when the writer thread loaded it. It must not depend on anything but its own code: no random names, no state of the main thread.",
        );
      }
      await thread.call({ call: "open", path });
      return thread;
    } catch (error) {
      await worker.terminate();
      throw error instanceof StoreError && error.kind === "writer-lost"
        ? (thread.death ?? error)
        : error;
    }
  }

  call(call: Call): Promise<unknown> {
    if (this.death !== undefined) {
      return Promise.reject(
        new StoreError("writer-lost", "The writer is away.", { cause: this.death }),
      );
    }
    const answer = this.#answer();
    this.#worker.postMessage(call);
    return answer;
  }

  kill(reason: Error): void {
    this.death ??= reason;
    void this.#worker.terminate();
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}

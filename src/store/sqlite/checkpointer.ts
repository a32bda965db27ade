import { Worker } from "node:worker_threads";

/**
 * Copies committed pages from the write-ahead log back into the file, in a thread and on a
 * connection of its own: the writer would keep everybody waiting for some 50 ms while it does that.
 * A passive checkpoint holds nobody up (https://sqlite.org/wal.html#ckpt). Where there is little to
 * copy there is no thread, and the writer, closing last, does it.
 */
export class Checkpointer {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  /** [0]: how often the thread was asked; [1]: 1 when it is to end. */
  readonly #cells = new Int32Array(new SharedArrayBuffer(8));
  #worker: Worker | undefined;
  #turns = 0;

  /** @param failed Told when the thread ended by itself; the writer does its work until the next one */
  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /** A turn was committed. */
  committed(): void {
    if (++this.#turns % TURNS !== 0) return;
    this.#worker ??= this.#start();
    Atomics.add(this.#cells, 0, 1);
    Atomics.notify(this.#cells, 0);
  }

  /** Resolves when its connection is closed. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    Atomics.store(this.#cells, 1, 1);
    Atomics.add(this.#cells, 0, 1);
    Atomics.notify(this.#cells, 0);
    await new Promise((resolve) => worker.once("exit", resolve));
  }

  #start(): Worker {
    const worker = new Worker(entry, {
      workerData: { path: this.#path, cells: this.#cells } satisfies CheckpointerData,
      name: "posthaste-checkpoint",
    });
    worker.unref();
    worker.on("error", this.#failed);
    worker.on("exit", () => {
      this.#worker = undefined;
    });
    return worker;
  }
}

export interface CheckpointerData {
  readonly path: string;
  readonly cells: Int32Array<SharedArrayBuffer>;
}

/** Turns between two checkpoints: some thousand pages, many of them the same. */
const TURNS = 200;

// The same file as source and as built: `.ts` beside us here, `.js` in the package.
const entry = new URL(
  import.meta.url.endsWith(".ts") ? "./checkpointer-thread.ts" : "./checkpointer-thread.js",
  import.meta.url,
);

import { Worker } from "node:worker_threads";
import type { Perform } from "../port.ts";
import { StoreError } from "../port.ts";
import { type Call, errorOf, type Reply } from "./call.ts";
import { closeGate, commitGate, isUnderWay } from "./commit-gate.ts";
import { SqliteWriter, type WriterOptions } from "./writer.ts";
import type { Complaint, Greeting, ThreadData } from "./writer-thread.ts";

/** The way to a writer, wherever it is. */
export interface Transport {
  send(call: Call): void;
  /**
   * Gives up a writer that does not answer any more.
   * @returns whether it is sure that nothing it has will be committed
   */
  kill(reason: Error): boolean;
  /** Whether the writer had this unit when it was last heard of. */
  had(unit: number): boolean;
  close(): Promise<void>;
}

export interface Listener {
  reply(reply: Reply): void;
  /** User code in the thread left a promise to itself, and that failed. */
  complained(error: string): void;
  /** The writer is gone, without having been told to. */
  died(reason: unknown): void;
}

/** A writer in this thread. */
export function connectHere(
  options: Omit<WriterOptions, "gate">,
  perform: Perform,
  listener: Listener,
): Transport {
  const writer = new SqliteWriter(
    { ...options, gate: commitGate() },
    perform,
    (reply) => listener.reply(reply),
    // The thread has more to do than write: whatever else waits has its turn in between.
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  return {
    send: (call) => writer.receive(call),
    kill: () => false,
    had: () => false,
    close: () => Promise.resolve(),
  };
}

export interface ThreadOptions extends Omit<WriterOptions, "gate"> {
  /** The module that the thread runs; it ends in `serveWriter`. */
  readonly entry: URL;
  /** What that module reads with `threadData`. */
  readonly above: unknown;
  /** Digest of the declarations that the main thread serves. */
  readonly digest: string;
}

/** A writer in a thread of its own. Resolves when its connection is open. */
export async function connectThread(
  options: ThreadOptions,
  listener: Listener,
): Promise<Transport> {
  const { entry, above, digest, path, maxBatch, instance } = options;
  const gate = commitGate();
  const worker = new Worker(entry, {
    workerData: { writer: { path, maxBatch, instance, gate }, above } satisfies ThreadData,
    name: "posthaste-writer",
  });
  let death: unknown;
  let closing = false;
  worker.on("error", (error) => {
    death ??= error;
  });
  const exited = new Promise<void>((resolve) => {
    worker.on("exit", (code) => {
      death ??= new Error(`The writer thread ended with code ${code}.`);
      resolve();
    });
  });
  const greeting = await Promise.race([
    new Promise<Greeting>((resolve) => worker.once("message", resolve)),
    exited.then(() => {
      throw new StoreError(
        "unusable",
        `The API can't be loaded in the writer thread, where its module is loaded a second time: ${stackOf(death)}`,
        { cause: death },
      );
    }),
  ]);
  if (greeting.failure !== undefined || greeting.digest !== digest) {
    await worker.terminate();
    throw greeting.failure === undefined ? otherDeclarations() : errorOf(greeting.failure);
  }
  worker.on("message", (message: Reply | Complaint) => {
    if ("complaint" in message) listener.complained(message.complaint);
    else listener.reply(message);
  });
  exited.then(() => {
    if (!closing) listener.died(death);
  });
  return {
    send: (call) => {
      if (call.call === "close") closing = true;
      worker.postMessage(call);
    },
    kill: (reason) => {
      if (death === undefined) {
        death = reason;
        void worker.terminate();
      }
      return closeGate(gate);
    },
    had: (unit) => isUnderWay(gate, unit),
    // The connection is closed; a timer of the user's module must not keep the thread.
    close: async () => {
      await worker.terminate();
    },
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function otherDeclarations(): StoreError {
  return new StoreError(
    "unusable",
    "The module of the API gave other declarations when the writer thread loaded it. What it declares must depend on nothing but its own code: no random names, no question which thread it is in.",
  );
}

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Perform } from "../port.ts";
import { type Call, failureOf, type Reply } from "./call.ts";
import { SqliteWriter, type WriterOptions } from "./writer.ts";

/** What the thread is started with, beside what the module above it needs. */
export interface ThreadData {
  readonly writer: WriterOptions;
  readonly above: unknown;
}

/** Sent once: the module was loaded, and the connection is open or could not be opened. */
export interface Greeting {
  readonly digest: string;
  readonly failure: ReturnType<typeof failureOf> | undefined;
}

/** A failure that nobody waited for, such as that of a statement without an await. */
export interface Complaint {
  readonly complaint: string;
}

/** What the module above the store was started with, when it runs in the writer thread. */
export function threadData(): unknown {
  return (workerData as ThreadData).above;
}

/**
 * Runs the writer in this thread until it is told to close.
 * @param digest Tells the main thread which declarations `perform` was made from.
 */
export function serveWriter(digest: string, perform: Perform): void {
  const port = parentPort;
  if (port === null) throw new Error("The writer thread was loaded outside a thread.");
  const greet = (failure: Greeting["failure"]) =>
    port.postMessage({ digest, failure } satisfies Greeting);
  // One user's forgotten await must not take the writer from everybody.
  process.on("unhandledRejection", (reason) => {
    port.postMessage({ complaint: failureOf(reason).message } satisfies Complaint);
  });
  try {
    const writer = new SqliteWriter(
      (workerData as ThreadData).writer,
      perform,
      (reply: Reply) => port.postMessage(reply),
      () => {
        for (
          let next = receiveMessageOnPort(port);
          next !== undefined;
          next = receiveMessageOnPort(port)
        ) {
          receive(next.message as Call);
        }
        return undefined;
      },
    );
    const receive = (call: Call) => {
      writer.receive(call);
      if (call.call === "close") port.unref();
    };
    port.on("message", receive);
    greet(undefined);
  } catch (error) {
    greet(failureOf(error));
  }
}

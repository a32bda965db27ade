import { parentPort } from "node:worker_threads";
import type { Perform, Unit } from "../port.ts";
import { LocalWriter } from "./local-writer.ts";
import { type Failure, failureOf } from "./writer.ts";

/** The calls of `Writer`, as messages. One is under way at a time, so none needs a number. */
export type Call =
  | { readonly call: "open"; readonly path: string }
  | { readonly call: "run"; readonly turn: number; readonly units: readonly Unit[] }
  | { readonly call: "begin" }
  | { readonly call: "statement"; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly call: "end"; readonly commit: boolean }
  | { readonly call: "close" };

export type Reply =
  /** The module was loaded; `digest` tells which declarations it holds. */
  | { readonly reply: "loaded"; readonly digest: string }
  | { readonly reply: "value"; readonly value: unknown }
  | { readonly reply: "failure"; readonly failure: Failure };

/** Answers the calls of the main thread until it is told to close. Runs in the writer thread. */
export function serveWriter(digest: string, perform: Perform): void {
  const port = parentPort;
  if (port === null) throw new Error("The writer thread was loaded outside a thread.");
  let writer: LocalWriter | undefined;

  const answer = async (call: Call): Promise<unknown> => {
    if (call.call === "open") {
      writer = new LocalWriter(call.path, perform);
      return undefined;
    }
    if (writer === undefined) throw new Error("The writer is not open.");
    switch (call.call) {
      case "run":
        return writer.run(call.turn, call.units);
      case "begin":
        return writer.begin();
      case "statement":
        return writer.statement(call.sql, call.parameters);
      case "end":
        return writer.end(call.commit);
      case "close":
        return writer.close();
    }
  };

  port.on("message", (call: Call) => {
    answer(call)
      .then(
        (value): Reply => ({ reply: "value", value }),
        (error): Reply => ({ reply: "failure", failure: failureOf(error) }),
      )
      .then((reply) => {
        port.postMessage(reply);
        if (call.call === "close") port.close();
      });
  });
  port.postMessage({ reply: "loaded", digest } satisfies Reply);
}

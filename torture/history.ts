import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

/** What a client wants, once; it may send it often. */
export interface Intent {
  /** Names it, in the body as well; also its key, where it has one. */
  readonly reference: string;
  readonly kind: IntentKind;
  readonly keyed: boolean;
  readonly path: string;
  readonly body: Readonly<Record<string, string | number>>;
}

export type IntentKind =
  | "account"
  | "transfer"
  | "order"
  | "fulfilment"
  | "note"
  | "reading"
  /** A transfer without the key that it needs: it must never happen. */
  | "keyless"
  /** The key of an earlier intent with another payload: it must never happen. */
  | "misuse";

/** What a client was told. */
export interface Told {
  readonly status: number;
  readonly location: string | undefined;
  readonly etag: string | undefined;
  /** Last part of the problem's type, where it was one. */
  readonly problem: string | undefined;
  readonly replayed: boolean;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** A line of the history. */
export type Entry =
  | ({ readonly event: "intend" } & Intent)
  /** Written before the first byte is sent. */
  | { readonly event: "send"; readonly number: number; readonly reference: string }
  /** Written when the last byte of the answer has come. */
  | ({ readonly event: "answer"; readonly number: number } & Told)
  | { readonly event: "lost"; readonly number: number; readonly reason: string }
  /** A record that was acknowledged, as a GET shows it. */
  | {
      readonly event: "read";
      readonly reference: string;
      readonly status: number;
      readonly body: string;
    }
  /** What the run did to the server. */
  | { readonly event: "life"; readonly what: string };

/** The history of a run: only ever appended to, and by one process, which nobody kills. */
export class History {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  append(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

export async function* readHistory(path: string): AsyncGenerator<Entry> {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== "") yield JSON.parse(line) as Entry;
  }
}

/** Whether an answer says what became of the request; after any other the client tries again. */
export function isFinal({ status, problem }: Told): boolean {
  return status < 500 && problem !== "request-in-progress";
}

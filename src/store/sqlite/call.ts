import { StoreError, type StoreErrorKind } from "../port.ts";
import type { StatementResult } from "./connection.ts";

/** What the writer is asked to do. Plain data: most writers are in another thread. */
export type Call =
  /** JSON of an array of units; `first` is the number of the first one. They count without gaps. */
  | { readonly call: "units"; readonly first: number; readonly units: string }
  | { readonly call: "begin" }
  | { readonly call: "statement"; readonly sql: string; readonly parameters: readonly unknown[] }
  /** `hold` is the number of the interactive transaction. */
  | { readonly call: "end"; readonly commit: boolean; readonly hold: number }
  | { readonly call: "close" };

export type Reply =
  /** The results of a turn; `first` is the number of its first unit. */
  | { readonly reply: "results"; readonly first: number; readonly results: readonly UnitResult[] }
  /** To begin, statement, end and close, of which one is under way at a time. */
  | {
      readonly reply: "done";
      readonly result: StatementResult | undefined;
      readonly failure: Failure | undefined;
    };

export interface UnitResult {
  readonly outcome: unknown;
  readonly failure: Failure | undefined;
}

/** A StoreError as plain data. */
export interface Failure {
  readonly kind: StoreErrorKind;
  readonly message: string;
  readonly columns: readonly string[];
}

export function failureOf(error: unknown): Failure {
  if (error instanceof StoreError) {
    return { kind: error.kind, message: error.message, columns: error.columns };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "failed", message, columns: [] };
}

export function errorOf({ kind, message, columns }: Failure): StoreError {
  return new StoreError(kind, message, { columns });
}

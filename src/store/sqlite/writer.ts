import { StoreError, type StoreErrorKind, type Unit } from "../port.ts";
import type { StatementResult } from "./connection.ts";

/** What became of a unit, as plain data: it may have to cross a thread. */
export interface UnitResult {
  readonly outcome: unknown;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly kind: StoreErrorKind;
  readonly message: string;
  readonly columns: readonly string[];
}

/** Whoever holds the one writing connection: a thread, or this one. One call at a time. */
export interface Writer {
  run(turn: number, units: readonly Unit[]): Promise<readonly UnitResult[]>;
  begin(): Promise<void>;
  statement(sql: string, parameters: readonly unknown[]): Promise<StatementResult>;
  end(commit: boolean): Promise<void>;
  close(): Promise<void>;
  /** Undefined while the writer is well. */
  readonly trouble: string | undefined;
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

import type { Exchange } from "./message.ts";

/**
 * What a failure weighs.
 *
 * - `must`: a MUST of a standard is broken, the server contradicts its own document, or a key does
 *   not do what it is for: an effect happens twice, or an answer is lost or given away.
 * - `should`: a SHOULD of a standard, or a rule of keys that the draft leaves open and
 *   docs/check.md gives reasons for.
 * - `info`: nobody demands it; it is told so that one knows.
 */
export type Level = "must" | "should" | "info";

export interface Failure {
  readonly result: "failed";
  readonly found: string;
  /** Where it is not the scenario's own. */
  readonly level?: Level;
  /** What shows it, where that is not what the scenario itself sent. */
  readonly shownBy?: readonly Exchange[];
}

/** What came of one scenario. */
export type Verdict =
  | { readonly result: "passed"; readonly note?: string }
  /** Nothing that anyone demands; what this server does. */
  | { readonly result: "noted"; readonly note: string }
  | Failure
  | { readonly result: "not-tested"; readonly note: string }
  /** The server does not say that it does this. */
  | { readonly result: "not-claimed"; readonly note: string };

export const passed = (note?: string): Verdict =>
  note === undefined ? { result: "passed" } : { result: "passed", note };
export const noted = (note: string): Verdict => ({ result: "noted", note });
export const failed = (found: string, level?: Level, shownBy?: readonly Exchange[]): Verdict => ({
  result: "failed",
  found,
  ...(level === undefined ? {} : { level }),
  ...(shownBy === undefined ? {} : { shownBy }),
});
export const notTested = (note: string): Verdict => ({ result: "not-tested", note });
export const notClaimed = (note: string): Verdict => ({ result: "not-claimed", note });

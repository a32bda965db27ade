import type { ProblemName } from "../kernel/problems.ts";

/** A complete answer, as plain data: made in either thread, sent as it is. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Type of the problem, where it is one; for observations. */
  readonly problem: ProblemName | undefined;
}

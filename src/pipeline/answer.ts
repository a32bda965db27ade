import type { ProblemName } from "../kernel/problems.ts";

/** A complete answer: plain data, where it is made in the writer. Sent as it is. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** In place of a body: server-sent events, as they come; an empty one says that nothing came. */
  readonly events?: AsyncIterable<string>;
  /** Type of the problem, where it is one; for observations. */
  readonly problem: ProblemName | undefined;
}

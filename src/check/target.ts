import type { HeaderLine } from "./message.ts";
import type { SkippedOperation } from "./openapi-operations.ts";
import type { Operation } from "./operation.ts";

/** What is to be checked. */
export interface Target {
  /** Where the paths of the operations begin, without a `/` at its end. */
  readonly base: string;
  /** Where the operations were read from. */
  readonly document: string;
  readonly operations: readonly Operation[];
  readonly skipped: readonly SkippedOperation[];
  /** Lines of every request: who asks. */
  readonly headers: readonly HeaderLine[];
  /** Lines by which somebody else asks; empty where nobody else is known. */
  readonly as: readonly HeaderLine[];
}

/** Names, in lower case, of the fields whose values are not to be shown. */
export function secretsOf({ headers, as }: Target): Set<string> {
  return new Set([...headers, ...as].map(([name]) => name.toLowerCase()));
}

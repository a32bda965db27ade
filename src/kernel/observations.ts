/**
 * Everything that the framework has to say about itself, as data. Code emits observations; the
 * logger chooses what to show and metrics what to count.
 */
export type Observation =
  | {
      readonly event: "request.answered";
      readonly requestId: string;
      readonly method: string;
      /** The path as sent, without its query. */
      readonly path: string;
      /** Id of the operation, where one was found. */
      readonly operation?: string;
      readonly status: number;
      readonly milliseconds: number;
      /** Type of the problem that was answered. */
      readonly problem?: string;
    }
  | { readonly event: "request.failed"; readonly requestId: string; readonly error: unknown }
  | { readonly event: "writer.complained"; readonly error: unknown }
  | {
      readonly event: "writer.died";
      readonly error: unknown;
      /** Units whose callers were told so. */
      readonly unitsLost: number;
      /** Units that the next writer does. */
      readonly unitsHandedOn: number;
    }
  | { readonly event: "writer.restarted"; readonly milliseconds: number }
  | { readonly event: "writer.gave-up"; readonly error: unknown }
  /** Pages are copied back by the writer until the next checkpointer starts. */
  | { readonly event: "checkpointer.failed"; readonly error: unknown }
  | { readonly event: "store.failed"; readonly error: unknown; readonly units: number }
  | {
      readonly event: "job.done";
      readonly kind: string;
      readonly id: string;
      readonly milliseconds: number;
    }
  | {
      /** An attempt failed, and another one follows; or none does, and the job is a dead letter. */
      readonly event: "job.retried" | "job.failed";
      readonly kind: string;
      readonly id: string;
      readonly attempt: number;
      readonly error: unknown;
    }
  /** The runner of jobs could not reach the store. It tries again. */
  | { readonly event: "jobs.failed"; readonly error: unknown }
  /** Code of users left a promise to itself, and that failed. */
  | { readonly event: "process.complained"; readonly error: unknown }
  | { readonly event: "server.listening"; readonly url: string }
  | { readonly event: "server.draining"; readonly requestsInFlight: number }
  | { readonly event: "server.stopped" };

export type Observe = (observation: Observation) => void;

/** An observation with its error as text, and without what looks like a secret in that text. */
export function redacted(observation: Observation): Record<string, unknown> {
  if (!("error" in observation)) return { ...observation };
  const { error } = observation;
  return { ...observation, error: redact(errorText(error)) };
}

/** Whatever may be thrown, as text: some values throw when they are looked at. */
export function errorText(error: unknown): string {
  try {
    return String(error instanceof Error ? (error.stack ?? error.message) : error);
  } catch {
    return "What was thrown can't be told as text.";
  }
}

const MAX_ERROR_LENGTH = 16_384;

/** A name that says it, then `=` or `:`, then a value, in quotes or up to the next separator. */
const NAMED_SECRET =
  /((?:authorization|pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|(?:api|access|private)[-_ ]?key|cookie)\\?["']?\s*[:=]\s*(?:bearer\s+|basic\s+)?)(?:\\?"(?:[^"\\]|\\[^"])*|'[^']*|[^\s"',;&}]+)/gi;

/** Text of errors is written by others; what looks like a secret in it is taken out. */
export function redact(text: string): string {
  return (
    text
      .slice(0, MAX_ERROR_LENGTH)
      .replace(NAMED_SECRET, "$1[redacted]")
      .replace(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 [redacted]")
      // Users and passwords in addresses, and JSON Web Tokens wherever they are.
      .replace(/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]+@/gi, "$1[redacted]@")
      .replace(/\beyJ[\w-]{1,4096}\.[\w-]+(?:\.[\w-]*)?/g, "[redacted]")
  );
}

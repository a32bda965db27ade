import { errorText } from "../kernel/observations.ts";
import { Problem } from "../kernel/problems.ts";
import { StoreError } from "../store/port.ts";

/** What a client gets to know of an error, whatever it is. */
export function problemOf(error: unknown): Problem {
  try {
    if (error instanceof Problem) return error;
    if (error instanceof StoreError) return problemOfStore(error);
  } catch {
    // A value of users' code that throws when it is looked at.
    return new Problem("internal-error", {}, errorText(error));
  }
  return new Problem("internal-error", {}, error);
}

const retryAfter = (seconds: number) => ({ headers: { "retry-after": String(seconds) } });

function problemOfStore(error: StoreError): Problem {
  switch (error.kind) {
    case "full":
      return new Problem("insufficient-storage", retryAfter(30), error);
    case "busy":
    case "io":
    case "writer-lost":
      return new Problem("store-unavailable", retryAfter(1), error);
    case "closed":
      return new Problem("draining", retryAfter(1), error);
    case "overloaded":
      return new Problem("overloaded", retryAfter(1), error);
    case "outcome-lost":
      return new Problem(
        "internal-error",
        { detail: "The change was made, and its answer was lost. Look before you send it again." },
        error,
      );
    default:
      return new Problem("internal-error", {}, error);
  }
}

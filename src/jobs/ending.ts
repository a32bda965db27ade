import { JobFailure, type JobModel } from "../declare/job.ts";
import { errorText } from "../kernel/observations.ts";
import { backoffMs } from "./backoff.ts";
import type { ClaimedJob, Ending } from "./queue.ts";

const MAX_ERROR_LENGTH = 8_192;
/** A job may ask to be tried again so late at the most: ten years, as any duration. */
const MAX_RETRY_AFTER_MS = 3_650 * 86_400_000;
/** A failed job is a dead letter: somebody has to look at it, and may be on holiday. */
const KEEP_FAILED_MS = 30 * 86_400_000;

/** What was thrown, or, where it can't even be looked at, an error that says so. */
export function thrown(error: unknown): unknown {
  try {
    if (error instanceof Error) return error;
    const { permanent, retryAfterMs, postponeMs } = (error ?? {}) as Record<string, unknown>;
    return { permanent, retryAfterMs, postponeMs, toString: () => errorText(error) };
  } catch {
    return new Error("What was thrown can't be told as text.");
  }
}

/** What becomes of a job whose attempt has failed: another attempt, or none. */
export function endingOf(error: unknown, job: ClaimedJob, model: JobModel, now: number): Ending {
  if (error instanceof JobFailure) {
    const failure = { code: short(error.code), detail: short(error.message) };
    return { as: "failed", error: describe(error), failure, keepMs: KEEP_FAILED_MS };
  }
  const { permanent, retryAfterMs, postponeMs } = (error ?? {}) as {
    permanent?: unknown;
    retryAfterMs?: unknown;
    postponeMs?: unknown;
  };
  // Nothing was tried: the server lacks what the job needs, and the job is not to pay for that.
  const postponed = milliseconds(postponeMs);
  if (postponed > 0) return { as: "suspended", runAt: now + postponed, error: describe(error) };
  if (permanent === true || job.attempt >= model.attempts)
    return gaveUp(describe(error), job.attempt);
  const wait = Math.max(backoffMs(model.backoff, job.attempt), milliseconds(retryAfterMs));
  return { as: "retry", runAt: now + wait, error: describe(error) };
}

/** 0 for what is no time to wait. */
function milliseconds(value: unknown): number {
  const rounded = typeof value === "number" ? Math.round(value) : 0;
  return rounded > 0 ? Math.min(rounded, MAX_RETRY_AFTER_MS) : 0;
}

export function gaveUp(error: string, attempts: number): Ending {
  const detail = `Gave up after ${attempts === 1 ? "one attempt" : `${attempts} attempts`}.`;
  return { as: "failed", error, failure: { code: "failed", detail }, keepMs: KEEP_FAILED_MS };
}

export class Cancelled extends Error {
  override readonly message = "The job was cancelled.";
}

export class Stopping extends Error {
  override readonly message = "The server is stopping.";
}

export class TakenOver extends Error {
  override readonly message = "The job is another worker's by now: this one was taken for dead.";
}

export class TookTooLong extends Error {
  constructor(milliseconds: number) {
    super(`The attempt took more than ${milliseconds} ms.`);
    this.name = "TookTooLong";
  }
}

function describe(error: unknown): string {
  return short(errorText(error));
}

function short(value: unknown): string {
  return errorText(value).slice(0, MAX_ERROR_LENGTH);
}

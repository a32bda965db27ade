import { Problem } from "../kernel/problems.ts";
import type { Answer } from "./answer.ts";
import type { Negotiated } from "./exchange.ts";
import { findJob, isFinished, jobAnswer, jobDocument } from "./monitor.ts";

/** Milliseconds for which the record of a cancelled job is kept. */
const KEEP_MS = 86_400_000;

/**
 * `DELETE /jobs/{id}`: a job that waits is cancelled at once; one that runs is told to end, and its
 * monitor says when it has.
 */
export async function cancelJob(exchange: Negotiated): Promise<Answer> {
  const { lane, work, now, params, principal, serving } = exchange;
  const job = await findJob(exchange, params.id ?? "", principal);
  if (!isFinished(job)) {
    await lane.submit({ job: "cancel", id: job.id, now, keepMs: KEEP_MS });
    work.cancel(job.id);
  }
  // Looked at again: it may have ended by itself in between.
  const after = await findJob(exchange, job.id, principal);
  if (isFinished(after) && after.state !== "cancelled") {
    const { state } = jobDocument(serving, after);
    throw new Problem("job-finished", { detail: `The job has ${state}; see its monitor.` });
  }
  return { ...jobAnswer(exchange, after), status: 202 };
}

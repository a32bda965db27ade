import { Problem } from "../kernel/problems.ts";
import type { Answer } from "./answer.ts";
import type { Negotiated } from "./exchange.ts";
import { findJob, isFinished, jobAnswer } from "./monitor.ts";

/** Milliseconds for which the record of a cancelled job is kept. */
const KEEP_MS = 86_400_000;

/**
 * `DELETE /jobs/{id}`: a job that waits is cancelled at once; one that runs is told to end, and its
 * monitor says when it has.
 */
export async function cancelJob(exchange: Negotiated): Promise<Answer> {
  const { lane, work, now, params, principal } = exchange;
  const job = await findJob(exchange, params.id ?? "", principal);
  if (isFinished(job) && job.state !== "cancelled") {
    throw new Problem("job-finished", { detail: `The job has ${job.state}; see its monitor.` });
  }
  await lane.submit({ job: "cancel", id: job.id, now, keepMs: KEEP_MS });
  work.cancel(job.id);
  const answer = jobAnswer(exchange, await findJob(exchange, job.id, principal));
  return { ...answer, status: 202 };
}

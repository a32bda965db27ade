import type { Answer } from "./answer.ts";
import type { Claimed } from "./exchange.ts";
import { findJob, isFinished, jobAnswer } from "./monitor.ts";
import { transact } from "./transact.ts";

/** Seconds that a client can be made to wait for at the most: proxies give up after a minute. */
const MAX_WAIT_SECONDS = 50;

/**
 * Hands the action to the lane. Where it started a job, and the client would rather wait (RFC 7240
 * section 4.3), the answer is what came of the job, if that is known in time.
 */
export async function transactAndAwait(exchange: Claimed): Promise<Answer> {
  const answer = await transact(exchange);
  const { wait, respondAsync } = exchange.preferences;
  const { location } = answer.headers;
  if (answer.status !== 202 || location === undefined || wait === undefined || respondAsync)
    return answer;
  const id = location.slice(location.lastIndexOf("/") + 1);
  const deadline = performance.now() + Math.min(wait, MAX_WAIT_SECONDS) * 1_000;
  for (;;) {
    const changed = exchange.work.change(id, deadline - performance.now());
    const job = await findJob(exchange, id, exchange.principal);
    if (isFinished(job)) {
      const { headers, ...rest } = jobAnswer(exchange, job);
      return { ...rest, headers: { ...headers, location, "preference-applied": `wait=${wait}` } };
    }
    if (performance.now() >= deadline) return answer;
    await changed;
  }
}

import type { Answer } from "./answer.ts";
import type { Claimed } from "./exchange.ts";
import { isFinished, jobAnswer } from "./monitor.ts";
import { transact } from "./transact.ts";

/** Seconds that a client can be made to wait for at the most: proxies give up after a minute. */
const MAX_WAIT_SECONDS = 50;

/**
 * Hands the action to the lane. Where it started a job, and the client would rather wait (RFC 7240
 * section 4.3), the answer is what came of the job, if that is known in time. That holds for a client
 * that also asks for `respond-async`: it wants a 202 only when its time is up.
 */
export async function transactAndAwait(exchange: Claimed): Promise<Answer> {
  const answer = await transact(exchange);
  const { wait } = exchange.preferences;
  const { location, "idempotent-replayed": replayed } = answer.headers;
  if (answer.status !== 202 || location === undefined || wait === undefined) return answer;
  const id = location.slice(location.lastIndexOf("/") + 1);
  const deadline = performance.now() + Math.min(wait, MAX_WAIT_SECONDS) * 1_000;
  for (;;) {
    const changed = exchange.work.change(id, deadline - performance.now());
    const job = await exchange.serving.queue.find(exchange.reader, id);
    // What is recorded of a request may be kept for longer than what is known of its job.
    if (job === undefined) return answer;
    if (isFinished(job)) {
      const { headers, ...rest } = jobAnswer(exchange, job);
      const again = replayed === undefined ? {} : { "idempotent-replayed": replayed };
      const about = { ...again, location, "preference-applied": `wait=${wait}` };
      return { ...rest, headers: { ...headers, ...about } };
    }
    if (performance.now() >= deadline || exchange.work.draining) return answer;
    await changed;
  }
}

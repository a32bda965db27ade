import type { Answer } from "./answer.ts";
import type { Claimed } from "./exchange.ts";
import type { WriteOutcome, WriteUnit } from "./transaction/unit.ts";

/** Hands the write to the lane; the answer comes back when it is durable. */
export function transact(exchange: Claimed): Promise<Answer> {
  const { claim, underway } = exchange;
  return claim === undefined
    ? submit(exchange)
    : underway.once(claim.digest, () => submit(exchange));
}

async function submit(exchange: Claimed): Promise<Answer> {
  const { serving, lane, operation, requestId, principal } = exchange;
  const unit: WriteUnit = {
    operation: serving.numbers.get(operation)!,
    requestId,
    principal,
    parentIds: exchange.parentIds,
    id: exchange.id,
    input: exchange.input,
    conditions: exchange.conditions,
    preferences: exchange.preferences,
    claim: exchange.claim,
    now: exchange.now,
  };
  const { answer, wake, error } = (await lane.submit(unit, {
    repeatable: unit.claim !== undefined,
  })) as WriteOutcome;
  if (wake !== undefined) exchange.work.wake(wake);
  if (error !== undefined) exchange.observe({ event: "request.failed", requestId, error });
  return answer;
}

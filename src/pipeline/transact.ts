import type { ConditionalHeaders } from "../content/conditions.ts";
import type { Answer } from "./answer.ts";
import { header, type Validated } from "./exchange.ts";
import type { WriteOutcome, WriteUnit } from "./transaction/unit.ts";

/** Hands the write to the lane; the answer comes back when it is durable. */
export async function transact(exchange: Validated): Promise<Answer> {
  const { serving, lane, operation, requestId, principal, parentIds, id, input, preferences, now } =
    exchange;
  const unit: WriteUnit = {
    operation: serving.numbers.get(operation)!,
    requestId,
    principal,
    parentIds,
    id,
    input,
    conditions: conditionsOf(exchange),
    returns: preferences.return,
    now,
  };
  const { answer, error } = (await lane.submit(unit)) as WriteOutcome;
  if (error !== undefined) exchange.observe({ event: "request.failed", requestId, error });
  return answer;
}

/** The conditional header fields, where there are any (RFC 9110 section 13.1). */
function conditionsOf(exchange: Validated): ConditionalHeaders | undefined {
  let found: Record<string, string> | undefined;
  for (const name of ["if-match", "if-none-match", "if-unmodified-since"]) {
    const value = header(exchange, name);
    if (value === undefined) continue;
    found ??= {};
    found[name] = value;
  }
  return found;
}

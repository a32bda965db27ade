import { identifierIn, locationOf } from "./effects.ts";
import { type Answer, jsonOf, type Request, succeeded } from "./message.ts";
import { shorten } from "./shown.ts";

/**
 * How a later answer to a request tells another result than the first one, or `undefined` where
 * the result is the same: the same status and body, about the same record.
 */
export function otherResult(first: Answer, later: Answer, request: Request): string | undefined {
  if (succeeded(first) !== succeeded(later)) return `${later.status} instead of ${first.status}`;
  const other = otherIdentity(first, later, request);
  if (other !== undefined && other !== "same") return other;
  if (first.status !== later.status) return `${later.status} instead of ${first.status}`;
  if (!first.body.equals(later.body)) return `${shown(later)} instead of ${shown(first)}`;
  return undefined;
}

/** Whether two answers are about different records, or only one of them is a success. */
export function isOtherRecord(first: Answer, later: Answer, request: Request): boolean {
  if (succeeded(first) !== succeeded(later)) return true;
  const other = otherIdentity(first, later, request);
  return other === undefined ? !first.body.equals(later.body) : other !== "same";
}

/**
 * `"same"`, or how they differ: in Location where both have one, or else in the id that both
 * bodies name. `undefined` where neither tells.
 */
function otherIdentity(first: Answer, later: Answer, request: Request): string | undefined {
  const pairs = [
    [locationOf(first, request), locationOf(later, request)],
    [identifierIn(jsonOf(first)), identifierIn(jsonOf(later))],
  ] as const;
  const told = pairs.filter(([made, again]) => made !== undefined && again !== undefined);
  const other = told.find(([made, again]) => made !== again);
  if (other !== undefined) return `${other[1]} instead of ${other[0]}`;
  return told.length > 0 ? "same" : undefined;
}

function shown({ body }: Answer): string {
  return shorten(body.toString("utf8"), 80) || "an empty body";
}

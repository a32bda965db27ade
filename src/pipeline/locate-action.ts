import type { ActionOperation } from "../declare/operation.ts";
import { Problem } from "../kernel/problems.ts";
import type { Located, Negotiated } from "./exchange.ts";
import { idsIn } from "./locate.ts";

/** Reads what the path of an action names: a record, where the action is on one. */
export function locateAction(exchange: Negotiated): Located {
  const operation = exchange.operation as ActionOperation;
  const { on } = operation.action;
  // An empty segment names nothing, here as anywhere.
  if (Object.values(exchange.params).includes("")) throw new Problem("not-found");
  const named = on === undefined ? { parentIds: [], id: undefined } : idsIn(exchange.params, on);
  return Object.assign(exchange, { operation, ...named });
}

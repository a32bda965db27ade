import type { ActionOperation } from "../declare/operation.ts";
import type { Located, Negotiated } from "./exchange.ts";
import { idsIn } from "./locate.ts";

/** Reads what the path of an action names: a record, where the action is on one. */
export function locateAction(exchange: Negotiated): Located {
  const operation = exchange.operation as ActionOperation;
  const { on } = operation.action;
  const named = on === undefined ? { parentIds: [], id: undefined } : idsIn(exchange.params, on);
  return Object.assign(exchange, { operation, ...named });
}

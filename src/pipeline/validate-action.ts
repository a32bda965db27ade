import type { ActionOperation } from "../declare/operation.ts";
import type { Json } from "../kernel/json.ts";
import type { Decoded, Validated } from "./exchange.ts";
import { validateInput } from "./validation.ts";

/** Judges the body of an action by its schema. */
export async function validateAction(exchange: Decoded): Promise<Validated> {
  const { action } = exchange.operation as ActionOperation;
  const { payload, params } = exchange;
  const values =
    action.input === undefined ? undefined : await validateInput(action.input, payload as Json);
  return Object.assign(exchange, { input: { kind: "action" as const, values, params } });
}

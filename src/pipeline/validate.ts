import { parseJsonPatch } from "../content/json-patch.ts";
import { JSON_PATCH } from "../declare/operation.ts";
import {
  type Claimed,
  type Decoded,
  type Preconditioned,
  resourceOf,
  type Validated,
} from "./exchange.ts";
import { serverValues } from "./server-values.ts";
import { readFields, validateRecord } from "./validation.ts";

/** Judges the body of a create completely: it depends on no record that is there. */
export async function validate(exchange: Decoded): Promise<Validated> {
  const { serving, principal, now } = exchange;
  const resource = resourceOf(exchange);
  const reading = readFields(resource, serving.api.dialect, exchange.payload!, undefined);
  Object.assign(reading.candidate, serverValues(resource.set, { principal, now }));
  const values = await validateRecord(resource, reading);
  return Object.assign(exchange, { input: { kind: "create" as const, values } });
}

/** PUT is judged inside the transaction, where the record is known that it replaces. */
export function readReplacement(exchange: Decoded): Validated {
  return Object.assign(exchange, { input: { kind: "replace" as const, body: exchange.payload! } });
}

/** A patch is judged by its result; here it only has to be a patch. */
export function readPatch(exchange: Decoded): Validated {
  const { mediaType } = exchange;
  const payload = exchange.payload!;
  const input =
    mediaType === JSON_PATCH
      ? { kind: "json-patch" as const, patch: parseJsonPatch(payload) }
      : { kind: "merge-patch" as const, patch: payload };
  return Object.assign(exchange, { input });
}

/** Deleting twice is deleting once: there is nothing to claim. */
export function readDeletion(exchange: Preconditioned): Claimed {
  return Object.assign(exchange, { input: { kind: "delete" as const }, claim: undefined });
}

import type { ConditionalHeaders } from "../content/conditions.ts";
import { isUuid, parseKey } from "../idempotency/key.ts";
import { Problem } from "../kernel/problems.ts";
import { header, type Located, type Preconditioned } from "./exchange.ts";

/**
 * Reads what the request says of its own repetition (Idempotency-Key) and of the state that it
 * changes (RFC 9110 section 13.1), and refuses one that says too little, before its body is read.
 */
export function precondition(exchange: Located): Preconditioned {
  const { operation } = exchange;
  const conditions = conditionsOf(exchange);
  const changes = exchange.id !== undefined;
  if (
    changes &&
    operation.kind !== "action" &&
    operation.resource.ifMatch === "required" &&
    conditions?.["if-match"] === undefined &&
    // With If-None-Match: * a PUT makes a record, and overwrites none. Any other tag would.
    conditions?.["if-none-match"]?.trim() !== "*"
  ) {
    throw new Problem("precondition-required", {
      detail: `This operation needs If-Match. GET ${exchange.path} and send its ETag: If-Match: "…".`,
    });
  }
  return Object.assign(exchange, { key: keyOf(exchange), conditions });
}

function keyOf(exchange: Located): string | undefined {
  const { operation, principal } = exchange;
  const { key: mode, anonymousKeys } = operation.idempotency;
  if (mode === "ignored") return undefined;
  const field = header(exchange, "idempotency-key");
  if (field === undefined) {
    if (mode === "accepted") return undefined;
    throw new Problem("idempotency-key-required");
  }
  const key = parseKey(field);
  if (principal === null && anonymousKeys === "uuid" && !isUuid(key)) {
    throw new Problem("malformed-header", {
      detail:
        "Without credentials, the Idempotency-Key has to be a UUID: a key that others could guess is no key.",
      errors: [{ header: "Idempotency-Key", detail: "is not a UUID", code: "invalid_key" }],
    });
  }
  return key;
}

function conditionsOf(exchange: Located): ConditionalHeaders | undefined {
  let found: Record<string, string> | undefined;
  for (const name of ["if-match", "if-none-match", "if-unmodified-since"]) {
    const value = header(exchange, name);
    if (value === undefined) continue;
    found ??= {};
    found[name] = value;
  }
  return found;
}

import { claimDigest, fingerprint } from "../idempotency/fingerprint.ts";
import type { Claim } from "../idempotency/ledger.ts";
import type { Claimed, Validated } from "./exchange.ts";

/**
 * Says what the request claims to be the first of: by its key, or, where the operation declares a
 * window, by all that it says.
 */
export function claim(exchange: Validated): Claimed {
  return Object.assign(exchange, { claim: claimOf(exchange) });
}

function claimOf(exchange: Validated): Claim | undefined {
  const { operation, key, principal } = exchange;
  const { keepMs, windowMs } = operation.idempotency;
  if (key === undefined && windowMs === 0) return undefined;
  const print = fingerprint(exchange);
  return key === undefined
    ? {
        digest: claimDigest(principal?.id, operation.id, "window", print),
        fingerprint: print,
        keepMs: windowMs,
      }
    : {
        digest: claimDigest(principal?.id, operation.id, "key", key),
        fingerprint: print,
        keepMs,
      };
}

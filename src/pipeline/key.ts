import { claimDigest } from "../idempotency/fingerprint.ts";
import { isUuid, namedKey } from "../idempotency/key.ts";
import { Problem } from "../kernel/problems.ts";
import type { Answer } from "./answer.ts";
import type { Negotiated } from "./exchange.ts";
import { caching } from "./read.ts";

/** What became of one request with a key. */
export interface KeyUse {
  readonly operation: string;
  readonly state: "running" | "done";
  readonly status?: number;
  readonly location?: string;
  /** RFC 3339, UTC. */
  readonly answeredAt?: string;
  readonly keptUntil?: string;
}

/**
 * `GET /idempotency/{key}`: what a key did, for who used it. Callers without credentials share one
 * scope, so they are told of UUIDs only: of a key that can be guessed, anybody would be.
 */
export async function readKey(exchange: Negotiated): Promise<Answer> {
  const { serving, underway, reader, principal, params, now } = exchange;
  const key = namedKey(params.key ?? "");
  if (key === undefined || (principal === null && !isUuid(key))) throw new Problem("not-found");
  const uses: KeyUse[] = [];
  for (const operation of serving.api.operations) {
    if (operation.idempotency.key === "ignored") continue;
    const digest = claimDigest(principal?.id, operation.id, "key", key);
    // Asked first: what ends between the two questions is found in the ledger.
    const running = underway.has(digest);
    const entry = await serving.ledger.find(reader, digest, now);
    if (entry !== undefined) {
      uses.push({
        operation: operation.id,
        state: "done",
        status: entry.status,
        ...(entry.headers.location === undefined ? {} : { location: entry.headers.location }),
        answeredAt: new Date(entry.recordedAt).toISOString(),
        keptUntil: new Date(entry.expiresAt).toISOString(),
      });
    } else if (running) uses.push({ operation: operation.id, state: "running" });
  }
  if (uses.length === 0) {
    throw new Problem("not-found", {
      detail:
        "No request of yours with this key is known: none came, or it is longer ago than keys are kept.",
    });
  }
  return {
    status: 200,
    headers: { "content-type": "application/json", ...caching(exchange) },
    body: JSON.stringify({ key, uses }),
    problem: undefined,
  };
}

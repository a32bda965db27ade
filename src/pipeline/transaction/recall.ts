import type { Claim } from "../../idempotency/ledger.ts";
import { Problem, type ProblemName } from "../../kernel/problems.ts";
import type { Transaction } from "../../store/port.ts";
import type { Answer } from "../answer.ts";
import { problemAnswer } from "../problem-answer.ts";
import type { Serving } from "../serving.ts";
import type { WriteUnit } from "./unit.ts";

/**
 * The answer of the first request with this claim, where there was one; `undefined` for the first.
 * Another request with the same key gets a problem, and what is recorded stays as it is.
 */
export async function recall(
  { ledger, api, place }: Serving,
  transaction: Transaction,
  { now, requestId }: WriteUnit,
  { digest, fingerprint }: Claim,
): Promise<Answer | undefined> {
  const entry = await ledger.find(transaction, digest, now);
  if (entry === undefined) return undefined;
  if (entry.fingerprint !== fingerprint) {
    const problem = new Problem("idempotency-key-reused");
    return problemAnswer(problem, api.dialect, place.pages, requestId);
  }
  return {
    status: entry.status,
    headers: { ...entry.headers, "idempotent-replayed": "true" },
    body: entry.body,
    problem: entry.problem as ProblemName | undefined,
  };
}

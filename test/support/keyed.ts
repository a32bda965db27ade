import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Answer } from "./scenario.ts";

/** Header fields of a request with an idempotency key: a new one, unless it is given. */
export function keyed(
  key: string = randomUUID(),
  headers: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { "idempotency-key": key, ...headers };
}

/** A fixture's caller of this name. */
export const by = (name: string) => ({ authorization: `Bearer ${name}` });

/** What is another one in each answer, whatever it says. */
const OF_ITS_OWN = new Set([
  "date",
  "request-id",
  "connection",
  "keep-alive",
  "idempotent-replayed",
]);

const lasting = ({ headers }: Answer) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_ITS_OWN.has(name)));

/** Asserts that an answer is an earlier one again, byte for byte, and says so. */
export function assertReplay(first: Answer, again: Answer): void {
  assert.equal(again.header("idempotent-replayed"), "true", `${again.status}: ${again.text}`);
  assert.equal(first.header("idempotent-replayed"), null, "the first one is no replay");
  assert.equal(again.status, first.status);
  assert.equal(again.text, first.text);
  assert.deepEqual(lasting(again), lasting(first));
  assert.notEqual(again.header("request-id"), first.header("request-id"));
}

/** Asserts that an answer is one of its own. */
export function assertFirst(answer: Answer, status: number): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.header("idempotent-replayed"), null, answer.text);
}

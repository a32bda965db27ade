import assert from "node:assert/strict";
import type { Answer } from "./scenario.ts";

interface Fault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly header?: string;
  readonly code: string;
  readonly detail: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly Fault[];
  readonly [extension: string]: unknown;
}

/** What must never leave the server: SQL, code, files, and the libraries that it is made of. */
const INTERNALS =
  /sqlite|\bselect\b.*\bfrom\b|insert into|constraint failed|node_modules|node:|\.ts\b|\n\s+at |\/tmp\/|\/work\/|fastify|kysely/i;

/** Asserts a whole problem (RFC 9457): what every one has, and what this one says. */
export function assertProblem(answer: Answer, status: number, type: string): Problem {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.header("content-type"), "application/problem+json");
  const problem = answer.body as Problem;
  assert.equal(problem.type, `/problems/${type}`);
  assert.equal(problem.status, status);
  assert.equal(problem.instance, `urn:uuid:${answer.header("request-id")}`);
  assert.ok(problem.title.length > 0 && problem.detail.length > 0, answer.text);
  assert.doesNotMatch(answer.text, INTERNALS);
  return problem;
}

/** Asserts a 422 that lists exactly these faults, each written `#/pointer code`, in any order. */
export function assertInvalid(answer: Answer, faults: readonly string[]): Problem {
  const problem = assertProblem(answer, 422, "validation-failed");
  assert.deepEqual(faultsOf(problem), [...faults].sort());
  return problem;
}

/** The faults of a problem as `#/pointer code` or `parameter code`, sorted. */
export function faultsOf({ errors = [] }: Problem): string[] {
  for (const { detail } of errors) assert.ok(detail.length > 0);
  return errors
    .map(({ pointer, parameter, header, code }) => `${pointer ?? parameter ?? header} ${code}`)
    .sort();
}

/** The detail of the fault at a place. */
export function detailAt({ errors = [] }: Problem, place: string): string {
  const fault = errors.find(
    ({ pointer, parameter, header }) => (pointer ?? parameter ?? header) === place,
  );
  assert.ok(fault, `no fault at ${place} in ${JSON.stringify(errors)}`);
  return fault.detail;
}

import assert from "node:assert/strict";
import { Problem, type ProblemName } from "../../src/kernel/problems.ts";

/** The problem that `action` has to throw. */
export function problemOf(type: ProblemName, action: () => unknown): Problem {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof Problem) {
      assert.equal(thrown.type, type);
      return thrown;
    }
    throw thrown;
  }
  throw new assert.AssertionError({ message: `Nothing was refused; expected ${type}.` });
}

/** The faults of that problem, each as its place and code: `#/email required`. */
export function faultsOf(type: ProblemName, action: () => unknown): string[] {
  return (problemOf(type, action).details.errors ?? []).map(
    (fault) => `${fault.pointer ?? fault.parameter ?? fault.header ?? "?"} ${fault.code}`,
  );
}

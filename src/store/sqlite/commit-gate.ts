/**
 * Stands between a writer that is being given up and its commit. Whoever gives it up closes the
 * gate; from then on no commit begins, so what was not committing yet never will be, and everyone
 * who waits can be told at once. Shared between the threads: one number, changed atomically.
 */
export type CommitGate = Int32Array<SharedArrayBuffer>;

const OPEN = 0;
const COMMITTING = 1;
const CLOSED = 2;

export function commitGate(): CommitGate {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** @returns false where the writer was given up: it must not commit */
export function enterCommit(gate: CommitGate): boolean {
  return Atomics.compareExchange(gate, 0, OPEN, COMMITTING) === OPEN;
}

export function leaveCommit(gate: CommitGate): void {
  Atomics.compareExchange(gate, 0, COMMITTING, OPEN);
}

/** @returns false where a commit is under way: only its end will tell what became of it */
export function closeGate(gate: CommitGate): boolean {
  return Atomics.compareExchange(gate, 0, OPEN, CLOSED) !== COMMITTING;
}

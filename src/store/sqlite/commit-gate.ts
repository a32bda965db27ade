/**
 * What two threads have to know of each other without a message: whether a commit is under way, and
 * which unit is. Shared memory, changed atomically.
 *
 * Stands between a writer that is being given up and its commit. Whoever gives it up closes the
 * gate; from then on no commit begins, so what was not committing yet never will be, and everyone
 * who waits can be told at once.
 */
export type CommitGate = Int32Array<SharedArrayBuffer>;

const OPEN = 0;
const COMMITTING = 1;
const CLOSED = 2;

export function commitGate(): CommitGate {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Numbers of units grow for ever, and these cells do not; so far apart no two ever wait. */
const UNITS = 2 ** 30;

/** The unit with this number has the writer now; `undefined` when none has. */
export function setUnderWay(gate: CommitGate, unit: number | undefined): void {
  Atomics.store(gate, 1, unit === undefined ? 0 : (unit % UNITS) + 1);
}

/** Whether this unit had the writer when it was last heard of. */
export function isUnderWay(gate: CommitGate, unit: number): boolean {
  return Atomics.load(gate, 1) === (unit % UNITS) + 1;
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

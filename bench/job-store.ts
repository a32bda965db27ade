import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "./server.ts";

/** No job has ended for so long: it will not happen any more. */
const STALLED_MS = 30_000;

/** Looks at the jobs of a store while its server runs, through a connection that can't write. */
export class JobStore {
  readonly #server: Server;
  readonly #db: DatabaseSync;

  constructor(server: Server) {
    this.#server = server;
    this.#db = new DatabaseSync(server.store, { readOnly: true, timeout: 5_000 });
  }

  /** How many have ended, well or not. It reads an index that has only those. */
  get ended(): number {
    return this.#number(
      "SELECT count(*) FROM posthaste_jobs INDEXED BY posthaste_jobs_expiry WHERE expires_at IS NOT NULL",
    );
  }

  /** @throws {Error} when some have failed, or were run more than once. */
  assertDoneOnce(kind: string, count: number): void {
    const done = this.#number(
      "SELECT count(*) FROM posthaste_jobs WHERE kind = ? AND state = 'done' AND attempt = 1",
      kind,
    );
    if (done !== count) throw new Error(`Of ${count} jobs, ${done} were done at the first attempt`);
  }

  /** @throws {Error} when there are more or fewer of the kind. */
  assertKept(kind: string, state: string | null, count: number): void {
    const kept = this.#number(
      "SELECT count(*) FROM posthaste_jobs WHERE kind = ?1 AND state = ifnull(?2, state)",
      kind,
      state,
    );
    if (kept !== count) throw new Error(`Of ${count} jobs ${kind}, ${kept} are in the store`);
  }

  /**
   * Milliseconds from when the first job was taken until this many were done, by the server's own
   * notes: every job is kept equally long, so they expire in the order in which they ended.
   */
  millisecondsOfFirst(count: number): number {
    const last = this.#number(
      "SELECT finished_at FROM posthaste_jobs WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1 OFFSET ?",
      count - 1,
    );
    const first = this.#number(
      "SELECT min(started_at) FROM posthaste_jobs WHERE expires_at IS NOT NULL",
    );
    return last - first;
  }

  /** Resolves once so many have ended. */
  async untilEnded(count: number, lookEveryMs: number): Promise<void> {
    let before = -1;
    let changedAt = performance.now();
    while (true) {
      const { ended } = this;
      if (ended >= count) return;
      if (ended !== before) {
        before = ended;
        changedAt = performance.now();
      } else if (performance.now() - changedAt > STALLED_MS) {
        throw new Error(
          `${ended} of ${count} jobs have ended, and no more do.\n${this.#server.lastWords()}`,
        );
      }
      await sleep(lookEveryMs);
    }
  }

  close(): void {
    this.#db.close();
  }

  #number(sql: string, ...values: SQLInputValue[]): number {
    return Number(Object.values(this.#db.prepare(sql).get(...values) ?? {})[0]);
  }
}

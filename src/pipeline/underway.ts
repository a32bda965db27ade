import { Problem } from "../kernel/problems.ts";

/**
 * The claims of requests that are not answered yet, by digest. A twin waits for the first one
 * here, for a bounded time, and not in the lane, where it would take the place of others.
 */
export class Underway {
  readonly #claims = new Map<string, Promise<unknown>>();
  readonly #waitMs: number;

  /** @param waitMs Milliseconds that a twin waits. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  has(digest: string): boolean {
    return this.#claims.has(digest);
  }

  /**
   * Does the work when the request under way with the same claim has ended. Twins that waited go
   * on together: the lane takes one after the other, and all but one find an answer recorded.
   * @throws Problem request-in-progress
   */
  async once<T>(digest: string, work: () => Promise<T>): Promise<T> {
    const first = this.#claims.get(digest);
    if (first !== undefined && !(await settles(first, this.#waitMs))) {
      throw new Problem("request-in-progress", { headers: { "retry-after": "1" } });
    }
    const working = work();
    if (this.#claims.has(digest)) return working;
    this.#claims.set(digest, working);
    try {
      return await working;
    } finally {
      this.#claims.delete(digest);
    }
  }
}

function settles(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    const done = () => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(done, done);
  });
}

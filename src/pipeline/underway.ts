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

  /** Does the work once no other request with the same claim is under way. */
  async once<T>(digest: string, work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#waitMs;
    for (let first = this.#claims.get(digest); first !== undefined; ) {
      if (!(await settles(first, deadline - performance.now()))) {
        throw new Problem("request-in-progress", { headers: { "retry-after": "1" } });
      }
      first = this.#claims.get(digest);
    }
    const working = work();
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
    const timer = setTimeout(() => resolve(false), Math.max(0, milliseconds));
    const done = () => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(done, done);
  });
}

import { setTimeout as sleep } from "node:timers/promises";

/** What `promise` comes to, or a failure that says what did not happen in time. */
export async function within<T>(
  milliseconds: number,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(milliseconds, undefined, { signal: over.signal }).then(() => {
        throw new Error(`Not within ${milliseconds} ms: ${what}`);
      }),
    ]);
  } finally {
    over.abort();
  }
}

/** Looks every few milliseconds until `look` gives something true. */
export async function eventually<T>(
  milliseconds: number,
  what: string,
  look: () => T | Promise<T>,
): Promise<NonNullable<T>> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`Not within ${milliseconds} ms: ${what}`);
    await sleep(10);
  }
}

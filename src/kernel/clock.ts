/**
 * The one place where the framework reads the time, so that a test can stop or move it.
 * Everything that the framework stores is milliseconds since the Unix epoch.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

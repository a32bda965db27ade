/** A time span as one says it: `"30 seconds"`, `"1 hour"`, `"1.5 days"`. */
export type Duration =
  | `${number} ${"millisecond" | "second" | "minute" | "hour" | "day"}`
  | `${number} ${"milliseconds" | "seconds" | "minutes" | "hours" | "days"}`;

const units: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

const DURATION = /^(\d{1,9}(?:\.\d{1,3})?) (millisecond|second|minute|hour|day)s?$/;

/** Ten years: what is longer is a mistake, or for ever. */
const MAX_MS = 3_650 * 86_400_000;

/** Milliseconds of a duration; `undefined` where it is none. */
export function millisecondsOf(duration: unknown): number | undefined {
  const [, amount, unit] = DURATION.exec(String(duration)) ?? [];
  if (amount === undefined) return undefined;
  const milliseconds = Math.round(Number(amount) * units[unit!]!);
  return milliseconds <= MAX_MS ? milliseconds : undefined;
}

/** Milliseconds of a duration that was verified. */
export function milliseconds(duration: Duration): number {
  return millisecondsOf(duration)!;
}

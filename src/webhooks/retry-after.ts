import type { Clock } from "../kernel/clock.ts";

/** The three forms of an HTTP date (RFC 9110 section 5.6.7), by their beginnings and ends. */
const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}(?:, [\w -]+ [\d:]{8} GMT| [\w ]+ [\d:]{8} \d{4})$/;

/**
 * Milliseconds to wait as `Retry-After` (RFC 9110 section 10.2.3) asks for, in seconds or as a
 * date; `undefined` where it is missing or malformed.
 * @param maxMs What is waited at most, whatever it asks for.
 */
export function retryAfterMs(
  field: string | undefined,
  clock: Clock,
  maxMs: number,
): number | undefined {
  if (field === undefined) return undefined;
  if (/^\d+$/.test(field)) return Math.min(Number(field) * 1_000, maxMs);
  if (!HTTP_DATE.test(field)) return undefined;
  // The form of asctime() names no zone, and would be read in that of this machine.
  const time = Date.parse(field.endsWith("GMT") ? field : `${field} GMT`);
  return Number.isNaN(time) ? undefined : Math.min(Math.max(time - clock.now(), 0), maxMs);
}

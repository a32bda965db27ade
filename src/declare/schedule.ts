import { Cron } from "croner";

/** What a cron expression says; read once. */
export interface Schedule {
  /** Milliseconds since the Unix epoch of the next time after this one; `undefined` for never. */
  after(now: number): number | undefined;
}

/**
 * Reads a cron expression of five fields, or six with seconds.
 * @param timeZone IANA name
 * @throws Error with a sentence on what is wrong
 */
export function readSchedule(expression: string, timeZone: string): Schedule {
  const cron = new Cron(expression, { paused: true, timezone: timeZone });
  // A time zone that does not exist is only found when it is used.
  cron.nextRun();
  return { after: (now) => cron.nextRun(new Date(now))?.getTime() };
}

import { uptime } from "node:os";

/**
 * The one place where the framework reads the time, so that a test can stop or move it.
 * Everything that the framework stores is milliseconds since the Unix epoch.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** The wall clock, jumps and all: for what is shown, and for nothing that is waited for. */
export const systemClock: Clock = { now: () => Date.now() };

/** Where a slewed clock reads; all of them in milliseconds. */
export interface TimeSources {
  /** Time of day: may jump, either way. */
  wall(): number;
  /** Runs evenly and never goes back, but may stand still while the machine sleeps. */
  monotonic(): number;
  /** Like the monotonic one, but goes on while the machine sleeps; may be coarse and slow to read. */
  sinceBoot(): number;
}

const system: TimeSources = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  sinceBoot: () => uptime() * 1_000,
};

/** Part of the time that passes by which the clock may run faster or slower than it. */
const MOST_SLEW = 0.5;
/** The wall clock tells whole milliseconds: so far from it, this clock shows the same as it. */
const IN_STEP_MS = 10;
/** A change of the distance to the wall clock that is a jump, or a sleep of the machine. */
const JUMP_MS = 1_000;

/**
 * A clock for durations: it begins with the wall clock and follows it, but never jumps. What the
 * wall clock jumped is made up for by running up to half as fast again, or half as fast, until both
 * agree: a day is absorbed in two. So 24 hours by this clock are never less than 16, nor more than
 * 48, whatever becomes of the wall clock; and it never goes back.
 */
export function slewedClock(sources: TimeSources = system): Clock {
  // Times are counted from here: so near to zero, no small part of them is lost in a double.
  const epoch = sources.wall();
  let monotonic = sources.monotonic();
  let asleep = sources.sinceBoot() - monotonic;
  let time = 0;
  let distance = 0;
  let shown = 0;
  return {
    now() {
      const wall = sources.wall() - epoch;
      const reading = sources.monotonic();
      let elapsed = Math.max(0, reading - monotonic);
      monotonic = reading;
      if (Math.abs(wall - time - elapsed - distance) > JUMP_MS) {
        // Time that the machine slept has passed like any other.
        const slept = sources.sinceBoot() - reading - asleep;
        asleep += slept;
        if (slept > JUMP_MS) elapsed += slept;
      }
      const slew = elapsed * MOST_SLEW;
      time = Math.min(Math.max(wall, time + elapsed - slew), time + elapsed + slew);
      distance = wall - time;
      shown = Math.max(shown, Math.abs(distance) < IN_STEP_MS ? wall : Math.floor(time));
      return epoch + shown;
    },
  };
}

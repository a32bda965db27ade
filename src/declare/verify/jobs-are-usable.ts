import { readSchedule } from "../schedule.ts";
import { isStandardSchema } from "../standard-schema.ts";
import { type DeclarationFault, jobsOf, type VerifyRule } from "./fault.ts";
import {
  DURATION,
  isDuration,
  isFunction,
  isOptions,
  type Option,
  outOfRange,
  whole,
} from "./range.ts";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** A job is found by its name, also by the next release; and what it is given must be readable. */
export const jobsAreUsable: VerifyRule = (api) => {
  const owners = new Map<string, string>();
  return jobsOf(api).flatMap(({ key, job: { name, config } }): DeclarationFault[] => {
    const faults: DeclarationFault[] = [];
    const owner = owners.get(name);
    owners.set(name, key);
    if (!NAME.test(name)) {
      faults.push({
        where: key,
        fault: `the name ${JSON.stringify(name)} can't name a job.`,
        mend: 'Write it in lower case, words joined by "-": job("welcome-mail", …).',
      });
    } else if (owner !== undefined) {
      faults.push({
        where: key,
        fault: `"${name}" is the name of ${owner} already.`,
        mend: "Give one of them another name.",
      });
    }
    if (!isStandardSchema(config.input)) {
      faults.push({
        where: `${key}.input`,
        fault: config.input === undefined ? "is missing." : "is not a Standard Schema.",
        mend: "Write input: z.object({ … }); a job that needs nothing takes z.object({}).",
      });
    }
    if (!isFunction(config.run)) {
      faults.push({
        where: `${key}.run`,
        fault: "is not a function.",
        mend: "Write run: async ({ input }) => { … }.",
      });
    }
    if (config.backoff !== undefined && !isOptions(config.backoff)) {
      faults.push({
        where: `${key}.backoff`,
        fault: "is not an object of options.",
        mend: 'Write backoff: { first: "1 second", most: "1 hour" }.',
      });
    }
    return [...faults, ...outOfRange(key, optionsOf(config)), ...scheduleFaults(key, config)];
  });
};

function optionsOf(config: Readonly<Record<string, unknown>>): Option[] {
  const { first, most } = (config.backoff ?? {}) as { first?: unknown; most?: unknown };
  return [
    { name: "location", value: config.location, allowed: isFunction, expected: "a function" },
    {
      name: "description",
      value: config.description,
      allowed: (value) => typeof value === "string",
      expected: "a string",
    },
    {
      name: "attempts",
      value: config.attempts,
      allowed: whole(1, 1_000),
      expected: "a whole number from 1 to 1,000",
    },
    {
      name: "concurrency",
      value: config.concurrency,
      allowed: whole(1, 10_000),
      expected: "a whole number from 1 to 10,000",
    },
    {
      name: "priority",
      value: config.priority,
      allowed: whole(-1_000, 1_000),
      expected: "a whole number from -1,000 to 1,000",
    },
    { name: "timeout", value: config.timeout, allowed: isDuration, expected: DURATION },
    { name: "keep", value: config.keep, allowed: isDuration, expected: DURATION },
    { name: "backoff.first", value: first, allowed: isDuration, expected: DURATION },
    { name: "backoff.most", value: most, allowed: isDuration, expected: DURATION },
  ];
}

function scheduleFaults(
  key: string,
  { schedule, timeZone = "UTC", input }: Readonly<Record<string, unknown>>,
): DeclarationFault[] {
  if (schedule === undefined) return [];
  try {
    readSchedule(String(schedule), String(timeZone));
  } catch (error) {
    return [
      {
        where: `${key}.schedule`,
        fault: `is not a schedule: ${(error as Error).message}.`,
        mend: 'Write a cron expression, such as schedule: "0 3 * * *" for three o\'clock, and an IANA time zone.',
      },
    ];
  }
  if (!isStandardSchema(input)) return [];
  const result = input["~standard"].validate({});
  if (result instanceof Promise || result.issues === undefined) return [];
  return [
    {
      where: `${key}.schedule`,
      fault: "gives the job the input {}, which its schema refuses.",
      mend: "Make every field of the input optional, or give it a default.",
    },
  ];
}

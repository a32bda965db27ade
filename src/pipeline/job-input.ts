import { JobFailure, type JobModel } from "../declare/job.ts";
import { millisecondsOf } from "../kernel/duration.ts";

/** Characters of a job's input, and of its result, at the most: more belongs into a table or a file. */
const MAX_JOB_LENGTH = 1_048_576;

/**
 * What a job's schema makes of its input.
 * @throws Error that says where it does not fit; the developer's fault, not a client's
 */
export async function parseJobInput({ name, input: schema }: JobModel, input: unknown) {
  const text = textOf(input);
  if (text === undefined) throw new Error(`The input of the job "${name}" is no JSON.`);
  if (text.length > MAX_JOB_LENGTH) {
    throw new Error(
      `The input of the job "${name}" has more than ${MAX_JOB_LENGTH} characters as JSON: keep it in a table, and give the job its id.`,
    );
  }
  // What the job will get: dates, for one, are text by then.
  const result = await schema["~standard"].validate(JSON.parse(text));
  if (result.issues === undefined) return result.value;
  const faults = result.issues.map(({ message, path = [] }) => {
    const at = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return at === "" ? message : `${at}: ${message}`;
  });
  throw new Error(`The input of the job "${name}" does not fit its schema. ${faults.join("; ")}`);
}

/**
 * A job's input as it is kept.
 * @throws Error where the job's schema refuses it
 */
export async function keptJobInput(model: JobModel, input: unknown): Promise<unknown> {
  await parseJobInput(model, input);
  return JSON.parse(textOf(input)!);
}

/**
 * What a job gave, as it will be read again.
 * @throws JobFailure where it can't be kept: another attempt would give the same
 */
export function asJson(what: "result" | "progress", value: unknown): unknown {
  const text = textOf(value);
  if (text === undefined) throw new JobFailure(`${what}-not-json`, `The ${what} is no JSON.`);
  if (text.length > MAX_JOB_LENGTH) {
    throw new JobFailure(
      `${what}-too-large`,
      `The ${what} has more than ${MAX_JOB_LENGTH} characters as JSON: keep it in a table or a file.`,
    );
  }
  return JSON.parse(text);
}

/** Nothing at all is `null`. Kysely tells counts and ids as bigints: those are numbers, or text. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value ?? null, (_, part) =>
      typeof part === "bigint" ? numberOf(part) : part,
    );
  } catch {
    return undefined;
  }
}

function numberOf(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/**
 * Milliseconds of a duration that a function gave while it ran.
 * @throws Error that says what is wrong with it
 */
export function readDuration(duration: unknown): number {
  const span = millisecondsOf(duration);
  if (span === undefined)
    throw new Error(`${JSON.stringify(duration)} is not a duration such as "30 seconds".`);
  return span;
}

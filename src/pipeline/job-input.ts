import type { JobModel } from "../declare/job.ts";

/** Bytes of a job's input, and of its result, at the most: more belongs into a table or a file. */
export const MAX_JOB_BYTES = 1_048_576;

/**
 * What a job's schema makes of its input.
 * @throws Error that says where it does not fit; the developer's fault, not a client's
 */
export async function parseJobInput({ name, input: schema }: JobModel, input: unknown) {
  const text = JSON.stringify(input ?? null);
  if (text.length > MAX_JOB_BYTES) {
    throw new Error(
      `The input of the job "${name}" has more than ${MAX_JOB_BYTES} characters as JSON: keep it in a table, and give the job its id.`,
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

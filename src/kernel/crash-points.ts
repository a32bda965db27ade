/** Where a test can have the process die. docs/durability.md says what each of them stands for. */
export const crashPoints = [
  "in-turn",
  "before-commit",
  "after-commit",
  "before-results",
  "in-hold",
  "before-answer",
  "after-claim",
  "before-end",
  "after-end",
  "before-step",
  "after-step",
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** `NAME:COUNT`, read once: the process dies at this passage of this point. */
const ARMED = armed(process.env.POSTHASTE_CRASH_AT);
let passages = 0;

/**
 * Does nothing, unless the process was started with `POSTHASTE_CRASH_AT=NAME:COUNT`: then it is
 * killed at the COUNT-th passage of that point, as by `kill -9`. Each thread counts for itself.
 */
export function crashPoint(name: CrashPoint): void {
  if (ARMED === undefined) return;
  if (ARMED.name === name && ++passages === ARMED.count) process.kill(process.pid, "SIGKILL");
}

function armed(text: string | undefined): { name: string; count: number } | undefined {
  if (text === undefined || text === "") return undefined;
  const [name = "", count = ""] = text.split(":");
  if (!crashPoints.some((known) => known === name) || !/^[1-9]\d{0,8}$/.test(count)) {
    throw new Error(
      `POSTHASTE_CRASH_AT is for tests, and is NAME:COUNT with one of ${crashPoints.join(", ")}, not "${text}".`,
    );
  }
  return { name, count: Number(count) };
}

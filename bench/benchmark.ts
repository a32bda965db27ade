/** What every benchmark takes and gives back; `main.ts` has the table of them. */

export interface Settings {
  /** Measured time of one figure. */
  seconds: number;
  rounds: number;
  /** What the load comes from: Node's own HTTP client, or bare sockets. */
  client: "node" | "raw";
  /** Where the stores go. */
  directory: string;
  /** Names of contenders; `undefined` for all of them. */
  only: readonly string[] | undefined;
  /** Says what is being measured, where somebody watches. */
  progress: (doing: string) => void;
}

export interface Target {
  name: string;
  /** Either of the two bounds. */
  atLeast?: number;
  atMost?: number;
  /** `undefined` where it was not measured, which is a miss. */
  actual: number | undefined;
}

export interface Outcome {
  /** Goes into the JSON object as it is. */
  figures: Record<string, unknown>;
  /** The same for people. */
  text: string;
  targets: readonly Target[];
}

export interface Benchmark {
  summary: string;
  run: (settings: Settings) => Promise<Outcome>;
}

/** Wrong words on the command line: to be shown without a stack. */
export class UsageError extends Error {}

export function isMet({ actual, atLeast, atMost }: Target): boolean {
  if (actual === undefined) return false;
  return actual >= (atLeast ?? Number.NEGATIVE_INFINITY) && actual <= (atMost ?? actual);
}

/** What every benchmark takes and gives back; `main.ts` has the table of them. */

export interface Settings {
  /** Measured time of one figure. */
  seconds: number;
  rounds: number;
  /** What the load comes from: Node's own HTTP client, or bare sockets. */
  client: "node" | "raw";
  /** Where the stores go. */
  directory: string;
  /** Whether a store that took long to fill may stay there for the next run. */
  keepsFilled: boolean;
  /** Names of contenders; `undefined` for all of them. */
  only: readonly string[] | undefined;
  /** Recorded answers that a filled store has. */
  rows: number;
  /** Finished jobs that a filled store has. */
  jobs: number;
  /** Jobs that are run for one figure. */
  count: number;
  /** Jobs that wait in a long queue. */
  backlog: number;
  /** Says what is being measured, where somebody watches. */
  progress: (doing: string) => void;
}

/** Options that some benchmarks take, and others refuse. */
export type OwnOption = "seconds" | "client" | "only" | "rows" | "jobs" | "count" | "backlog";

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
  takes: readonly OwnOption[];
  run: (settings: Settings) => Promise<Outcome>;
}

/** Wrong words on the command line: to be shown without a stack. */
export class UsageError extends Error {}

export function isMet({ actual, atLeast, atMost }: Target): boolean {
  if (actual === undefined) return false;
  return actual >= (atLeast ?? Number.NEGATIVE_INFINITY) && actual <= (atMost ?? actual);
}

/** What a load of some seconds shows, and how that is told. */

import { median } from "./statistics.ts";
import { figure } from "./table.ts";

/** Latencies are in milliseconds. */
export interface SteadyFigures {
  requestsPerSecond: number;
  p50: number;
  p99: number;
  max: number;
  /** What the generator itself spent per request, user and system together. */
  generatorMicroseconds: number;
}

export const steadyHeader = ["req/s", "p50 ms", "p99 ms", "max ms"];

export function steadyCells({ requestsPerSecond, p50, p99, max }: SteadyFigures): string[] {
  return [requestsPerSecond, p50, p99, max].map(figure);
}

export function medianFigures(samples: readonly SteadyFigures[]): SteadyFigures {
  const of = (pick: (sample: SteadyFigures) => number) => median(samples.map(pick));
  return {
    requestsPerSecond: of((sample) => sample.requestsPerSecond),
    p50: of((sample) => sample.p50),
    p99: of((sample) => sample.p99),
    max: of((sample) => sample.max),
    generatorMicroseconds: of((sample) => sample.generatorMicroseconds),
  };
}

/** Two kinds of load at 64 connections, round by round, and the second over the first. */

import type { Outcome } from "./benchmark.ts";
import { median } from "./statistics.ts";
import { medianFigures, type SteadyFigures, steadyCells, steadyHeader } from "./steady-figures.ts";
import { bold, dim, table } from "./table.ts";

export const PAIR_CONNECTIONS = 64;

export interface Pair<Name extends string> {
  title: string;
  note: string;
  /** The name of each, for the JSON object, and its label. The first is the baseline. */
  labels: Readonly<Record<Name, string>>;
  target: string;
  /** The ratio that has to be reached. */
  atLeast: number;
}

export function pairOutcome<Name extends string>(
  { title, note, labels, target, atLeast }: Pair<Name>,
  rounds: readonly Readonly<Record<Name, SteadyFigures>>[],
): Outcome {
  const [baseline, other] = Object.keys(labels) as [Name, Name];
  const figuresOf = (name: Name) => medianFigures(rounds.map((round) => round[name]));
  const ratio = median(
    rounds.map((round) => round[other].requestsPerSecond / round[baseline].requestsPerSecond),
  );
  const rows = [baseline, other].map((name) => [
    labels[name],
    ...steadyCells(figuresOf(name)),
    name === other ? `${ratio.toFixed(2)} ×` : "",
  ]);
  return {
    figures: {
      figures: { [baseline]: figuresOf(baseline), [other]: figuresOf(other) },
      ratio,
      samples: rounds,
    },
    text: [bold(title), dim(note), "", table(["", ...steadyHeader, "is"], rows)].join("\n"),
    targets: [{ name: target, atLeast, actual: ratio }],
  };
}

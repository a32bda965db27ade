/** Medians, ratios and targets of a comparison, as an object and as a table. */

import type { Outcome, Target } from "./benchmark.ts";
import { type Contender, contenderNames, labels } from "./contenders.ts";
import { median } from "./statistics.ts";
import { medianFigures, type SteadyFigures, steadyCells, steadyHeader } from "./steady-figures.ts";
import { bold, dim, figure, table } from "./table.ts";

/** What one round measured of one contender. */
export interface Sample {
  /** From the first connect until the last client has its first answer. */
  rampMs: number;
  /** By number of connections. */
  steady: Record<string, SteadyFigures>;
}

export type Round = Partial<Record<Contender, Sample>>;

type Baseline = Exclude<Contender, "ours">;

/** Posthaste over each of the others; `undefined` where one of the two was not measured. */
type Ratios = Record<Baseline, number | undefined>;

export interface Measured {
  /** By number of connections: of requests per second, and of two latencies. */
  ratios: Record<string, Ratios & { p50: Ratios; p99: Ratios }>;
  /** Milliseconds from the first connect until the last client has its first answer. */
  ramp: Partial<Record<Contender, number>>;
}

export interface Telling {
  title: string;
  /** What one has to know to read the figures. */
  note?: string;
  targets: (measured: Measured) => Target[];
}

export function comparisonOutcome(
  { title, note, targets }: Telling,
  rounds: readonly Round[],
  connectionCounts: readonly number[],
): Outcome {
  const measured = contenderNames.filter((name) => rounds.every((round) => name in round));
  const samplesOf = (name: Contender) => rounds.map((round) => round[name]!);
  const perContender = <T>(of: (name: Contender) => T) =>
    Object.fromEntries(measured.map((name) => [name, of(name)])) as Partial<Record<Contender, T>>;
  const perConnections = <T>(of: (connections: number) => T) =>
    Object.fromEntries(connectionCounts.map((count) => [String(count), of(count)]));

  const figures = perContender((name) =>
    perConnections((count) =>
      medianFigures(samplesOf(name).map((sample) => sample.steady[count]!)),
    ),
  );
  const ratios = perConnections((count) => ({
    ...medianRatios(rounds, count, (steady) => steady.requestsPerSecond),
    p50: medianRatios(rounds, count, (steady) => steady.p50),
    p99: medianRatios(rounds, count, (steady) => steady.p99),
  }));
  const ramp = perContender((name) => median(samplesOf(name).map((sample) => sample.rampMs)));

  const rows = connectionCounts.flatMap((count) =>
    measured.map((name) => {
      const ratio = name === "ours" ? undefined : ratios[count]![name];
      return [
        labels[name],
        String(count),
        ...steadyCells(figures[name]![count]!),
        ratio === undefined ? "" : `${ratio.toFixed(2)} ×`,
      ];
    }),
  );
  const rampRows = measured.map((name) => [labels[name], figure(ramp[name])]);
  const text = [
    bold(title),
    ...(note === undefined ? [] : [dim(note)]),
    "",
    table(["", "connections", ...steadyHeader, "Posthaste is"], rows),
    "",
    bold("256 clients connect at once and keep sending"),
    "",
    table(["", "last first answer, ms"], rampRows),
  ].join("\n");
  return {
    figures: { figures, ratios, ramp, samples: rounds },
    text,
    targets: targets({ ratios, ramp }),
  };
}

function medianRatios(
  rounds: readonly Round[],
  connections: number,
  of: (steady: SteadyFigures) => number,
): Ratios {
  return {
    handWritten: medianRatio(rounds, "handWritten", connections, of),
    floor: medianRatio(rounds, "floor", connections, of),
  };
}

/** Taken within each round, where both met the same machine, and only then across rounds. */
function medianRatio(
  rounds: readonly Round[],
  baseline: Baseline,
  connections: number,
  of: (steady: SteadyFigures) => number,
): number | undefined {
  const ratios = rounds.flatMap((round) => {
    const ours = round.ours?.steady[connections];
    const theirs = round[baseline]?.steady[connections];
    return ours && theirs ? [of(ours) / of(theirs)] : [];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

/** Medians, ratios and targets of the create benchmark, as an object and as a table. */

import type { Outcome, Target } from "./benchmark.ts";
import { type Contender, contenderNames, contenders } from "./contenders.ts";
import type { SteadyFigures } from "./load.ts";
import { median } from "./statistics.ts";
import { bold, figure, table } from "./table.ts";

/** What one round measured of one contender. */
export interface Sample {
  /** From the first connect until the last client has its first answer. */
  rampMs: number;
  /** By number of connections. */
  steady: Record<string, SteadyFigures>;
}

export type Round = Partial<Record<Contender, Sample>>;

type Baseline = Exclude<Contender, "ours">;

export function createOutcome(rounds: readonly Round[], connectionCounts: number[]): Outcome {
  const measured = contenderNames.filter((name) => rounds.every((round) => name in round));
  const samplesOf = (name: Contender) => rounds.map((round) => round[name]!);
  const perContender = <T>(of: (name: Contender) => T) =>
    Object.fromEntries(measured.map((name) => [name, of(name)])) as Partial<Record<Contender, T>>;
  const perConnections = <T>(of: (connections: number) => T) =>
    Object.fromEntries(connectionCounts.map((count) => [String(count), of(count)]));

  const figures = perContender((name) =>
    perConnections((count) => medians(samplesOf(name).map((sample) => sample.steady[count]!))),
  );
  const ratios = perConnections((count) => ({
    handWritten: medianRatio(rounds, "handWritten", count),
    floor: medianRatio(rounds, "floor", count),
  }));
  const ramp = perContender((name) => median(samplesOf(name).map((sample) => sample.rampMs)));
  const targets: Target[] = [
    {
      name: "64 connections, req/s over hand-written",
      atLeast: 5,
      actual: ratios["64"]?.handWritten,
    },
    {
      name: "64 connections, req/s over bare node:http",
      atLeast: 0.65,
      actual: ratios["64"]?.floor,
    },
    { name: "256 connect at once, ms to the last first answer", atMost: 500, actual: ramp.ours },
  ];

  const rows = connectionCounts.flatMap((count) =>
    measured.map((name) => {
      const of = figures[name]![count]!;
      const ratio = name === "ours" ? undefined : ratios[count]![name];
      return [
        contenders[name].label,
        String(count),
        ...[of.requestsPerSecond, of.p50, of.p99, of.max].map(figure),
        ratio === undefined ? "" : `${ratio.toFixed(2)} ×`,
      ];
    }),
  );
  const rampRows = measured.map((name) => [contenders[name].label, figure(ramp[name])]);
  const text = [
    bold("POST /api/users, one durable row each"),
    "",
    table(["", "connections", "req/s", "p50 ms", "p99 ms", "max ms", "Posthaste is"], rows),
    "",
    bold("256 clients connect at once and keep sending"),
    "",
    table(["", "last first answer, ms"], rampRows),
  ].join("\n");
  return { figures: { figures, ratios, ramp, samples: rounds }, text, targets };
}

/** Taken within each round, where both met the same machine, and only then across rounds. */
function medianRatio(
  rounds: readonly Round[],
  baseline: Baseline,
  connections: number,
): number | undefined {
  const ratios = rounds.flatMap((round) => {
    const ours = round.ours?.steady[connections];
    const theirs = round[baseline]?.steady[connections];
    return ours && theirs ? [ours.requestsPerSecond / theirs.requestsPerSecond] : [];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

function medians(samples: readonly SteadyFigures[]): SteadyFigures {
  const of = (pick: (sample: SteadyFigures) => number) => median(samples.map(pick));
  return {
    requestsPerSecond: of((sample) => sample.requestsPerSecond),
    p50: of((sample) => sample.p50),
    p99: of((sample) => sample.p99),
    max: of((sample) => sample.max),
    generatorMicroseconds: of((sample) => sample.generatorMicroseconds),
  };
}

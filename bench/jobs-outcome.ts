/** Jobs per second and what a long queue costs, as an object and as a table. */

import type { Outcome, Settings } from "./benchmark.ts";
import { median } from "./statistics.ts";
import { bold, dim, figure, table } from "./table.ts";

/** Milliseconds for as many jobs as the settings say, by what waited in the store beside them. */
export interface Round {
  empty: number;
  otherShort: number;
  otherLong: number;
  sameShort: number;
  sameLong: number;
}

export function jobsOutcome(
  rounds: readonly Round[],
  { count, backlog }: Pick<Settings, "count" | "backlog">,
): Outcome {
  const short = count.toLocaleString("en");
  const long = backlog.toLocaleString("en");
  const labels: Record<keyof Round, string> = {
    empty: "enqueued and run, empty store",
    otherShort: `enqueued and run, beside ${short} of another kind`,
    otherLong: `enqueued and run, beside ${long} of another kind`,
    sameShort: `run, the first ${short} of ${short}`,
    sameLong: `run, the first ${short} of ${long}`,
  };
  const names = Object.keys(labels) as (keyof Round)[];
  const millisecondsOf = (name: keyof Round) => median(rounds.map((round) => round[name]));
  const jobsPerSecond = Object.fromEntries(
    names.map((name) => [name, (count / millisecondsOf(name)) * 1_000]),
  );
  // Taken within each round, where both met the same machine, and only then across rounds.
  const costOf = (longer: keyof Round, shorter: keyof Round) =>
    median(rounds.map((round) => round[longer] / round[shorter]));
  const ratios = {
    otherKind: costOf("otherLong", "otherShort"),
    sameKind: costOf("sameLong", "sameShort"),
  };
  const rows = names.map((name) => [
    labels[name],
    figure(jobsPerSecond[name]),
    figure((millisecondsOf(name) / count) * 1_000),
  ]);
  const note = "Another kind is one that the API does not declare; its jobs are left alone.";
  return {
    figures: { count, backlog, jobsPerSecond, ratios, samples: rounds },
    text: [
      bold(`${short} jobs that do nothing`),
      dim(note),
      "",
      table(["", "jobs/s", "µs per job"], rows),
    ].join("\n"),
    targets: [
      { name: "jobs/s, enqueued and run", atLeast: 8_000, actual: jobsPerSecond.empty },
      {
        name: `cost per job beside ${long} of another kind, over that beside ${short}`,
        atMost: 1.3,
        actual: ratios.otherKind,
      },
      {
        name: `cost per job with a queue of ${long}, over that with ${short}`,
        atMost: 1.3,
        actual: ratios.sameKind,
      },
    ],
  };
}

/** `POST /api/users` with a key, a rule and a hook: the row, the key and the job, all durable. */

import type { Outcome, Settings } from "./benchmark.ts";
import { compare } from "./comparison.ts";
import type { Measured } from "./comparison-outcome.ts";
import { targetsOfCreates } from "./create.ts";
import * as servers from "./servers/commands.ts";

export function full(settings: Settings): Promise<Outcome> {
  const plan = {
    title: "POST /api/users with an Idempotency-Key: a durable row, key and job each",
    note: "The job is due in an hour, so that what is measured is that it was enqueued, on both sides.",
    keyed: true,
    contenders: {
      floor: servers.floor,
      handWritten: servers.handWrittenFull,
      ours: servers.full,
    },
    targets: (measured: Measured) => [
      ...targetsOfCreates(measured),
      {
        name: "64 connections, p99 over that of bare node:http",
        atMost: 3,
        actual: measured.ratios["64"]?.p99.floor,
      },
      {
        name: "1 connection, p50 over hand-written",
        atMost: 1.5,
        actual: measured.ratios["1"]?.p50.handWritten,
      },
    ],
  };
  return compare(plan, settings);
}

/** `POST /api/users`, one durable row each: Posthaste against the floor and the hand-written. */

import type { Outcome, Settings, Target } from "./benchmark.ts";
import { compare } from "./comparison.ts";
import type { Measured } from "./comparison-outcome.ts";
import * as servers from "./servers/commands.ts";

export function create(settings: Settings): Promise<Outcome> {
  const plan = {
    title: "POST /api/users, one durable row each",
    keyed: false,
    contenders: {
      floor: servers.floor,
      handWritten: servers.handWritten,
      ours: servers.users,
    },
    targets: targetsOfCreates,
  };
  return compare(plan, settings);
}

/** What every kind of create has to reach. */
export function targetsOfCreates({ ratios, ramp }: Measured): Target[] {
  return [
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
}

/** Replays of answered keys against creates with new ones, on one server. */

import type { Outcome, Settings } from "./benchmark.ts";
import { PAIR_CONNECTIONS, pairOutcome } from "./pair.ts";
import * as servers from "./servers/commands.ts";
import type { SteadyFigures } from "./steady-figures.ts";
import { Subject } from "./subject.ts";

const FIRST_WARMUP_MS = 3_000;
const WARMUP_MS = 1_000;

export async function replay(settings: Settings): Promise<Outcome> {
  settings.progress("starting");
  const subject = await Subject.start({
    name: "Posthaste",
    command: servers.full,
    keyed: true,
    settings,
  });
  const rounds: { create: SteadyFigures; replay: SteadyFigures }[] = [];
  try {
    for (let number = 1; number <= settings.rounds; number++) {
      const say = (doing: string) =>
        settings.progress(`round ${number} of ${settings.rounds}: ${doing}`);
      say("creates");
      const turn = {
        mode: "steady",
        connections: PAIR_CONNECTIONS,
        warmupMs: number === 1 ? FIRST_WARMUP_MS : WARMUP_MS,
      } as const;
      const created = await subject.load(turn);
      say("replays");
      const replayed = await subject.load({ ...turn, repeats: created });
      rounds.push({ create: created.steady!, replay: replayed.steady! });
    }
    await subject.stopAndCountRows();
  } finally {
    await subject.stop();
  }
  return pairOutcome(
    {
      title: "POST /api/users with an Idempotency-Key, 64 connections",
      note: "Every replay was checked to be one, and none of them made a row.",
      labels: { create: "create with a new key", replay: "replay of an answered key" },
      target: "req/s of replays over creates",
      atLeast: 1,
    },
    rounds,
  );
}

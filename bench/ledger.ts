/** Creates with keys on an empty store, and on one that has been in use for long. */

import type { Outcome, Settings } from "./benchmark.ts";
import { FilledStore } from "./filled-store.ts";
import { PAIR_CONNECTIONS, pairOutcome } from "./pair.ts";
import * as servers from "./servers/commands.ts";
import type { SteadyFigures } from "./steady-figures.ts";
import { Subject } from "./subject.ts";

type Round = Record<"empty" | "filled", SteadyFigures>;

// Both servers are new in each round, and two threads take long to warm.
const WARMUP_MS = 3_000;

export async function ledger(settings: Settings): Promise<Outcome> {
  const { rows, jobs } = settings;
  const filled = await FilledStore.open(settings);
  const rounds: Round[] = [];
  try {
    for (let number = 1; number <= settings.rounds; number++) {
      rounds.push(await measureRound(number, filled, settings));
    }
    await filled.trim();
  } finally {
    filled.close();
  }
  const size = `${rows.toLocaleString("en")} recorded answers and ${jobs.toLocaleString("en")} finished jobs`;
  return pairOutcome(
    {
      title: "POST /api/users with an Idempotency-Key, 64 connections",
      note: "A durable row, key and job each; the job is due in an hour.",
      labels: { empty: "empty store", filled: `store with ${size}` },
      target: `req/s with ${size}, over those of an empty store`,
      atLeast: 0.8,
    },
    rounds,
  );
}

/** Fresh servers, as in a comparison; who begins changes with the rounds. */
async function measureRound(
  number: number,
  filled: FilledStore,
  settings: Settings,
): Promise<Round> {
  const say = (doing: string) =>
    settings.progress(`round ${number} of ${settings.rounds}: ${doing}`);
  const subjects = new Map<keyof Round, Subject>();
  const steady: Partial<Round> = {};
  try {
    for (const name of ["empty", "filled"] as const) {
      say(`starting on the ${name} store`);
      if (name === "filled") await filled.trim();
      const options = { name: `Posthaste, ${name} store`, command: servers.full, keyed: true };
      const place = name === "filled" ? { store: filled.path } : {};
      subjects.set(name, await Subject.start({ ...options, settings, ...place }));
    }
    const order = number % 2 === 1 ? [...subjects] : [...subjects].reverse();
    for (const [name, subject] of order) {
      say(`${name} store`);
      const turn = { mode: "steady", connections: PAIR_CONNECTIONS, warmupMs: WARMUP_MS } as const;
      steady[name] = (await subject.load(turn)).steady!;
    }
    for (const subject of subjects.values()) await subject.stopAndCountRows();
  } finally {
    for (const subject of subjects.values()) await subject.stop();
  }
  return steady as Round;
}

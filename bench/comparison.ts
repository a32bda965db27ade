/** One kind of POST on three servers: the floor, the hand-written one, and Posthaste. */

import { didYouMean } from "../src/kernel/nearest.ts";
import { type Outcome, type Settings, UsageError } from "./benchmark.ts";
import { comparisonOutcome, type Round, type Telling } from "./comparison-outcome.ts";
import { type Contender, contenderNames } from "./contenders.ts";
import type { ServerCommand } from "./server.ts";
import type { SteadyFigures } from "./steady-figures.ts";
import { Subject } from "./subject.ts";

/** What is compared. */
export interface Plan extends Telling {
  /** Whether each request has an `Idempotency-Key` of its own. */
  keyed: boolean;
  contenders: Record<Contender, ServerCommand>;
}

const CONNECTION_COUNTS = [1, 64, 256];
const RAMP_CONNECTIONS = 256;
// The ramp has sent the same server thousands of requests by then; two threads take longer to warm.
const WARMUP_MS = 1_000;

export async function compare(plan: Plan, settings: Settings): Promise<Outcome> {
  const chosen = choose(settings.only);
  const rounds: Round[] = [];
  for (let number = 1; number <= settings.rounds; number++) {
    rounds.push(await measureRound(plan, number, chosen, settings));
  }
  return comparisonOutcome(plan, rounds, CONNECTION_COUNTS);
}

function choose(only: readonly string[] | undefined): Contender[] {
  for (const name of only ?? []) {
    if (!contenderNames.some((known) => known === name)) {
      throw new UsageError(
        `There is no contender "${name}", only ${contenderNames.join(", ")}.${didYouMean(name, contenderNames)}`,
      );
    }
  }
  return contenderNames.filter((name) => only === undefined || only.includes(name));
}

/**
 * Each round has fresh servers on empty stores, for two reasons: kept for the whole run, the
 * fastest contender would pay with the largest store, and one lucky or unlucky process would
 * count for all rounds. Within the round the contenders take turns at each load, seconds apart,
 * so that whatever else the machine does meets them alike; those not at their turn are paused.
 */
async function measureRound(
  { contenders, keyed }: Plan,
  number: number,
  chosen: readonly Contender[],
  settings: Settings,
): Promise<Round> {
  const subjects = new Map<Contender, Subject>();
  const round: Round = {};
  const say = (doing: string) =>
    settings.progress(`round ${number} of ${settings.rounds}: ${doing}`);
  try {
    for (const name of chosen) {
      say(`starting ${name}`);
      const options = { name, command: contenders[name], keyed, settings };
      subjects.set(name, await Subject.start(options));
    }
    for (const [name, subject] of subjects) {
      say(`${name}, ${RAMP_CONNECTIONS} clients connect at once`);
      const turn = { mode: "ramp", connections: RAMP_CONNECTIONS, warmupMs: 0 } as const;
      const { lastFirstAnswerMs } = await subject.load(turn);
      round[name] = { rampMs: lastFirstAnswerMs, steady: {} };
    }
    for (const connections of CONNECTION_COUNTS) {
      for (const [name, subject] of subjects) {
        say(`${name}, ${connections} connections`);
        const turn = { mode: "steady", connections, warmupMs: WARMUP_MS } as const;
        const { steady } = await subject.load(turn);
        round[name]!.steady[connections] = steady as SteadyFigures;
      }
    }
    for (const subject of subjects.values()) await subject.stopAndCountRows();
  } finally {
    for (const subject of subjects.values()) await subject.stop();
  }
  return round;
}

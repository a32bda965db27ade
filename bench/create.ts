/** `POST /api/users`, one durable row each: Posthaste against the floor and the hand-written. */

import { DatabaseSync } from "node:sqlite";
import { didYouMean } from "../src/kernel/nearest.ts";
import { type Outcome, type Settings, UsageError } from "./benchmark.ts";
import { type Contender, contenderNames, contenders } from "./contenders.ts";
import { createOutcome, type Round, type Sample } from "./create-outcome.ts";
import { generateLoad } from "./generator.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { Server } from "./server.ts";

const CONNECTION_COUNTS = [1, 64, 256];
const RAMP_CONNECTIONS = 256;
const PRIMING_REQUESTS = 50;
// The ramp has sent the same server thousands of requests by then; two threads take longer to warm.
const WARMUP_MS = 1_000;

export async function create(settings: Settings): Promise<Outcome> {
  const chosen = choose(settings.only);
  const rounds: Round[] = [];
  for (let number = 1; number <= settings.rounds; number++) {
    rounds.push(await measureRound(number, chosen, settings));
  }
  return createOutcome(rounds, CONNECTION_COUNTS);
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
  number: number,
  chosen: readonly Contender[],
  settings: Settings,
): Promise<Round> {
  const subjects: Subject[] = [];
  const say = (doing: string) =>
    settings.progress(`round ${number} of ${settings.rounds}: ${doing}`);
  try {
    for (const name of chosen) {
      say(`starting ${name}`);
      subjects.push(await Subject.start(name, settings));
    }
    for (const subject of subjects) {
      say(`${subject.name}, ${RAMP_CONNECTIONS} clients connect at once`);
      await subject.measureRamp();
    }
    for (const connections of CONNECTION_COUNTS) {
      for (const subject of subjects) {
        say(`${subject.name}, ${connections} connections`);
        await subject.measureSteady(connections);
      }
    }
    for (const subject of subjects) await subject.stopAndCountRows();
  } finally {
    for (const subject of subjects) await subject.stop();
  }
  return Object.fromEntries(subjects.map(({ name, sample }) => [name, sample]));
}

class Subject {
  readonly name: Contender;
  readonly sample: Sample = { rampMs: 0, steady: {} };
  readonly #server: Server;
  readonly #measureMs: number;
  readonly #client: LoadOrder["client"];
  #created = 0;
  #series = 0;

  private constructor(name: Contender, server: Server, settings: Settings) {
    this.name = name;
    this.#server = server;
    this.#measureMs = settings.seconds * 1000;
    this.#client = settings.client;
  }

  /** Started, primed with a few requests, and paused. */
  static async start(name: Contender, settings: Settings): Promise<Subject> {
    const server = await Server.start(contenders[name], settings.directory);
    const subject = new Subject(name, server, settings);
    try {
      await subject.#prime();
    } catch (error) {
      await server.stop();
      throw error;
    }
    server.pause();
    return subject;
  }

  async #prime(): Promise<void> {
    for (let i = 0; i < PRIMING_REQUESTS; i++) {
      const answer = await fetch(`${this.#server.url}/users`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "Bob", email: `bob${i}@example.com`, age: 30 }),
      });
      const text = await answer.text();
      if (answer.status !== 201) throw new Error(`${this.name}: ${answer.status} ${text}`);
      this.#created += 1;
    }
  }

  async measureRamp(): Promise<void> {
    const report = await this.#load("ramp", RAMP_CONNECTIONS);
    this.sample.rampMs = report.lastFirstAnswerMs;
  }

  async measureSteady(connections: number): Promise<void> {
    const report = await this.#load("steady", connections);
    this.sample.steady[connections] = report.steady!;
  }

  async #load(mode: LoadOrder["mode"], connections: number): Promise<LoadReport> {
    this.#server.resume();
    try {
      const report = await generateLoad({
        client: this.#client,
        mode,
        port: Number(this.#server.url.port),
        path: `${this.#server.url.pathname}/users`,
        connections,
        warmupMs: WARMUP_MS,
        measureMs: this.#measureMs,
        series: this.#series++,
        timeoutMs: WARMUP_MS + this.#measureMs + 60_000,
      });
      this.#created += report.created;
      return report;
    } catch (error) {
      throw new Error(
        `${this.name}, ${mode} at ${connections} connections: ${(error as Error).message}\n${this.#server.lastWords()}`,
        { cause: error },
      );
    } finally {
      this.#server.pause();
    }
  }

  /** @throws {Error} when an acknowledged row is not in the store: then no figure counts. */
  async stopAndCountRows(): Promise<void> {
    const { rowsIn } = contenders[this.name];
    if (rowsIn === undefined) return;
    await this.#server.stop((store) => {
      const rows = countRows(store, rowsIn);
      if (rows !== this.#created) {
        throw new Error(`${this.name} answered 201 ${this.#created} times, but has ${rows} rows`);
      }
    });
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

function countRows(store: string, tableName: string): number {
  const db = new DatabaseSync(store);
  try {
    const row = db.prepare(`SELECT count(*) AS rows FROM "${tableName}"`).get();
    return Number(row?.rows);
  } finally {
    db.close();
  }
}

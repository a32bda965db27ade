import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type CrashPoint, crashPoints } from "../src/kernel/crash-points.ts";
import { type CheckOptions, check, type Verdict } from "./checker.ts";
import { History } from "./history.ts";
import { Load } from "./load.ts";
import { Random } from "./random.ts";
import { type ServerSettings, TortureServer } from "./server.ts";

export interface RunSettings {
  /** Gets the history, and the store and the server's log where `server` says nothing of them. */
  readonly folder: string;
  readonly seed: number;
  readonly connections: number;
  readonly server?: Partial<ServerSettings>;
}

/** Behind that, a server that was to crash at a point that it does not reach is killed. */
const CRASH_PATIENCE_MS = 4_000;
/** So long without any job that comes to its end, and none will. */
const DRAIN_MS = 20_000;

/** A server under torture, the clients that put load on it, and what they saw. */
export class Run {
  readonly store: string;
  readonly historyFile: string;
  readonly load: Load;
  readonly random: Random;
  readonly #history: History;
  readonly #settings: ServerSettings;
  readonly #kills = new Map<string, number>();
  #server: TortureServer | undefined;

  constructor({ folder, seed, connections, server }: RunSettings) {
    mkdirSync(folder, { recursive: true });
    this.#settings = {
      store: join(folder, "store.db"),
      log: join(folder, "server.log"),
      ...server,
    };
    this.store = this.#settings.store;
    this.historyFile = join(folder, "history.jsonl");
    this.#history = new History(this.historyFile);
    this.random = new Random(seed);
    this.load = new Load({ history: this.#history, random: this.random, connections });
  }

  get server(): TortureServer {
    if (this.#server === undefined) throw new Error("The server is not up.");
    return this.#server;
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }

  /** How often the server died, by how. */
  get kills(): ReadonlyMap<string, number> {
    return this.#kills;
  }

  get killed(): number {
    return [...this.#kills.values()].reduce((sum, count) => sum + count, 0);
  }

  async up(crashAt?: { readonly point: CrashPoint; readonly count: number }): Promise<void> {
    this.#history.append({ event: "life", what: `start ${crashAt?.point ?? ""}` });
    this.#server = await TortureServer.start(this.#settings, crashAt);
    if (this.#server === undefined) {
      this.#died(crashAt!.point);
      return this.up();
    }
    this.load.serverIs(this.#server.origin);
  }

  /** Kills the server at once. */
  async kill(): Promise<void> {
    const how = await this.server.kill();
    this.#down();
    if (how !== "SIGKILL") throw new Error(`The server ended by itself: ${how}.`);
    this.#died("kill -9");
  }

  /** Waits until the server has killed itself. @returns false where it had to be killed */
  async crashed(point: CrashPoint): Promise<boolean> {
    const late = new AbortController();
    const how = await Promise.race([
      this.server.ended,
      sleep(CRASH_PATIENCE_MS, undefined, { signal: late.signal }),
    ]);
    if (how === undefined) {
      await this.kill();
      return false;
    }
    late.abort();
    this.#down();
    if (how !== "SIGKILL") throw new Error(`The server ended by itself: ${how}.`);
    this.#died(point);
    return true;
  }

  /** One life: up, load, and a death at random, at a moment or at a point; or a stop, now and then. */
  async liveAndDie(seconds: number): Promise<void> {
    if (this.random.chance(0.08)) {
      await this.up();
      await sleep(this.random.next() * 2 * seconds * 1_000);
      await this.#stop();
    } else if (this.random.chance(0.5)) {
      await this.up();
      await sleep(this.random.next() * 2 * seconds * 1_000);
      await this.kill();
    } else {
      const point = this.random.pick(crashPoints);
      // Often soon, now and then late.
      const count = Math.ceil(Math.exp(this.random.next() * Math.log(1_000 * seconds)));
      await this.up({ point, count });
      if (this.#server !== undefined) await this.crashed(point);
    }
  }

  /** Lets all clients and all jobs come to their end, and stops the server as an operator would. */
  async finish(): Promise<void> {
    if (this.#server === undefined) await this.up();
    await this.load.finish();
    await drained(this.store);
    await this.#stop();
    this.#history.close();
  }

  judge(options?: CheckOptions): Promise<Verdict> {
    return check(this.store, this.historyFile, options);
  }

  /** For the end of this process, or of a test that failed. */
  async abandon(): Promise<void> {
    await this.#server?.kill();
  }

  async #stop(): Promise<void> {
    const how = await this.server.stop();
    this.#down();
    this.#history.append({ event: "life", what: "stopped" });
    if (how !== "code 0") throw new Error(`The server did not stop as it should: ${how}.`);
  }

  #down(): void {
    this.#server = undefined;
    this.load.serverIs(undefined);
  }

  #died(how: string): void {
    this.#history.append({ event: "life", what: `died by ${how}` });
    this.#kills.set(how, (this.#kills.get(how) ?? 0) + 1);
  }
}

/** Waits until no job is left to be run; what is left behind then is for the checker to tell. */
async function drained(store: string): Promise<void> {
  const database = new DatabaseSync(store, { readOnly: true, timeout: 5_000 });
  try {
    const left = database.prepare(
      "SELECT count(*) AS count FROM posthaste_jobs WHERE state IN ('ready', 'scheduled', 'running')",
    );
    let before = Number.POSITIVE_INFINITY;
    let since = performance.now();
    for (;;) {
      const count = Number(left.get()!.count);
      if (count === 0) return;
      if (count < before) since = performance.now();
      before = Math.min(before, count);
      if (performance.now() > since + DRAIN_MS) return;
      await sleep(count > 100 ? 500 : 50);
    }
  } finally {
    database.close();
  }
}

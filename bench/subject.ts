/** A server that is measured: paused while it is not its turn, and counted when it has ended. */

import { randomUUID } from "node:crypto";
import type { Settings } from "./benchmark.ts";
import { countRows } from "./counting.ts";
import { generateLoad } from "./generator.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { Server, type ServerCommand } from "./server.ts";

const PRIMING_REQUESTS = 50;

export interface SubjectOptions {
  /** For progress and errors. */
  name: string;
  command: ServerCommand;
  /** Whether requests have an `Idempotency-Key`. */
  keyed: boolean;
  settings: Settings;
  /** A filled store to begin with; see ServerPlace. */
  store?: string;
}

export interface Turn {
  mode: LoadOrder["mode"];
  connections: number;
  warmupMs: number;
  /** By default what the settings say. */
  measureMs?: number;
  /** Sends the requests of an earlier turn once more: nothing may be created. */
  repeats?: TurnReport;
}

export interface TurnReport extends LoadReport {
  series: number;
}

export class Subject {
  readonly name: string;
  readonly #options: SubjectOptions;
  readonly #server: Server;
  readonly #before: Record<string, number>;
  #created = 0;
  #series = 0;

  private constructor(options: SubjectOptions, server: Server, before: Record<string, number>) {
    this.name = options.name;
    this.#options = options;
    this.#server = server;
    this.#before = before;
  }

  /** Started, primed with a few requests, and paused. */
  static async start(options: SubjectOptions): Promise<Subject> {
    const { command, settings, store } = options;
    const before = store === undefined ? {} : countRows(store, command.rowsIn ?? []);
    const server = await Server.start(command, {
      parentDirectory: settings.directory,
      ...(store === undefined ? {} : { store }),
    });
    const subject = new Subject(options, server, before);
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
        headers: {
          "content-type": "application/json",
          ...(this.#options.keyed ? { "idempotency-key": randomUUID() } : {}),
        },
        body: JSON.stringify({ name: "Bob", email: `bob${i}@example.com`, age: 30 }),
      });
      const text = await answer.text();
      if (answer.status !== 201) throw new Error(`${this.name}: ${answer.status} ${text}`);
      this.#created += 1;
    }
  }

  async load({ mode, connections, warmupMs, measureMs, repeats }: Turn): Promise<TurnReport> {
    const { settings, keyed } = this.#options;
    const measured = measureMs ?? settings.seconds * 1_000;
    const series = repeats?.series ?? this.#series++;
    if (repeats !== undefined && repeats.answered < 2 * connections) {
      throw new Error(`${repeats.answered} requests are too few to repeat on ${connections}`);
    }
    this.#server.resume();
    try {
      const report = await generateLoad({
        client: settings.client,
        mode,
        port: Number(this.#server.url.port),
        path: `${this.#server.url.pathname}/users`,
        connections,
        warmupMs,
        measureMs: measured,
        series,
        keyed,
        ...(repeats === undefined ? {} : { repeat: repeats.answered }),
        timeoutMs: warmupMs + measured + 60_000,
      });
      if (repeats === undefined) this.#created += report.answered;
      return { ...report, series };
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
    const { rowsIn = [] } = this.#options.command;
    await this.#server.stop((store) => {
      for (const [table, rows] of Object.entries(countRows(store, rowsIn))) {
        const gained = rows - (this.#before[table] ?? 0);
        if (gained !== this.#created) {
          throw new Error(
            `${this.name} acknowledged ${this.#created} creates, but ${table} gained ${gained} rows`,
          );
        }
      }
    });
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

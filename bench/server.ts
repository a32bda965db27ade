/** Servers under test: each a child process with a directory of its own, gone when stopped. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ScratchDirectory } from "./scratch.ts";

export interface ServerCommand {
  /** What to start Node with, relative to the package's root. */
  args: (store: string) => string[];
  env?: Record<string, string>;
  /** The tables that gain a row with each 201; `undefined` where nothing is stored. */
  rowsIn?: readonly string[];
}

export interface ServerPlace {
  /** Where the directory of the server is made. */
  parentDirectory: string;
  /** A store to serve in place, which stays; by default one of the server's own, which does not. */
  store?: string;
}

const START_TIMEOUT_MS = 20_000;
const root = fileURLToPath(new URL("..", import.meta.url));
const running = new Set<Server>();

// A paused server would outlive an interrupted run: it can't even be told to end.
process.on("exit", () => {
  for (const server of running) server.kill();
});

export class Server {
  readonly store: string;
  readonly #directory: ScratchDirectory;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #url: URL | undefined;

  private constructor(command: ServerCommand, { parentDirectory, store }: ServerPlace) {
    this.#directory = new ScratchDirectory(parentDirectory);
    this.store = store ?? join(this.#directory.path, "store.db");
    this.#logFile = join(this.#directory.path, "log");
    // To a file, not through a pipe: to empty a pipe would wake this process while it measures.
    const log = openSync(this.#logFile, "a");
    this.#child = spawn(process.execPath, command.args(this.store), {
      cwd: root,
      env: { ...process.env, ...command.env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      this.#child.on("exit", () => resolve());
      this.#child.on("error", () => resolve());
    });
    running.add(this);
  }

  /** @throws {Error} with the server's last words, when it doesn't listen in time. */
  static async start(command: ServerCommand, place: ServerPlace): Promise<Server> {
    const server = new Server(command, place);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (server.#url === undefined) {
      if (server.#hasEnded() || performance.now() > deadline) {
        const lastWords = server.lastWords();
        await server.stop();
        throw new Error(`\`node ${command.args("<store>").join(" ")}\` isn't up:\n${lastWords}`);
      }
      await sleep(20);
      server.#url = listeningUrl(readFileSync(server.#logFile, "utf8"));
    }
    return server;
  }

  /** Of the API, without a slash at its end. */
  get url(): URL {
    return this.#url!;
  }

  /** So that an idle server's timers and left-over work don't slow down the one being measured. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  lastWords(): string {
    return readFileSync(this.#logFile, "utf8").slice(-2000);
  }

  /**
   * Kills the server without a goodbye: what it has acknowledged must be in the store all the
   * same. `inspect` may look at the store before it is deleted.
   */
  async stop(inspect?: (store: string) => void): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
    try {
      inspect?.(this.store);
    } finally {
      this.kill();
    }
  }

  /** Synchronous, for the end of this process. */
  kill(): void {
    this.#child.kill("SIGKILL");
    this.#directory.remove();
    running.delete(this);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** From the line `{"event":"server.listening","url":"http://127.0.0.1:1234/api", …}`. */
function listeningUrl(log: string): URL | undefined {
  for (const line of log.split("\n")) {
    if (!line.startsWith("{") || !line.includes('"server.listening"')) continue;
    try {
      const { event, url } = JSON.parse(line) as { event?: string; url?: string };
      if (event === "server.listening" && url !== undefined) return new URL(url);
    } catch {
      // The line isn't written to its end yet.
    }
  }
  return undefined;
}

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CrashPoint } from "../src/kernel/crash-points.ts";

const root = resolve(import.meta.dirname, "..");
const START_TIMEOUT_MS = 20_000;

export interface ServerSettings {
  readonly store: string;
  /** Of the latest life; the one before is overwritten. */
  readonly log: string;
  /** A command in front of Node's, such as `prlimit`. */
  readonly launcher?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** `posthaste serve` of the API under torture, in a process of its own. */
export class TortureServer {
  readonly origin: string;
  readonly child: ChildProcess;
  readonly ended: Promise<string>;

  private constructor(child: ChildProcess, origin: string, ended: Promise<string>) {
    this.child = child;
    this.origin = origin;
    this.ended = ended;
  }

  /**
   * @param crashAt where the server kills itself, and at which passage
   * @returns `undefined` where it crashed before it listened
   * @throws Error with the server's last words
   */
  static async start(
    { store, log, launcher = [], env = {} }: ServerSettings,
    crashAt?: { readonly point: CrashPoint; readonly count: number },
  ): Promise<TortureServer | undefined> {
    const command = [
      ...launcher,
      process.execPath,
      "--conditions=posthaste-source",
      ...["--import", resolve(import.meta.dirname, "hurry.ts")],
      resolve(root, "src/cli/main.ts"),
      "serve",
      resolve(import.meta.dirname, "api.ts"),
      ...["--port", "0", "--store", store],
    ];
    const stderr = openSync(log, "w");
    const child = spawn(command[0]!, command.slice(1), {
      cwd: root,
      env: {
        ...clean(process.env),
        ...env,
        ...(crashAt === undefined
          ? {}
          : { POSTHASTE_CRASH_AT: `${crashAt.point}:${crashAt.count}` }),
      },
      stdio: ["ignore", "pipe", stderr],
    });
    closeSync(stderr);
    const ended = new Promise<string>((keep) => {
      child.on("error", (error) => keep(error.message));
      child.on("exit", (code, signal) => keep(signal ?? `code ${code}`));
    });
    let said = "";
    const origin = await new Promise<string | undefined>((keep) => {
      const late = setTimeout(() => keep(undefined), START_TIMEOUT_MS);
      child.stdout!.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
        if (found !== undefined) keep(found);
      });
      void ended.then(() => keep(undefined));
      void ended.then(() => clearTimeout(late));
    });
    if (origin !== undefined) return new TortureServer(child, origin, ended);
    child.kill("SIGKILL");
    const how = await ended;
    if (how === "SIGKILL" && crashAt !== undefined) return undefined;
    throw new Error(
      `The server is not up (${how}):\n${said}\n${readFileSync(log, "utf8").slice(-2_000)}`,
    );
  }

  kill(): Promise<string> {
    this.child.kill("SIGKILL");
    return this.ended;
  }

  /** Ends it as an operator would. */
  stop(): Promise<string> {
    this.child.kill("SIGTERM");
    return this.ended;
  }
}

/** Without the settings of whoever runs this, and of a test runner around it. */
function clean(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = Object.keys(environment).filter((name) => !/^(POSTHASTE_|NODE_|npm_)/.test(name));
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { within } from "./time.ts";

const root = resolve(import.meta.dirname, "../..");
const main = resolve(root, "src/cli/main.ts");

/** Where a user stands: nothing of the settings of whoever runs the tests. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^(POSTHASTE_|NODE_(ENV|TEST_)|FORCE_|npm_)/.test(name)) delete env[name];
  }
  for (const name of ["PORT", "HOST", "NO_COLOR", "TERM", "CI"]) delete env[name];
  return env;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this user; only root can. */
  readonly uid?: number;
  readonly stdin?: "ignore" | "pipe";
}

/** The arguments of Node that start `posthaste` from its sources. */
export const posthasteFromSource = ["--conditions=posthaste-source", main] as const;

/** A `posthaste` that is running, from its sources. */
export class Command {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;

  constructor(args: readonly string[], options: CommandOptions) {
    this.child = spawn(process.execPath, [...posthasteFromSource, ...args], {
      cwd: options.cwd,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.exited = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** Resolves when `pattern` is in what was written; fails when the command ends without. */
  async says(
    stream: "stdout" | "stderr",
    pattern: RegExp,
    milliseconds = 10_000,
  ): Promise<RegExpExecArray> {
    const source = this.child[stream]!;
    const found = () => pattern.exec(this[stream]);
    let check = () => {};
    const said = new Promise<RegExpExecArray>((keep, fail) => {
      check = () => {
        const match = found();
        if (match !== null) keep(match);
      };
      source.on("data", check);
      check();
      void this.exited.then(() => {
        check();
        fail(new Error(`It ended without saying ${pattern}.\n${this.stdout}\n${this.stderr}`));
      });
    });
    try {
      return await within(milliseconds, `it says ${pattern}`, said);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.stdout}\n${this.stderr}`);
    } finally {
      source.off("data", check);
    }
  }

  /** Ends it, politely first; whatever it does, it is gone afterwards. */
  async end(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGTERM");
    const late = setTimeout(() => this.child.kill("SIGKILL"), 3_000);
    const how = await this.exited;
    clearTimeout(late);
    return how;
  }
}

/** What a `posthaste` that ends by itself came to. */
export async function runPosthaste(
  args: readonly string[],
  options: CommandOptions,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const command = new Command(args, options);
  try {
    const { code } = await within(20_000, `${args.join(" ")} ends`, command.exited);
    return { code, stdout: command.stdout, stderr: command.stderr };
  } finally {
    await command.end();
  }
}

export interface ServedApi extends Command {
  readonly origin: string;
  readonly port: number;
}

/** `posthaste serve`, on a free port, until the test is over. */
export async function servePosthaste(
  t: { after(clean: () => Promise<unknown>): void },
  args: readonly string[],
  options: CommandOptions,
): Promise<ServedApi> {
  const command = new Command(["serve", ...args, "--port", "0"], options);
  t.after(() => command.end());
  const [, origin, port] = await command.says("stdout", /(http:\/\/\S+?:(\d+))\/\S*\n/);
  return Object.assign(command, { origin: origin!, port: Number(port) });
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./folder.ts";

const house = fileURLToPath(new URL("../../", import.meta.url));

/** An API as `npm start` serves it: in a process of its own, with its writer in a thread. */
export interface ServingProcess {
  readonly origin: string;
  readonly pid: number;
  /** The database file. */
  readonly store: string;
  /** Bytes of memory that the process has in use; `undefined` where the system does not tell. */
  residentBytes(): number | undefined;
  /** For how long its main thread has had a processor; `undefined` where the system does not tell. */
  mainThreadMilliseconds(): number | undefined;
  /** Ends it as an operator would, and gives what it wrote to its log. */
  stop(): Promise<Ending>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Lines of the log that tell of an error, and all that is no line of the log. */
  readonly complaints: readonly string[];
}

export interface ProcessOptions {
  /** Module of the API, from the root of the house. Default: the tour. */
  readonly api?: string;
  /** Options of Node itself: `--max-old-space-size=64`. */
  readonly nodeOptions?: readonly string[];
}

/** Starts it on a free port. Unhandled rejections end it, as they should end any test. */
export async function servingProcess(
  t: TestContext,
  { api = "examples/tour/api.ts", nodeOptions = [] }: ProcessOptions = {},
): Promise<ServingProcess> {
  const folder = temporaryFolder(t);
  const store = join(folder, "store.db");
  const log = join(folder, "stderr.log");
  const stderr = openSync(log, "w");
  const child = spawn(
    process.execPath,
    [
      "--conditions=posthaste-source",
      "--unhandled-rejections=strict",
      ...nodeOptions,
      "src/cli/main.ts",
      "serve",
      api,
      ...["--port", "0", "--store", store],
    ],
    { cwd: house, stdio: ["ignore", "pipe", stderr], env: { ...process.env, NODE_ENV: "test" } },
  );
  closeSync(stderr);
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const origin = await originOf(child, () => readFileSync(log, "utf8"));
  return {
    origin,
    pid: child.pid!,
    store,
    residentBytes: () => residentBytes(child.pid!),
    mainThreadMilliseconds: () => mainThreadMilliseconds(child.pid!),
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = (await exited) as [number | null, NodeJS.Signals | null];
      return { code, signal, complaints: complaintsIn(readFileSync(log, "utf8")) };
    },
  };
}

function originOf(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout!.on("data", (chunk) => {
      said += String(chunk);
      const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (origin !== undefined) resolve(origin);
    });
    child.once("exit", () => reject(new Error(`The server did not start.\n${said}\n${log()}`)));
  });
}

function residentBytes(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function mainThreadMilliseconds(pid: number): number | undefined {
  const statistics = `/proc/${pid}/task/${pid}/schedstat`;
  if (!existsSync(statistics)) return undefined;
  const [nanoseconds] = readFileSync(statistics, "utf8").split(" ");
  return Number(nanoseconds) / 1e6;
}

function complaintsIn(log: string): string[] {
  return log.split("\n").filter((line) => {
    if (line === "") return false;
    try {
      const { level, event } = JSON.parse(line) as { level: number; event: string };
      return level >= 50 || event === undefined;
    } catch {
      return true;
    }
  });
}

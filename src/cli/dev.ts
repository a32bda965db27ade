import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { CommandError, painter } from "./terminal.ts";

const SETTLE_MS = 100;
const SOURCE = /\.(?:[cm]?[jt]s|json)$/;
const IGNORED = /(?:^|\/)(?:node_modules|dist|\.[^/]+)(?:\/|$)/;

/**
 * `posthaste dev FILE`: serves in a child process, and starts that anew whenever a source file in the
 * folder of FILE changes. A declaration with faults is told, and the next change tries again.
 */
export async function dev(file: string, serveArguments: readonly string[]): Promise<void> {
  if (!existsSync(file))
    throw new CommandError(
      `There is no file ${file}. Name the module that exports your API: posthaste dev api.ts`,
    );
  const folder = dirname(resolve(file));
  const paint = painter(process.stderr);
  const say = (text: string) => process.stderr.write(`${paint("dim", text)}\n`);

  let child: ChildProcess | undefined;
  let stopping = false;
  let changed = false;
  const start = () => {
    changed = false;
    child = spawn(
      process.execPath,
      [...process.execArgv, process.argv[1]!, "serve", file, ...serveArguments],
      // The channel carries nothing: when it closes, the child knows that nobody looks after it.
      { stdio: ["inherit", "inherit", "inherit", "ipc"] },
    );
    child.once("exit", () => {
      child = undefined;
      if (stopping) process.exit(0);
      else if (changed) start();
      else say("waiting for a change …");
    });
  };

  let timer: NodeJS.Timeout | undefined;
  const restart = (name: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      say(`${relative(process.cwd(), resolve(folder, name))} changed; starting again`);
      if (child === undefined) {
        start();
        return;
      }
      changed = true;
      child.kill("SIGTERM");
    }, SETTLE_MS);
  };
  watch(folder, { recursive: true }, (_event, name) => {
    if (name !== null && SOURCE.test(name) && !IGNORED.test(name)) restart(name);
  }).on("error", (error) => say(`changes can't be watched any more: ${error.message}`));

  const stop = () => {
    stopping = true;
    if (child === undefined) process.exit(0);
    child.kill("SIGTERM");
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  start();
}

import { statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Api, isApi } from "../declare/api.ts";
import { CommandError } from "./terminal.ts";

export interface LoadedApi {
  readonly api: Api;
  readonly url: URL;
  /** As the user would name it, from where they stand. */
  readonly file: string;
}

/** Loads the module that a user named on the command line. */
export async function loadApi(file: string): Promise<LoadedApi> {
  const path = resolve(file);
  const shown = relative(process.cwd(), path) || path;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new CommandError(
      `There is no file ${shown}. Name the module that exports your API: posthaste serve api.ts`,
    );
  }
  if (found.isDirectory()) {
    throw new CommandError(
      `${shown} is a folder. Name the module in it that exports your API: posthaste serve api.ts`,
    );
  }
  const url = pathToFileURL(path);
  let module: { default?: unknown };
  try {
    module = (await import(url.href)) as { default?: unknown };
  } catch (error) {
    throw new CommandError(`${shown} can't be loaded:\n${describe(error)}`);
  }
  if (!isApi(module.default)) {
    throw new CommandError(`${shown} does not export an API. Write: export default api({ … })`);
  }
  return { api: module.default, url, file: shown };
}

/** The stack without Node's own frames: those of the user's code are what helps. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = (error.stack ?? error.message).split("\n");
  return lines.filter((line) => !/^\s+at .*\(?node:internal\//.test(line)).join("\n");
}

import { relative } from "node:path";
import type { Api } from "../declare/api.ts";
import { compile } from "../declare/compile.ts";
import type { RunningServer } from "../http/server.ts";
import { painter } from "./terminal.ts";

/** What `serve` says first: where everything is, and a request to try. */
export function banner(api: Api, server: RunningServer, store: string): string {
  const paint = painter(process.stdout);
  const { title = "API", version = "1.0.0" } = api.options;
  const root = `${server.origin}${server.base}`;
  const line = (name: string, value: string) => `  ${paint("dim", name.padEnd(7))} ${value}`;
  return [
    "",
    `  ${paint("bold", "Posthaste")} serves ${paint("bold", title)} ${version}`,
    "",
    line("API", paint("cyan", root)),
    line("Docs", paint("cyan", `${server.origin}/docs`)),
    line("Store", shortest(store)),
    "",
    ...tryIt(api, root).map((text) => `  ${text}`),
    "",
  ].join("\n");
}

function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

/** A request that works when pasted: the first create that anyone may do, with its example. */
function tryIt(api: Api, root: string): string[] {
  const operation = compile(api).operations.find(
    ({ kind, access, resource }) =>
      kind === "create" &&
      typeof access !== "function" &&
      access.rule === "anyone" &&
      resource.parents.length === 0 &&
      resource.example !== undefined,
  );
  if (operation === undefined) return [];
  const body = JSON.stringify(operation.resource.example).replaceAll("'", "'\\''");
  return [
    "Try it:",
    `  curl -i ${root}${operation.path} -H 'Content-Type: application/json' -d '${body}'`,
  ];
}

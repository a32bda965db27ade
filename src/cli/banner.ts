import { isAbsolute, relative } from "node:path";
import type { Api } from "../declare/api.ts";
import { compile } from "../declare/compile.ts";
import type { RunningServer } from "../http/server.ts";
import { painter } from "./terminal.ts";

/** What `serve` says first: where everything is, and a request to try. */
export function banner(
  api: Api,
  server: RunningServer,
  { store, mail }: { readonly store: string; readonly mail: string },
): string {
  const paint = painter(process.stdout);
  const { title = "API", version = "1.0.0" } = api.options;
  const origin = reachable(server.origin);
  const root = `${origin}${server.base}`;
  const line = (name: string, value: string) => `  ${paint("dim", name.padEnd(7))} ${value}`;
  return [
    "",
    `  ${paint("bold", "Posthaste")} serves ${paint("bold", title)} ${version}`,
    "",
    line("API", paint("cyan", root)),
    line("Docs", paint("cyan", `${origin}/docs`)),
    line("Store", shortest(store)),
    ...mailLine(api, mail, origin).map((text) => line("Mail", text)),
    "",
    ...tryIt(api, root).map((text) => `  ${text}`),
    "",
  ].join("\n");
}

/** Only jobs send mail. */
function mailLine(api: Api, mail: string, origin: string): string[] {
  if (compile(api).jobs.size === 0) return [];
  if (mail === "capture") return [`${origin}/mail (kept there, not sent)`];
  return mail === "refuse" ? ["no server is given (--mail); what would be sent waits"] : [];
}

/** Every address of a machine is none that one can go to. */
function reachable(origin: string): string {
  return origin.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function shortest(store: string): string {
  if (!isAbsolute(store)) return store;
  const fromHere = relative(process.cwd(), store);
  return fromHere.startsWith("..") ? store : fromHere;
}

/** A request that works when pasted: the first create that anyone may do, with its example. */
function tryIt(api: Api, root: string): string[] {
  const creates = compile(api).operations.flatMap((operation) =>
    operation.kind === "create" ? [operation] : [],
  );
  const operation = creates.find(
    ({ access, resource }) =>
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

import { type RunningServer, startServer } from "../http/server.ts";
import { MailError } from "../mail/mail-error.ts";
import { StoreError } from "../store/port.ts";
import { banner } from "./banner.ts";
import { loadApi } from "./load-api.ts";
import { openLog } from "./log.ts";
import { withWholeCommands } from "./migrate.ts";
import { readPrefix } from "./prefix.ts";
import { CommandError, painter } from "./terminal.ts";

export interface ServeOptions {
  readonly host: string;
  readonly port: string;
  readonly store: string;
  readonly prefix: string;
  readonly mail: string;
  readonly migrate: boolean;
}

/** `posthaste serve FILE`: runs until it is told to stop. */
export async function serve(file: string, options: ServeOptions): Promise<void> {
  const port = readPort(options.port);
  const base = readPrefix(options.prefix);
  const { api, url } = await loadApi(file);
  const log = openLog(process.stderr);
  warnOfUnsafeSettings();
  const server = await startServer(api, {
    host: options.host,
    port,
    base,
    store: options.store,
    mail: options.mail,
    module: url,
    migrate: options.migrate ? "additive" : "never",
    observe: log.observe,
  }).catch((error) => {
    throw sentenceOf(error, file, options);
  });
  // One job's forgotten await must not take the server from everybody.
  process.on("unhandledRejection", (error) => log.observe({ event: "process.complained", error }));
  stopOnSignals(server, log.flush);
  // Who started it may have gone, with the pipe that this would be read from; serving goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  process.stdout.write(`${banner(api, server, options)}\n`);
  log.observe({ event: "server.listening", url: `${server.origin}${server.base}` });
  log.flush();
}

function stopOnSignals(server: RunningServer, flush: () => void): void {
  const stop = () => {
    server.stop().then(
      () => {
        flush();
        process.exit(0);
      },
      (error) => {
        flush();
        process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  // Only `posthaste dev` starts it with a channel, and has gone when that closes.
  if (process.connected) process.once("disconnect", stop);
}

function warnOfUnsafeSettings(): void {
  if (process.env.POSTHASTE_LIMITS !== "off") return;
  const paint = painter(process.stderr);
  process.stderr.write(
    `${paint(["bold", "red"], "POSTHASTE_LIMITS=off: rate limits are switched off. For load tests only.")}\n`,
  );
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new CommandError(`"${text}" is not a port: a whole number from 0 (any free one) to 65535.`);
}

function sentenceOf(error: unknown, file: string, { host, port, store }: ServeOptions): unknown {
  if (error instanceof StoreError)
    return new CommandError(withWholeCommands(error.message, file, store));
  if (error instanceof MailError) return new CommandError(error.message);
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return new CommandError(
        `Port ${port} on ${host} is taken by another process. Choose another: --port ${Number(port) < 65_535 ? Number(port) + 1 : 3_000}, or --port 0 for any.`,
      );
    case "EACCES":
      return new CommandError(
        `Port ${port} on ${host} needs more rights than this process has. Choose one above 1023.`,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new CommandError(`"${host}" is not an address of this machine.`);
    default:
      return error;
  }
}

#!/usr/bin/env node
import { readFileSync } from "node:fs";
import module from "node:module";
import { Command } from "commander";
import { DeclarationError } from "../declare/verify/index.ts";
import { StoreError } from "../store/port.ts";
import type { CheckCommandOptions } from "./check.ts";
import type { JobsListOptions, JobsOptions } from "./jobs.ts";
import type { MigrateOptions } from "./migrate.ts";
import type { ServeOptions } from "./serve.ts";
import { CommandError, painter } from "./terminal.ts";

// Compiled code is kept between starts; where it can't be, starting just takes longer.
module.enableCompileCache?.();

const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { version: string };

// Whoever reads our output may have seen enough: `posthaste openapi api.ts | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const program = new Command("posthaste")
  .description("POST requests that happen exactly once.")
  .version(version)
  .showHelpAfterError("(posthaste --help lists the commands and their options)")
  .configureOutput({ outputError: (text, write) => write(painter(process.stderr)("red", text)) });

const { env } = process;
const storeOption = [
  "--store <address>",
  "database: a file, made where it is not",
  env.POSTHASTE_STORE || "posthaste.db",
] as const;
const prefixOption = ["--prefix <path>", "path in front of every operation", "/api"] as const;

const serving = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .argument("<file>", "module whose default export is the API")
    .option("--port <number>", "port to listen on, 0 for any free one", env.PORT || "3000")
    .option("--host <address>", "address to listen on", env.HOST || "127.0.0.1")
    .option(...storeOption)
    .option(...prefixOption)
    .option(
      "--mail <address>",
      "mail server: smtp://user:password@host:587; or capture, to look at it at /mail",
      env.POSTHASTE_MAIL || (env.NODE_ENV === "production" ? "refuse" : "capture"),
    );

serving("serve", "serve an API")
  .option(
    "--no-migrate",
    "refuse a database that is not as declared (the default with NODE_ENV=production)",
  )
  .action(async (file: string, options: ServeOptions) => {
    const { serve } = await import("./serve.ts");
    await serve(file, { ...options, migrate: options.migrate && env.NODE_ENV !== "production" });
  });

serving("dev", "serve an API, and start again whenever a source file changes").action(
  async (file: string, { port, host, store, prefix, mail }: ServeOptions) => {
    const { dev } = await import("./dev.ts");
    const options = { port, host, store, prefix, mail };
    await dev(
      file,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    );
  },
);

program
  .command("migrate")
  .description("show what has to change in the database, and change it")
  .argument("<file>", "module whose default export is the API")
  .option(...storeOption)
  .option("--plan", "show it only", false)
  .option("--drop <table.column...>", "lose the data of these columns or tables", [])
  .action(async (file: string, options: MigrateOptions) => {
    const { migrate } = await import("./migrate.ts");
    await migrate(file, options);
  });

program
  .command("openapi")
  .description("print the OpenAPI document")
  .argument("<file>", "module whose default export is the API")
  .option(...prefixOption)
  .option("--out <file>", "write it to a file")
  .action(async (file: string, options: { prefix: string; out?: string }) => {
    const { openapi } = await import("./openapi.ts");
    await openapi(file, options);
  });

program
  .command("new")
  .description("make a folder with an API that runs at once, and a test of it")
  .argument("<name>", "name of the folder")
  .action(async (name: string) => {
    const { scaffold } = await import("./new.ts");
    await scaffold(name);
  });

const jobs = program.command("jobs").description("look at jobs, and tend those that failed");
const onJobs = (name: string, description: string) =>
  jobs
    .command(name)
    .description(description)
    .option("--store <address>", "database that has them", storeOption[2])
    .option("--json", "print JSON", false);

onJobs("list", "the newest jobs")
  .option("--state <state>", "only those: scheduled, ready, running, done, failed, cancelled")
  .option("--kind <name>", "only jobs of this name")
  .option("--limit <number>", "this many at the most", "20")
  .action(async (options: JobsListOptions) => (await import("./jobs.ts")).listJobs(options));
onJobs("show", "everything about one job")
  .argument("<id>", "id of the job")
  .action(async (id: string, options: JobsOptions) =>
    (await import("./jobs.ts")).showJob(id, options),
  );
onJobs("retry", "give a failed or cancelled job all its attempts again")
  .argument("<id>", "id of the job")
  .action(async (id: string, options: JobsOptions) =>
    (await import("./jobs.ts")).retryJob(id, options),
  );
onJobs("cancel", "cancel a job that waits, or tell one that runs to end")
  .argument("<id>", "id of the job")
  .action(async (id: string, options: JobsOptions) =>
    (await import("./jobs.ts")).cancelJob(id, options),
  );

const repeated = (value: string, before: string[]) => [...before, value];

program
  .command("check")
  .description("try how any HTTP server treats its POST requests, and tell what it breaks")
  .argument("[url]", "server to check: http://127.0.0.1:3000")
  .option("--openapi <address>", "OpenAPI document, a URL or a file (default: /openapi.json)")
  .option("--config <file>", "operations of a server that has no OpenAPI document")
  .option("--operation <name>", "check this one: 'POST /users'; repeatable", repeated, [])
  .option(
    "--header <line>",
    "header field of every request: 'Name: value'; repeatable",
    repeated,
    [],
  )
  .option("--as <line>", "header field by which somebody else asks; repeatable", repeated, [])
  .option("--timeout <milliseconds>", "how long to wait for an answer", "10000")
  .option("--json", "print one JSON object", false)
  .option("--clean", "remove what was made, where DELETE is offered", false)
  .action(async (url: string | undefined, options: CheckCommandOptions) => {
    const { check } = await import("./check.ts");
    await check(url, options);
  });

let file = "";
program.hook("preAction", (_program, command) => {
  file = command.args[0] ?? "";
});

try {
  await program.parseAsync();
} catch (error) {
  const paint = painter(process.stderr);
  const expected =
    error instanceof CommandError ||
    error instanceof DeclarationError ||
    error instanceof StoreError;
  const text = expected
    ? `${error instanceof DeclarationError ? `${file}: ` : ""}${error.message}`
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`${paint("red", text)}\n`);
  process.exit(1);
}

/** `npm run -s bench -- <name>`: runs one benchmark and says what it measured. */

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { styleText } from "node:util";
import { type Benchmark, isMet, type Outcome, type Settings, UsageError } from "./benchmark.ts";
import { type CommandLine, parseCommandLine, usageOf } from "./command-line.ts";
import { create } from "./create.ts";
import { full } from "./full.ts";
import { jobs } from "./jobs.ts";
import { ledger } from "./ledger.ts";
import { replay } from "./replay.ts";
import { bold, dim, figure } from "./table.ts";

const benchmarks: Record<string, Benchmark> = {
  create: {
    summary: "a durable row per POST, against the floor and hand-written code",
    takes: ["seconds", "client", "only"],
    run: create,
  },
  full: {
    summary: "a durable row, key and job per POST, against the same two",
    takes: ["seconds", "client", "only"],
    run: full,
  },
  ledger: {
    summary: "the same on a store that has been in use for long, against an empty one",
    takes: ["seconds", "client", "rows", "jobs"],
    run: ledger,
  },
  jobs: {
    summary: "jobs enqueued and run, also where very many wait",
    takes: ["count", "backlog"],
    run: jobs,
  },
  replay: {
    summary: "replays of answered keys, against creates",
    takes: ["seconds", "client"],
    run: replay,
  },
};

const usage = usageOf(benchmarks);

function showProgress(doing: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${doing}`);
}

function versionOf(packageName: string): string {
  const { version } = createRequire(import.meta.url)(packageName) as { version: string };
  return version;
}

async function run({ name, settings, json, check }: CommandLine): Promise<void> {
  mkdirSync(settings.directory, { recursive: true });
  const outcome = await benchmarks[name]!.run(settings);
  showProgress("");
  const conditions = {
    versions: {
      node: process.versions.node,
      fastify: versionOf("fastify/package.json"),
      posthaste: versionOf("../package.json"),
    },
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: availableParallelism() },
    settings: {
      rounds: settings.rounds,
      ...Object.fromEntries(benchmarks[name]!.takes.map((option) => [option, settings[option]])),
    },
  };
  const targets = outcome.targets.map((target) => ({ ...target, pass: isMet(target) }));
  console.log(
    json
      ? JSON.stringify({ benchmark: name, ...conditions, ...outcome.figures, targets }, rounded)
      : [outcome.text, "", describeTargets(outcome), "", dim(describe(conditions))].join("\n"),
  );
  if (check && !targets.every(({ pass }) => pass)) process.exitCode = 1;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 10_000) / 10_000 : value;
}

function describeTargets({ targets }: Outcome): string {
  const lines = targets.map((target) => {
    const { name, atLeast, atMost, actual } = target;
    const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
    const [word, colour] =
      actual === undefined
        ? (["not run", "dim"] as const)
        : isMet(target)
          ? (["met", "green"] as const)
          : (["missed", "red"] as const);
    const mark = styleText(colour, word.padEnd(7), { stream: process.stdout });
    return `${mark}   ${name}: ${figure(actual)}, ${bound}`;
  });
  return [bold("Targets"), "", ...lines].join("\n");
}

interface Conditions {
  versions: Record<string, string>;
  machine: { cpu: string; cores: number };
  settings: Pick<Settings, "rounds"> & Partial<Settings>;
}

function describe({ versions, machine, settings }: Conditions): string {
  const { rounds, seconds, client } = settings;
  const load = client === "node" ? "load from Node's own HTTP client" : "load from bare sockets";
  return [
    `medians of ${rounds} rounds${seconds === undefined ? "" : ` of ${seconds} s`}`,
    ...(client === undefined ? [] : [load]),
    ...Object.entries(versions).map((pair) => pair.join(" ")),
    `${machine.cores} × ${machine.cpu}`,
  ].join(" · ");
}

// The servers are killed when this process exits, which a signal alone would skip.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  const commandLine = parseCommandLine(process.argv.slice(2), benchmarks, showProgress);
  if (commandLine === "help") console.log(usage);
  else await run(commandLine);
} catch (error) {
  showProgress("");
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}

/** `npm run -s bench -- <name>`: runs one benchmark and says what it measured. */

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs, styleText } from "node:util";
import { didYouMean } from "../src/kernel/nearest.ts";
import { type Benchmark, isMet, type Outcome, type Settings, UsageError } from "./benchmark.ts";
import { create } from "./create.ts";
import { bold, dim, figure } from "./table.ts";

const benchmarks: Record<string, Benchmark> = {
  create: {
    summary: "a durable row per POST, against the floor and hand-written code",
    run: create,
  },
};

const usage = `usage: npm run -s bench -- <benchmark> [options]

benchmarks
${Object.entries(benchmarks)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join("\n")}

options
  --seconds N   measured time of each figure, 2 by default
  --rounds N    figures are medians of so many rounds, 5 by default
  --client C    raw: load from bare sockets, the default; node: from Node's own HTTP client, which
                costs more, and takes that from the cores that the server needs
  --only A,B    only these contenders
  --dir PATH    where the stores go, the system's temporary directory by default
  --json        one JSON object instead of the table
  --check       exit with 1 unless every target is met`;

interface CommandLine {
  name: string;
  settings: Settings;
  json: boolean;
  check: boolean;
}

function parseCommandLine(args: string[]): CommandLine | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [name, ...excess] = positionals;
  const known = Object.keys(benchmarks);
  if (name === undefined) throw new UsageError(`Which benchmark? There is: ${known.join(", ")}.`);
  if (!Object.hasOwn(benchmarks, name)) {
    throw new UsageError(
      `There is no benchmark "${name}", only: ${known.join(", ")}.${didYouMean(name, known)}`,
    );
  }
  if (excess.length > 0) throw new UsageError(`One benchmark at a time, not ${excess.join(", ")}.`);
  return {
    name,
    json: values.json,
    check: values.check,
    settings: {
      seconds: positive("seconds", values.seconds),
      rounds: Math.ceil(positive("rounds", values.rounds)),
      directory: resolve(values.dir),
      client: oneOf("client", values.client, ["node", "raw"] as const),
      only: values.only?.split(","),
      progress: showProgress,
    },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "2" },
        rounds: { type: "string", default: "5" },
        client: { type: "string", default: "raw" },
        only: { type: "string" },
        dir: { type: "string", default: tmpdir() },
        json: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000)) {
    throw new UsageError(`--${option} takes a number above 0 and up to 1000, not "${text}".`);
  }
  return value;
}

function oneOf<Choice extends string>(
  option: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${option} takes ${choices.join(" or ")}.${didYouMean(text, choices)}`);
}

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
    settings: { seconds: settings.seconds, rounds: settings.rounds, client: settings.client },
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

function describe(conditions: {
  versions: Record<string, string>;
  machine: { cpu: string; cores: number };
  settings: { seconds: number; rounds: number; client: string };
}): string {
  const { versions, machine, settings } = conditions;
  return [
    `medians of ${settings.rounds} rounds of ${settings.seconds} s`,
    settings.client === "node" ? "load from Node's HTTP client" : "load from bare sockets",
    ...Object.entries(versions).map((pair) => pair.join(" ")),
    `${machine.cores} × ${machine.cpu}`,
  ].join(" · ");
}

// The servers are killed when this process exits, which a signal alone would skip.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  const commandLine = parseCommandLine(process.argv.slice(2));
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

import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { didYouMean } from "../src/kernel/nearest.ts";
import { type Benchmark, type OwnOption, type Settings, UsageError } from "./benchmark.ts";

export interface CommandLine {
  name: string;
  settings: Settings;
  json: boolean;
  check: boolean;
}

type Benchmarks = Readonly<Record<string, Benchmark>>;

const ownOptions: readonly OwnOption[] = [
  "seconds",
  "client",
  "only",
  "rows",
  "jobs",
  "count",
  "backlog",
];

export function usageOf(benchmarks: Benchmarks): string {
  const lines = Object.entries(benchmarks).map(
    ([name, { summary, takes }]) =>
      `  ${name.padEnd(10)} ${summary}\n${" ".repeat(13)}${takes.map((option) => `--${option}`).join(" ")}`,
  );
  return `usage: npm run -s bench -- <benchmark> [options]

benchmarks, each with the options that only some take
${lines.join("\n")}

options
  --seconds N   measured time of each figure, 2 by default
  --rounds N    figures are medians of so many rounds, 5 by default
  --client C    raw: load from bare sockets, the default; node: from Node's own HTTP client, which
                costs more, and takes that from the cores that the server needs
  --only A,B    only these contenders
  --rows N      recorded answers in the filled store, 5000000 by default
  --jobs N      finished jobs in the filled store, 1000000 by default
  --count N     jobs that are run for each figure, 50000 by default
  --backlog N   jobs in a long queue, 1000000 by default
  --dir PATH    where the stores go, the system's temporary directory by default; where it is
                given, ledger leaves the filled store there, and takes it again
  --json        one JSON object instead of the table
  --check       exit with 1 unless every target is met`;
}

export function parseCommandLine(
  args: string[],
  benchmarks: Benchmarks,
  progress: Settings["progress"],
): CommandLine | "help" {
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
  const { takes } = benchmarks[name]!;
  for (const option of ownOptions) {
    if (values[option] !== undefined && !takes.includes(option)) {
      throw new UsageError(`--${option} means nothing to ${name}.`);
    }
  }
  const whole = (option: OwnOption, otherwise: number) =>
    values[option] === undefined ? otherwise : wholeNumber(option, values[option]);
  return {
    name,
    json: values.json,
    check: values.check,
    settings: {
      seconds: positive("seconds", values.seconds ?? "2"),
      rounds: Math.ceil(positive("rounds", values.rounds)),
      directory: resolve(values.dir ?? tmpdir()),
      keepsFilled: values.dir !== undefined,
      client: oneOf("client", values.client ?? "raw", ["node", "raw"] as const),
      only: values.only?.split(","),
      rows: whole("rows", 5_000_000),
      jobs: whole("jobs", 1_000_000),
      count: whole("count", 50_000),
      backlog: whole("backlog", 1_000_000),
      progress,
    },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: "string" },
        rounds: { type: "string", default: "5" },
        client: { type: "string" },
        only: { type: "string" },
        rows: { type: "string" },
        jobs: { type: "string" },
        count: { type: "string" },
        backlog: { type: "string" },
        dir: { type: "string" },
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

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000_000) {
    throw new UsageError(`--${option} takes a whole number from 1 to 100000000, not "${text}".`);
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

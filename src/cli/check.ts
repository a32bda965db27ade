import { check as runCheck } from "../check/check.ts";
import type { Patience } from "../check/client.ts";
import type { HeaderLine } from "../check/message.ts";
import { operationsOf } from "../check/openapi-operations.ts";
import type { Operation } from "../check/operation.ts";
import { readConfig } from "../check/read-config.ts";
import { readOpenApi } from "../check/read-openapi.ts";
import { CannotCheck } from "../check/refusal.ts";
import type { Report } from "../check/report.ts";
import type { Target } from "../check/target.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { checkReport, progressLine } from "./check-report.ts";
import { painter } from "./terminal.ts";

export interface CheckCommandOptions {
  readonly openapi?: string;
  readonly config?: string;
  readonly header: readonly string[];
  readonly as: readonly string[];
  readonly operation: readonly string[];
  /** Milliseconds. */
  readonly timeout: string;
  readonly json: boolean;
  readonly clean: boolean;
}

/** Operations that are looked at where nobody names some: a check ends in seconds. */
const MOST_OPERATIONS = 4;

const CANNOT_RUN = 2;
const INTERRUPTED = 130;

/**
 * `posthaste check URL`: tries the POST operations of a server, and tells what it found. The exit
 * code is 0 where no must is broken, 1 where one is, 2 where nothing could be tried.
 */
export async function check(url: string | undefined, options: CheckCommandOptions): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Error("interrupted")));
  const progress = process.stderr.isTTY && !options.json ? progressLine(process.stderr) : undefined;
  try {
    const patience = { timeoutMs: readTimeout(options.timeout), signal: stop.signal };
    const target = await readTarget(url, options, patience);
    const report = await runCheck(target, {
      ...patience,
      clean: options.clean,
      ...(progress === undefined ? {} : { progress: progress.show }),
    });
    progress?.clear();
    process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : shown(report));
    process.exitCode = report.stopped ? INTERRUPTED : report.summary.ok ? 0 : 1;
  } catch (error) {
    progress?.clear();
    if (stop.signal.aborted) process.exitCode = INTERRUPTED;
    else if (error instanceof CannotCheck) refuse(error.message);
    else throw error;
  }
}

function shown(report: Report): string {
  return checkReport(report, painter(process.stdout), process.stdout.columns);
}

function refuse(sentence: string): void {
  process.stderr.write(`${painter(process.stderr)("red", sentence)}\n`);
  process.exitCode = CANNOT_RUN;
}

async function readTarget(
  given: string | undefined,
  options: CheckCommandOptions,
  patience: Patience,
): Promise<Target> {
  const headers = options.header.map((line) => readHeader(line, "--header"));
  const as = options.as.map((line) => readHeader(line, "--as"));
  if (options.config !== undefined) {
    const config = readConfig(options.config);
    const base = given === undefined ? config.base : readUrl(given).href.replace(/\/$/, "");
    if (base === undefined)
      throw new CannotCheck(`Name the server, or give base in ${options.config}.`);
    return {
      base,
      document: options.config,
      ...picked(config.operations, [], options.operation),
      headers: [...config.headers, ...headers],
      as: [...config.as, ...as],
    };
  }
  if (given === undefined)
    throw new CannotCheck("Name the server: posthaste check http://127.0.0.1:3000");
  const source = await readOpenApi(readUrl(given), options.openapi, headers, patience);
  const { operations, skipped } = operationsOf(source.document);
  return {
    base: source.base,
    document: source.from,
    ...picked(operations, skipped, options.operation),
    headers,
    as,
  };
}

type Picked = Pick<Target, "operations" | "skipped">;

function picked(
  operations: readonly Operation[],
  skipped: Target["skipped"],
  names: readonly string[],
): Picked {
  if (names.length === 0) {
    const left = operations.slice(MOST_OPERATIONS).map(({ name }) => ({
      name,
      reason: "left out for time; name it with --operation",
    }));
    return { operations: operations.slice(0, MOST_OPERATIONS), skipped: [...skipped, ...left] };
  }
  const all = [...operations, ...skipped].map(({ name }) => name);
  const wanted = names.map((name) => name.trim().replace(/^(?:post )?(?=\/)/i, "POST "));
  for (const name of wanted) {
    if (!all.includes(name))
      throw new CannotCheck(
        `There is no operation "${name}" that takes POST.${didYouMean(name, all)} There are: ${all.join(", ") || "none"}.`,
      );
  }
  return {
    operations: operations.filter(({ name }) => wanted.includes(name)),
    skipped: skipped.filter(({ name }) => wanted.includes(name)),
  };
}

function readUrl(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new CannotCheck(`"${text}" is no http: or https: URL.`);
  return url;
}

function readHeader(line: string, option: string): HeaderLine {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0)).trim();
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
    throw new CannotCheck(`${option} "${line}" is no header field. Write it as 'Name: value'.`);
  return [name, line.slice(colon + 1).trim()];
}

function readTimeout(text: string): number {
  const milliseconds = Number(text);
  if (/^\d+$/.test(text) && milliseconds >= 1 && milliseconds <= 600_000) return milliseconds;
  throw new CannotCheck(
    `--timeout "${text}" is no time: a whole number of milliseconds from 1 to 600000.`,
  );
}

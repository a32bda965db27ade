/** `npm run -s torture -- --kills N`: kills a server under load, and judges what is left. */

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, styleText } from "node:util";
import type { Verdict } from "./checker.ts";
import { rules } from "./checks/violation.ts";
import { Run } from "./run.ts";

const usage = `usage: npm run -s torture -- [options]

Clients put load on a server that is killed again and again, at random moments and at named points.
Behind the last restart a checker judges the whole history of requests and answers by the database.
Ends with 1 if anything was lost or happened twice.

options
  --kills N             how often the server dies, 20 by default
  --seconds-between X   how long it lives on average, 1 by default
  --connections C       clients that want something at the same time, 16 by default
  --seed S              of all that is left to chance, save for time itself; a new one by default
  --dir PATH            keeps store, history and log there; otherwise they are kept on violations only
  --json                one JSON object instead of the summary`;

interface CommandLine {
  readonly kills: number;
  readonly secondsBetween: number;
  readonly connections: number;
  readonly seed: number;
  readonly folder: string | undefined;
  readonly json: boolean;
}

class UsageError extends Error {}

function parseCommandLine(args: string[]): CommandLine | "help" {
  const { values } = (() => {
    try {
      return parseArgs({
        args,
        options: {
          kills: { type: "string", default: "20" },
          "seconds-between": { type: "string", default: "1" },
          connections: { type: "string", default: "16" },
          seed: { type: "string" },
          dir: { type: "string" },
          json: { type: "boolean", default: false },
          help: { type: "boolean", default: false },
        },
      });
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  })();
  if (values.help) return "help";
  const number = (name: string, text: string, whole: boolean) => {
    const value = Number(text);
    if (text !== "" && value > 0 && (!whole || Number.isSafeInteger(value))) return value;
    throw new UsageError(`--${name} is a ${whole ? "whole " : ""}number above 0, not "${text}".`);
  };
  return {
    kills: number("kills", values.kills, true),
    secondsBetween: number("seconds-between", values["seconds-between"], false),
    connections: number("connections", values.connections, true),
    seed: values.seed === undefined ? Date.now() % 2 ** 31 : number("seed", values.seed, true),
    folder: values.dir === undefined ? undefined : resolve(values.dir),
    json: values.json,
  };
}

type Style = Parameters<typeof styleText>[0];
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout });
const figure = (value: number) => value.toLocaleString("en");

/** One line that is written over on a terminal; elsewhere a line every tenth part of the run. */
function progress(run: Run, kills: number, began: number): void {
  const { killed, load } = run;
  const seconds = Math.round((performance.now() - began) / 1_000);
  const line = `${figure(killed)} of ${figure(kills)} kills, ${figure(load.answers)} answers, ${figure(load.lost)} lost, ${seconds} s`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else if (killed % Math.max(1, Math.floor(kills / 10)) === 0) process.stderr.write(`${line}\n`);
}

async function torture({ kills, secondsBetween, connections, seed, folder, json }: CommandLine) {
  const place = folder ?? mkdtempSync(join(tmpdir(), "posthaste-torture-"));
  const began = performance.now();
  const run = new Run({ folder: place, seed, connections });
  if (!json) {
    process.stdout.write(
      `${paint("bold", "torture")}  seed ${seed}, ${connections} connections, ${availableParallelism()} cores, Node.js ${process.versions.node}\n`,
    );
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void run.abandon().then(() => process.exit(130));
    });
  }
  let verdict: Verdict;
  try {
    await run.up();
    await run.load.start();
    await run.kill();
    while (run.killed < kills) {
      await run.liveAndDie(secondsBetween);
      progress(run, kills, began);
    }
    await run.finish();
    verdict = await run.judge();
  } finally {
    await run.abandon();
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const found = verdict.violations.length > 0;
  const kept = found || folder !== undefined;
  if (!kept) rmSync(place, { recursive: true, force: true });
  if (json) {
    const byHow = Object.fromEntries(run.kills);
    const statuses = Object.fromEntries(run.load.statuses);
    const report = { seed, connections, seconds, byHow, statuses, ...verdict };
    process.stdout.write(`${JSON.stringify({ ...report, kept: kept ? place : undefined })}\n`);
  } else {
    process.stdout.write(summary(run, verdict, seconds));
    if (kept) process.stdout.write(`kept in ${place}\n`);
  }
  return found ? 1 : 0;
}

const SHOWN_VIOLATIONS = 20;

function summary(run: Run, verdict: Verdict, seconds: number): string {
  const { requests, answers, lost, replays, told, effects, jobs, violations } = verdict;
  const deaths = [...run.kills].sort(([, a], [, b]) => b - a);
  const lines = [
    `kills        ${figure(verdict.kills)}: ${deaths.map(([how, count]) => `${count} ${how}`).join(", ")}`,
    `requests     ${figure(requests)}, of which ${figure(lost)} got no answer`,
    `answers      ${figure(answers)}, of which ${figure(replays)} were replays; ${[...run.load.statuses].map(([status, count]) => `${figure(count)} × ${status}`).join(", ")}`,
    `outcomes     ${figure(told)} told, ${figure(effects)} effects, ${figure(jobs)} jobs`,
    `duration     ${seconds} s`,
    violations.length === 0
      ? paint(["bold", "green"], "nothing was lost, and nothing happened twice")
      : paint(["bold", "red"], `${figure(violations.length)} violations`),
    ...violations
      .slice(0, SHOWN_VIOLATIONS)
      .map(
        ({ rule, subject, detail }) =>
          `  ${paint("red", rule)}  ${subject} ${rules[rule]}: ${detail.slice(0, 500)}`,
      ),
    ...(violations.length > SHOWN_VIOLATIONS ? ["  …"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

try {
  const line = parseCommandLine(process.argv.slice(2));
  if (line === "help") process.stdout.write(`${usage}\n`);
  else process.exitCode = await torture(line);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}\n`);
  process.exitCode = 2;
}

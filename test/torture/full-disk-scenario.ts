/**
 * A server under load whose disk is full for a while, twice; run by full-disk.test.ts in a process
 * of its own, so that it can see a file system that nobody else sees.
 * Usage: `node full-disk-scenario.ts FOLDER STORE tmpfs|rlimit`; prints a Finding as JSON.
 */

import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Verdict } from "../../torture/checker.ts";
import type { Told } from "../../torture/history.ts";
import { Run } from "../../torture/run.ts";
import { eventually } from "../support/time.ts";

export interface Finding {
  readonly verdict: Verdict;
  /** Statuses of what was sent while the disk was full. */
  readonly whileFull: Readonly<Record<string, number>>;
  /** Statuses of GETs in that time, of a record, of the list and of health. */
  readonly reads: readonly number[];
  /** The answer to one POST that needed space. */
  readonly refusal: Partial<Pick<Told, "status" | "retryAfter" | "problem">>;
  /** Milliseconds from the moment there was space until a write was answered with 201. */
  readonly backAfterMs: number;
  /** What a server says that is started on the full disk; `undefined` where it starts. */
  readonly startOnFull: string | undefined;
}

const [folder, store, means] = process.argv.slice(2) as [string, string, "tmpfs" | "rlimit"];
const run = new Run({
  folder,
  seed: 7,
  connections: 8,
  // A limit on files would be one on the log as well.
  server: { store, ...(means === "rlimit" ? { log: "/dev/null" } : {}) },
});
const ballast = join(dirname(store), "ballast");

/** Takes every byte that is left: of the file system, or below the limit of the process. */
function fill(): void {
  if (means === "rlimit") {
    limit(String(statSync(`${store}-wal`).size));
    return;
  }
  const file = openSync(ballast, "w");
  try {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

function free(): void {
  if (means === "tmpfs") rmSync(ballast);
  else if (run.isUp) limit("unlimited");
}

function limit(bytes: string): void {
  execFileSync("prlimit", ["--pid", String(run.server.child.pid), `--fsize=${bytes}:`]);
}

async function underFullDisk(): Promise<Pick<Finding, "whileFull" | "reads" | "refusal">> {
  const before = new Map(run.load.statuses);
  fill();
  const refused = await eventually(10_000, "a write is refused", async () => {
    const told = await run.load.once();
    return told !== undefined && told.status >= 500 ? told : undefined;
  });
  const { status, retryAfter, problem } = refused;
  const reads: number[] = [];
  for (let second = 0; second < 4; second++) {
    for (const path of ["/api/accounts/1", "/api/orders?limit=2", "/health/ready"]) {
      reads.push((await fetch(`${run.server.origin}${path}`)).status);
    }
    await sleep(250);
  }
  const whileFull: Record<string, number> = {};
  for (const [status, count] of run.load.statuses) {
    const more = count - (before.get(status) ?? 0);
    if (more > 0) whileFull[status] = more;
  }
  return { whileFull, reads, refusal: { status, retryAfter, problem } };
}

try {
  await run.up();
  await run.load.start();
  await run.load.answersMore(200, 10_000);
  const seen = await underFullDisk();

  free();
  const freed = performance.now();
  await eventually(10_000, "writes are taken again", async () => {
    return (await run.load.once())?.status === 201;
  });
  const backAfterMs = performance.now() - freed;
  await run.load.answersMore(100, 10_000);

  // Once more, and this time it dies while the disk is full: what was told by then is durable.
  fill();
  await run.load.answersMore(30, 3_000);
  await run.kill();
  const startOnFull = await run.up().then(
    () => undefined,
    (error: Error) => error.message,
  );
  free();
  if (startOnFull !== undefined) await run.up();
  await run.load.answersMore(100, 10_000);
  await run.finish();
  const verdict = await run.judge({ failures: [500, 507] });
  const finding: Finding = { ...seen, verdict, backAfterMs, startOnFull };
  process.stdout.write(JSON.stringify(finding));
} finally {
  await run.abandon();
}

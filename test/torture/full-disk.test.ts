import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/folder.ts";
import type { Finding } from "./full-disk-scenario.ts";

const run = promisify(execFile);
const scenario = join(import.meta.dirname, "full-disk-scenario.ts");
const BYTES = "32m";

/**
 * The command in front of another that lets it see a small file system of its own at a folder. An
 * ordinary user may have one where the kernel lets it be root of a namespace.
 */
function smallDisk(folder: string): readonly string[] | undefined {
  const mount = `mount -t tmpfs -o size=${BYTES} tmpfs "$0" && exec "$@"`;
  for (const namespaces of ["-m", "-rm"]) {
    const command = ["unshare", namespaces, "sh", "-c", mount, folder];
    if (spawnSync(command[0]!, [...command.slice(1), "true"]).status === 0) return command;
  }
  return undefined;
}

async function findingOf(
  folder: string,
  disk: string,
  means: "tmpfs" | "rlimit",
  launcher: readonly string[],
): Promise<Finding> {
  const [file, ...args] = [
    ...launcher,
    process.execPath,
    "--conditions=posthaste-source",
    scenario,
    join(folder, "run"),
    join(disk, "store.db"),
    means,
  ];
  const { stdout } = await run(file!, args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as Finding;
}

/** What has to hold, whatever makes the writes fail. */
function assertHeld({ verdict, whileFull, reads, backAfterMs }: Finding): void {
  assert.deepEqual(verdict.violations, []);
  assert.equal(verdict.kills, 1);
  assert.ok(verdict.told > 100, `only ${verdict.told} outcomes`);
  assert.deepEqual(new Set(reads), new Set([200]), "reads go on");
  const refused = Object.entries(whileFull).filter(([status]) => Number(status) >= 500);
  assert.ok(
    refused.reduce((sum, [, count]) => sum + count, 0) > 20,
    `too few were refused: ${JSON.stringify(whileFull)}`,
  );
  assert.ok(backAfterMs < 3_000, `back after ${backAfterMs} ms`);
}

suite("A server whose disk is full", { concurrency: 2 }, () => {
  test("answers 507 while it is, keeps what it told, and is back when there is space", {
    timeout: 60_000,
  }, async (t) => {
    const folder = temporaryFolder(t);
    const disk = join(folder, "disk");
    mkdirSync(disk);
    const launcher = smallDisk(disk);
    if (launcher === undefined) {
      t.skip("no tmpfs: neither root nor namespaces of an ordinary user");
      return;
    }
    t.diagnostic(`the disk is a tmpfs of ${BYTES}: ${launcher.slice(0, 2).join(" ")}`);
    const finding = await findingOf(folder, disk, "tmpfs", launcher);
    assertHeld(finding);
    assert.deepEqual(finding.refusal, {
      status: 507,
      retryAfter: "30",
      problem: "insufficient-storage",
    });
    const statuses = Object.keys(finding.whileFull).map(Number);
    assert.deepEqual(
      statuses.filter((status) => status >= 500),
      [507],
    );
    assert.match(finding.startOnFull ?? "", /The disk that holds the database \S+ is full\./);
  });

  test("keeps what it told where its files may grow no more, too", {
    timeout: 60_000,
  }, async (t) => {
    if (spawnSync("prlimit", ["--version"]).status !== 0) {
      t.skip("no prlimit");
      return;
    }
    t.diagnostic("the limit is RLIMIT_FSIZE, set and lifted by prlimit: writes fail with EFBIG");
    const folder = temporaryFolder(t);
    const finding = await findingOf(folder, folder, "rlimit", []);
    assertHeld(finding);
    // To SQLite this is an I/O error like any other.
    assert.ok([500, 503].includes(finding.refusal.status ?? 0));
  });
});

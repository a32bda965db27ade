import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Run } from "../../torture/run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/time.ts";

/** Loaded in front of the C library: a sync fails with EIO as long as a file is there. */
const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int sync_by(const char *name, int file) {
  const char *control = getenv("FAILING_SYNC");
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (control == NULL || access(control, F_OK) != 0) return real(file);
  errno = EIO;
  return -1;
}
int fsync(int file) { return sync_by("fsync", file); }
int fdatasync(int file) { return sync_by("fdatasync", file); }
`;

test("a sync that fails: no 2xx, reads go on, and writes are taken again when it works", {
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const shim = join(folder, "shim.so");
  writeFileSync(join(folder, "shim.c"), SHIM);
  const compiled = spawnSync("gcc", [
    "-shared",
    "-fPIC",
    "-o",
    shim,
    join(folder, "shim.c"),
    "-ldl",
  ]);
  if (compiled.status !== 0) {
    t.skip("no gcc to make fsync fail with");
    return;
  }
  const control = join(folder, "failing");
  const run = new Run({
    folder: join(folder, "run"),
    seed: 11,
    connections: 8,
    server: { env: { LD_PRELOAD: shim, FAILING_SYNC: control } },
  });
  t.after(() => run.abandon());
  await run.up();
  await run.load.start();
  assert.ok(await run.load.answersMore(200, 10_000), "no load");

  writeFileSync(control, "");
  await eventually(5_000, "a write is refused", async () => {
    return ((await run.load.once())?.status ?? 0) >= 500;
  });
  const before = new Map(run.load.statuses);
  for (const path of ["/api/accounts/1", "/api/orders?limit=2", "/health/ready"])
    assert.equal((await fetch(`${run.server.origin}${path}`)).status, 200, path);
  assert.ok(await run.load.answersMore(100, 10_000));
  // Not even a replay: it shares its commit with others.
  for (const status of [201, 202])
    assert.equal(run.load.statuses.get(status), before.get(status), `${status} while sync fails`);
  rmSync(control);
  await eventually(3_000, "writes are taken again", async () => {
    return (await run.load.once())?.status === 201;
  });
  assert.ok(await run.load.answersMore(100, 10_000));

  // What was refused may be in the log all the same, and come back to life behind a crash. Its key
  // comes with it, so whoever sends it again gets its answer.
  writeFileSync(control, "");
  await run.load.answersMore(30, 3_000);
  await run.kill();
  await assert.rejects(run.up(), /The disk failed while the database \S+ was opened/);
  rmSync(control);
  await run.up();
  assert.ok(await run.load.answersMore(100, 10_000));
  await run.finish();
  const verdict = await run.judge({ failures: [] });
  assert.deepEqual(verdict.violations, []);
  assert.ok(verdict.told > 200);
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { crashPoint, crashPoints } from "../../src/kernel/crash-points.ts";
import { Run } from "../../torture/run.ts";
import { page } from "../docs/pages.ts";
import { cleanEnvironment } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";

const SEED = Number(process.env.POSTHASTE_SEED ?? Date.now() % 2 ** 31);
suite("A server that dies at a named point under load", { concurrency: 2 }, () => {
  for (const [index, point] of crashPoints.entries()) {
    test(`${point}: nothing is lost, and nothing happens twice`, { timeout: 60_000 }, async (t) => {
      const seed = SEED + index;
      const run = new Run({ folder: join(temporaryFolder(t), "run"), seed, connections: 8 });
      t.after(() => run.abandon());
      // A passage that comes soon: the point of this is where, not when.
      const count = 1 + run.random.below(30);
      t.diagnostic(`POSTHASTE_SEED=${SEED}, passage ${count}`);
      await run.up({ point, count });
      const started = run.load.start();
      // A server that died before it listened is up again already, without a point to die at.
      if (run.killed === 1) await run.kill();
      else assert.ok(await run.crashed(point), `passage ${count} was not reached`);
      await run.up();
      await started;
      assert.ok(await run.load.answersMore(40, 10_000), "no load");
      await run.finish();
      const verdict = await run.judge();
      assert.deepEqual(verdict.violations, []);
      assert.equal(run.kills.get(point), 1);
      assert.ok(verdict.told > 20);
    });
  }
});

suite("Crash points", () => {
  const start = (value: string | undefined) =>
    spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import { crashPoint } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../src/kernel/crash-points.ts")).href)};
         for (let passage = 1; passage <= 5; passage++) {
           crashPoint("after-commit");
           crashPoint("before-commit");
           console.log(passage);
         }`,
      ],
      {
        encoding: "utf8",
        env: {
          ...cleanEnvironment(),
          ...(value === undefined ? {} : { POSTHASTE_CRASH_AT: value }),
        },
      },
    );

  test("kill the process at the passage that is named, and at no other", () => {
    const { signal, stdout } = start("before-commit:3");
    assert.deepEqual({ signal, stdout }, { signal: "SIGKILL", stdout: "1\n2\n" });
  });

  test("do nothing unless they are asked for", () => {
    for (const value of [undefined, "", "before-commit:6"]) {
      const { status, stdout } = start(value);
      assert.deepEqual({ status, stdout }, { status: 0, stdout: "1\n2\n3\n4\n5\n" });
    }
  });

  test("refuse a name or a count that is none", () => {
    for (const value of ["before-comit:1", "before-commit", "before-commit:0", "before-commit:x"]) {
      const { status, stderr } = start(value);
      assert.equal(status, 1);
      assert.match(stderr, /POSTHASTE_CRASH_AT is for tests, and is NAME:COUNT/);
    }
  });

  test("cost less than 50 ns when they are off", () => {
    const passages = 2_000_000;
    const once = () => {
      const began = performance.now();
      for (let passage = 0; passage < passages; passage++) crashPoint("in-turn");
      return ((performance.now() - began) / passages) * 1e6;
    };
    const nanoseconds = Math.min(once(), once(), once());
    assert.ok(nanoseconds < 50, `${nanoseconds} ns`);
  });

  test("are all in the table of docs/durability.md", () => {
    const { text } = page("docs/durability.md");
    assert.deepEqual(
      crashPoints.filter((point) => !text.includes(`\n| \`${point}\` |`)),
      [],
    );
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Run } from "../../torture/run.ts";
import { temporaryFolder } from "../support/folder.ts";

const SEED = Number(process.env.POSTHASTE_SEED ?? Date.now() % 2 ** 31);
const KILLS = 6;

test("a server that is killed at random under load loses nothing, and does nothing twice", {
  timeout: 60_000,
}, async (t) => {
  const run = new Run({ folder: join(temporaryFolder(t), "run"), seed: SEED, connections: 12 });
  t.after(() => run.abandon());
  t.diagnostic(`POSTHASTE_SEED=${SEED}`);
  await run.up();
  await run.load.start();
  assert.ok(await run.load.answersMore(100, 10_000), "no load");
  await run.kill();
  while (run.killed < KILLS) await run.liveAndDie(0.3);
  await run.finish();

  const verdict = await run.judge();
  assert.deepEqual(verdict.violations, []);
  assert.equal(verdict.kills, KILLS);
  // A run in which nothing was at stake would prove nothing.
  assert.ok(verdict.told > 200, `only ${verdict.told} outcomes`);
  assert.ok(verdict.lost >= KILLS, "no request was under way when the server died");
  assert.ok(verdict.replays > 20, `only ${verdict.replays} replays`);
  assert.ok(verdict.jobs > 50, `only ${verdict.jobs} jobs`);
  t.diagnostic(
    `${verdict.kills} kills, ${verdict.requests} requests, ${verdict.lost} lost, ${verdict.effects} effects, ${verdict.jobs} jobs`,
  );
});

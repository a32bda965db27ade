import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/time.ts";

const tour = resolve(import.meta.dirname, "../../examples/tour/api.ts");
const STARTS = 5;
/** The promise is 600 ms on an idle machine; tests share theirs. */
const BOUND_MS = 1_500;

async function start(t: TestContext, folder: string): Promise<{ ready: number; created: number }> {
  const began = performance.now();
  const server = await servePosthaste(t, [tour, "--store", "store.db"], { cwd: folder });
  await eventually(5_000, "it is ready", async () => {
    const { status } = await fetch(`${server.origin}/health/ready`);
    return status === 200;
  });
  const ready = performance.now() - began;
  const made = await fetch(`${server.origin}/api/posts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"title":"first"}',
  });
  const created = performance.now() - began;
  assert.equal(made.status, 201);
  assert.equal((await server.end()).code, 0);
  return { ready, created };
}

test("from start to the first answers is a matter of moments", async (t) => {
  const folder = join(temporaryFolder(t));
  await start(t, folder);
  const times: { ready: number; created: number }[] = [];
  for (let round = 0; round < STARTS; round++) times.push(await start(t, folder));
  const best = (of: "ready" | "created") => Math.min(...times.map((time) => time[of]));
  const all = (of: "ready" | "created") => times.map((time) => Math.round(time[of])).join(", ");
  t.diagnostic(`ready after ${best("ready").toFixed(0)} ms (all: ${all("ready")})`);
  t.diagnostic(`first 201 after ${best("created").toFixed(0)} ms (all: ${all("created")})`);
  assert.ok(best("ready") < BOUND_MS);
  assert.ok(best("created") < BOUND_MS);
});

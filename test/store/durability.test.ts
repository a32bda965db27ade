import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";

const tour = resolve(import.meta.dirname, "../../examples/tour/api.ts");
const CLIENTS = 12;
const KILLS = 5;

/** Posts until the server is gone; every title that was answered with 201 is acknowledged. */
async function postUntilGone(
  origin: string,
  agent: Agent,
  acknowledged: Map<string, string>,
): Promise<void> {
  for (;;) {
    const title = randomUUID();
    const answer = await new Promise<{ status: number; location: string } | undefined>((keep) => {
      const sent = request(
        `${origin}/api/posts`,
        { method: "POST", agent, headers: { "content-type": "application/json" } },
        (response) => {
          const status = response.statusCode!;
          const { location = "" } = response.headers;
          response.on("end", () => keep({ status, location })).on("error", () => keep(undefined));
          response.resume();
        },
      );
      sent.on("error", () => keep(undefined)).end(JSON.stringify({ title }));
    });
    if (answer === undefined) return;
    assert.equal(answer.status, 201);
    acknowledged.set(title, answer.location);
  }
}

async function lifeAndDeath(t: TestContext, store: string, acknowledged: Map<string, string>) {
  const server = await servePosthaste(t, [tour, "--store", store], { cwd: "/" });
  // The life before this one ended in a kill: what it acknowledged is served by this one.
  for (const [title, location] of [...acknowledged].slice(-3)) {
    const read = await fetch(`${server.origin}${location}`);
    assert.equal(((await read.json()) as { title: string }).title, title);
  }
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const clients = Array.from({ length: CLIENTS }, () =>
    postUntilGone(server.origin, agent, acknowledged),
  );
  const before = acknowledged.size;
  while (acknowledged.size < before + 20) await sleep(5);
  await sleep(randomInt(20, 300));
  server.child.kill("SIGKILL");
  await Promise.all(clients);
  agent.destroy();
  assert.equal((await server.exited).signal, "SIGKILL");
}

test("whatever was acknowledged is there exactly once after kill -9, and the file is sound", {
  timeout: 40_000,
}, async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const acknowledged = new Map<string, string>();
  for (let kill = 0; kill < KILLS; kill++) await lifeAndDeath(t, store, acknowledged);

  const server = await servePosthaste(t, [tour, "--store", store], { cwd: "/" });
  await server.end();
  const database = new DatabaseSync(store);
  t.after(() => database.close());
  assert.deepEqual(
    database
      .prepare("PRAGMA integrity_check")
      .all()
      .map((row) => ({ ...row })),
    [{ integrity_check: "ok" }],
  );
  const stored = database.prepare("SELECT id, title FROM posts").all();
  const times = new Map<string, number>();
  for (const { title } of stored) times.set(String(title), (times.get(String(title)) ?? 0) + 1);
  assert.deepEqual(
    [...acknowledged.keys()].filter((title) => times.get(title) !== 1),
    [],
  );
  assert.deepEqual(
    [...times].filter(([, count]) => count > 1),
    [],
    "nothing else is there twice",
  );
  const ids = new Map(stored.map(({ id, title }) => [String(title), Number(id)]));
  for (const [title, location] of acknowledged)
    assert.equal(location, `/api/posts/${ids.get(title)}`);
  // What nobody acknowledged was under way when a kill came: at most one a client.
  assert.ok(stored.length - acknowledged.size <= CLIENTS * KILLS);
  t.diagnostic(`${acknowledged.size} acknowledged, ${stored.length} stored, ${KILLS} kills`);
});

import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import keyedApi from "../fixtures/keyed.ts";
import { servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { assertFirst, assertReplay, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { post, RawConnection } from "../support/raw-http.ts";
import { inBothModes, type Served, serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

const module = new URL("../fixtures/keyed.ts", import.meta.url);
const CLIENTS = 12;
const KILLS = 3;

interface Heard {
  readonly status: number;
  readonly location: string | undefined;
  readonly replayed: boolean;
  readonly text: string;
}

/** Sends an order named like its key; `undefined` where no answer came. */
function order(origin: string, agent: Agent, key: string): Promise<Heard | undefined> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", ...keyed(key) };
    const sent = request(`${origin}/api/orders`, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (chunk: string) => {
          text += chunk;
        })
        .on("error", () => resolve(undefined))
        .on("end", () => {
          const { location, "idempotent-replayed": replayed } = response.headers;
          resolve({ status: response.statusCode!, location, replayed: replayed === "true", text });
        });
    });
    sent.on("error", () => resolve(undefined)).end(JSON.stringify({ title: key }));
  });
}

interface Keys {
  /** What was answered for each key, the first time. */
  readonly answered: Map<string, Heard>;
  /** Keys of requests that got no answer. */
  readonly unanswered: Set<string>;
}

async function orderUntilGone(origin: string, agent: Agent, keys: Keys): Promise<void> {
  for (;;) {
    const key = randomUUID();
    const heard = await order(origin, agent, key);
    if (heard === undefined) {
      keys.unanswered.add(key);
      return;
    }
    assert.equal(heard.status, 201, heard.text);
    assert.equal(heard.replayed, false);
    keys.answered.set(key, heard);
  }
}

/** What a client does that heard nothing: the same again, with the same key. */
async function retryAll(origin: string, agent: Agent, keys: Keys): Promise<number> {
  let replayed = 0;
  for (const key of keys.unanswered) {
    const heard = await order(origin, agent, key);
    assert.ok(heard, "the server is up, and does not answer");
    assert.equal(heard.status, 201, heard.text);
    if (heard.replayed) replayed++;
    keys.answered.set(key, heard);
  }
  keys.unanswered.clear();
  return replayed;
}

suite("A server that is killed in the middle of keyed requests", () => {
  test("does the work of each key once, and answers every retry as it answered before", {
    timeout: 50_000,
  }, async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const keys: Keys = { answered: new Map(), unanswered: new Set() };
    const start = async () => {
      const args = [fileURLToPath(module), "--store", store];
      const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
      t.after(() => agent.destroy());
      return { server: await servePosthaste(t, args, { cwd: "/" }), agent };
    };
    let replayed = 0;
    let retried = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { server, agent } = await start();
      retried += keys.unanswered.size;
      replayed += await retryAll(server.origin, agent, keys);
      const before = keys.answered.size;
      const clients = Array.from({ length: CLIENTS }, () =>
        orderUntilGone(server.origin, agent, keys),
      );
      while (keys.answered.size < before + 20) await sleep(5);
      await sleep(randomInt(5, 100));
      server.child.kill("SIGKILL");
      await Promise.all(clients);
      assert.equal((await server.exited).signal, "SIGKILL");
    }
    assert.ok(keys.unanswered.size > 0, "no request was under way at the kill");

    const { server, agent } = await start();
    retried += keys.unanswered.size;
    replayed += await retryAll(server.origin, agent, keys);
    for (const [key, first] of keys.answered) {
      const again = await order(server.origin, agent, key);
      assert.deepEqual(again, { ...first, replayed: true });
    }
    await server.end();

    const database = new DatabaseSync(store, { readOnly: true });
    t.after(() => database.close());
    const all = (sql: string) => database.prepare(sql).all();
    const titles = all("SELECT title FROM orders").map(({ title }) => String(title));
    assert.deepEqual(titles.sort(), [...keys.answered.keys()].sort());
    const effects = all("SELECT text FROM effects").map(({ text }) => String(text));
    assert.deepEqual(effects.sort(), titles.map((title) => `order ${title}`).sort());
    t.diagnostic(
      `${keys.answered.size} keys, ${KILLS} kills, ${retried} retried, of which ${replayed} had been done`,
    );
  });
});

/** The server is up, with another writer in place of the one that died. */
const restarted = (served: Served) =>
  eventually(5_000, "the writer is restarted", () =>
    served.observed.some(({ event }) => event === "writer.restarted"),
  );

suite("A writer thread that dies", () => {
  const open = (t: TestContext) => serve(t, keyedApi, { module });

  test("between the commit and the answer: the next writer finds the answer under the key", async (t) => {
    const served = await open(t);
    const headers = keyed();
    const body = { title: "a", does: "die unanswered" };
    for (let time = 0; time < 2; time++) {
      const answer = await served.post("/orders", body, headers);
      assert.equal(answer.status, 201, answer.text);
      // The first one never left: what comes is what was recorded with the data.
      assert.equal(answer.header("idempotent-replayed"), "true");
      assert.equal(answer.header("location"), "/api/orders/1");
      assert.deepEqual(answer.body, (await served.get("/orders/1")).body);
    }
    assert.equal(served.rows("orders").length, 1);
    assert.equal(served.rows("effects").length, 1);
  });

  test("between the commit and the answer, without a key: nobody can tell, and the client is told so", async (t) => {
    const served = await open(t);
    const lost = await served.post("/orders", { title: "a", does: "die unanswered" });
    const problem = assertProblem(lost, 500, "internal-error");
    assert.match(problem.detail, /The change was made/);
    assert.equal(served.rows("orders").length, 1);
  });

  test("by a hook, before the commit: the client gets 5xx, and its retry is the first to be done", async (t) => {
    const served = await open(t);
    const headers = keyed();
    const body = { title: "a", does: "die in the dark" };
    const lost = await served.post("/orders", body, headers);
    assert.ok([500, 503].includes(lost.status), lost.text);
    assert.deepEqual(served.rows("orders"), []);
    await restarted(served);
    await served.make("/lights", { name: "on" });
    const retry = await served.post("/orders", body, headers);
    assertFirst(retry, 201);
    assertReplay(retry, await served.post("/orders", body, headers));
    assert.equal(served.rows("orders").length, 1);
    assert.equal(served.rows("effects").length, 1);
  });

  test("with many requests under way: each of their keys comes to one record", async (t) => {
    const served = await open(t);
    const orders = Array.from({ length: 30 }, (_, index) => ({
      body: { title: `${index}`, ...(index % 10 === 5 ? { does: "die unanswered" } : {}) },
      headers: keyed(),
    }));
    await Promise.all(orders.map(({ body, headers }) => served.post("/orders", body, headers)));
    for (const { body, headers } of orders) {
      const answer = await eventually(10_000, "the writer is back", async () => {
        const retry = await served.post("/orders", body, headers);
        return retry.status < 500 ? retry : undefined;
      });
      assert.equal(answer.status, 201, answer.text);
      assert.equal((answer.body as { title: string }).title, body.title);
    }
    const titles = served.rows("orders").map(({ title }) => String(title));
    assert.deepEqual(titles.sort(), orders.map(({ body }) => body.title).sort());
    assert.equal(served.rows("effects").length, orders.length);
  });

  test("takes its twins along, and each of them may come again", async (t) => {
    const served = await open(t);
    const headers = keyed();
    const body = { title: "a", does: "die unanswered" };
    const twins = await Promise.all(
      Array.from({ length: 10 }, () => served.post("/orders", body, headers)),
    );
    for (const { status, text } of twins) assert.ok([201, 500, 503].includes(status), text);
    await restarted(served);
    const retry = await served.post("/orders", body, headers);
    assert.equal(retry.status, 201);
    assert.equal(retry.header("idempotent-replayed"), "true");
    assert.equal(served.rows("orders").length, 1);
  });
});

suite("A client that hangs up", () => {
  inBothModes(module, keyedApi, (served) => {
    test("in the middle of its body has done nothing, and may send it again", async () => {
      const headers = keyed();
      const bytes = post("/api/orders", { title: "a" }, headers);
      const connection = await RawConnection.open(served.origin);
      connection.send(bytes.subarray(0, bytes.length - 5));
      // Behind what was sent before, on the same server.
      await served.get("/orders");
      connection.destroy();
      await served.get("/orders");
      assert.deepEqual(served.rows("orders"), []);
      assertFirst(await served.post("/orders", { title: "a" }, headers), 201);
      assert.equal(served.rows("orders").length, 1);
    });

    test("before its answer came gets that when it sends the same again", async () => {
      const headers = keyed();
      const bytes = post("/api/orders", { title: "a" }, headers);
      const connection = await RawConnection.open(served.origin);
      connection.send(bytes);
      await eventually(3_000, "the order is there", () => served.rows("orders").length === 1);
      connection.destroy();
      const retry = await served.post("/orders", { title: "a" }, headers);
      assert.equal(retry.status, 201);
      assert.equal(retry.header("idempotent-replayed"), "true");
      assert.equal(retry.header("location"), "/api/orders/1");
      assert.equal(served.rows("orders").length, 1);
      assert.equal(served.rows("effects").length, 1);
    });

    test("many times, at any moment, has one record for each key", async () => {
      const keys = Array.from({ length: 30 }, () => randomUUID());
      for (const [index, key] of keys.entries()) {
        const bytes = post("/api/orders", { title: key }, { "Idempotency-Key": key });
        for (const part of [bytes.length, bytes.length - 1, (bytes.length * index) / 30]) {
          const connection = await RawConnection.open(served.origin);
          connection.send(bytes.subarray(0, part));
          await new Promise((resolve) => setImmediate(resolve));
          connection.destroy();
        }
      }
      for (const key of keys)
        assert.equal((await served.post("/orders", { title: key }, keyed(key))).status, 201);
      const titles = served.rows("orders").map(({ title }) => String(title));
      assert.deepEqual(titles.sort(), keys.sort());
    });
  });
});

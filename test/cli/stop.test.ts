import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "posthaste";
import { startServer } from "../../src/http/server.ts";
import { type ServedApi, servePosthaste } from "../support/command.ts";
import { notesApi, temporaryProject } from "../support/project.ts";
import { eventually, within } from "../support/time.ts";

/** A create takes as many milliseconds in the writer as its text says. */
const slowApi = notesApi(`
  created: ({ row }) => {
    const end = Date.now() + Number(/slow (\\\\d+)/.exec(row.text)?.[1] ?? 0);
    while (Date.now() < end);
  },`).replaceAll("\\\\d", "\\d");

async function serve(t: TestContext, api = slowApi): Promise<ServedApi & { folder: string }> {
  const folder = temporaryProject(t, { "api.ts": api });
  return Object.assign(await servePosthaste(t, ["api.ts"], { cwd: folder }), { folder });
}

/** What the store holds after the server has ended. */
function storedTexts(folder: string): string[] {
  const database = new DatabaseSync(join(folder, "posthaste.db"), { readOnly: true });
  try {
    return database
      .prepare("SELECT text FROM notes")
      .all()
      .map(({ text }) => String(text));
  } finally {
    database.close();
  }
}

/** A connection on which a test writes and reads bytes as they are. */
async function raw(t: TestContext, port: number) {
  const socket: Socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  const closed = new Promise<string>((keep) => socket.on("close", () => keep(received)));
  socket.on("error", () => {});
  await new Promise((keep) => socket.once("connect", keep));
  return {
    write: (text: string) => socket.write(text),
    closed,
    received: () => received,
  };
}

/** What was written before to a connection has been read once a later request is answered. */
const hasRead = async (origin: string) => {
  assert.equal((await fetch(`${origin}/api/notes/999`)).status, 404);
};

const head = (length: number) =>
  `POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

const endsWell = async (server: ServedApi, milliseconds = 5_000) => {
  const { code, signal } = await within(milliseconds, "the server ends", server.exited);
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, server.stderr);
  assert.match(server.stderr, /"event":"server\.draining".*"event":"server\.stopped"/s);
};

suite("a server that is told to stop", { concurrency: 2 }, () => {
  test("under load answers what it accepted, stores nothing else, and ends with 0", async (t) => {
    const server = await serve(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 24 });
    const answered = new Set<string>();
    const refused: number[] = [];
    let closing = 0;
    let told = false;
    const client = async () => {
      for (;;) {
        const text = randomUUID();
        const status = await new Promise<number>((keep) => {
          const sent = request(
            `${server.origin}/api/notes`,
            { method: "POST", agent, headers: { "content-type": "application/json" } },
            (response) => {
              if (told && response.headers.connection === "close") closing++;
              response.on("end", () => keep(response.statusCode!)).on("error", () => keep(0));
              response.resume();
            },
          );
          sent.on("error", () => keep(0)).end(JSON.stringify({ text }));
        });
        if (status === 0) return;
        if (status === 201) answered.add(text);
        else refused.push(status);
      }
    };
    const clients = Array.from({ length: 24 }, client);
    await eventually(5_000, "load", () => answered.size > 200);
    told = true;
    server.child.kill("SIGTERM");
    await Promise.all(clients);
    await endsWell(server);
    agent.destroy();
    const [, inFlight] = /"event":"server\.draining","requestsInFlight":(\d+)/.exec(server.stderr)!;
    assert.equal(closing, Number(inFlight), "the last answers close their connections");
    assert.deepEqual(
      refused.filter((status) => status !== 503),
      [],
    );
    const stored = storedTexts(server.folder);
    assert.equal(new Set(stored).size, stored.length);
    // Both ways: nothing acknowledged is lost, and nothing was made whose answer did not arrive.
    assert.deepEqual(new Set(stored), answered);
  });

  test("answers creates that wait in the lane, and closes their connections", async (t) => {
    const server = await serve(t);
    const body = JSON.stringify({ text: "slow 150" });
    const connections = await Promise.all(Array.from({ length: 4 }, () => raw(t, server.port)));
    for (const { write } of connections) write(head(body.length) + body);
    await hasRead(server.origin);
    server.child.kill("SIGTERM");
    for (const { closed } of connections) {
      const answer = await within(4_000, "an answer", closed);
      assert.match(answer, /^HTTP\/1\.1 201 Created\r\n/);
      assert.match(answer, /\r\nconnection: close\r\n/i);
    }
    await endsWell(server);
    assert.equal(storedTexts(server.folder).length, 4);
  });

  test("takes no more connections, and says so to whoever still has one", async (t) => {
    const server = await serve(t);
    const body = JSON.stringify({ text: "slow 700" });
    const [busy, probe, late, idle] = await Promise.all([
      raw(t, server.port),
      raw(t, server.port),
      raw(t, server.port),
      raw(t, server.port),
    ]);
    idle.write("GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(2_000, "an answer", () => idle.received().includes('"status":"ok"'));
    busy.write(head(body.length) + body);
    // Requests that have begun, so that their connections are not idle.
    probe.write("GET /health/ready HTTP/1.1\r\nHost: x\r\n");
    late.write("GET /api/notes HTTP/1.1\r\nHost: x\r\n");
    await hasRead(server.origin);
    server.child.kill("SIGTERM");
    await within(2_000, "an idle connection is closed", idle.closed);
    await assert.rejects(fetch(`${server.origin}/health/live`), "new connections are refused");
    probe.write("\r\n");
    late.write("\r\n");
    const readiness = await within(2_000, "an answer", probe.closed);
    assert.match(readiness, /^HTTP\/1\.1 503 /);
    assert.match(readiness, /"status":"unavailable".*"intake":"draining"/);
    assert.match(readiness, /\r\nconnection: close\r\n/i);
    const refusal = await within(2_000, "an answer", late.closed);
    assert.match(refusal, /^HTTP\/1\.1 503 /);
    assert.match(refusal, /\/problems\/draining/);
    assert.match(refusal, /\r\nconnection: close\r\n/i);
    assert.match(refusal, /\r\nretry-after: \d+\r\n/i);
    assert.match(await within(3_000, "an answer", busy.closed), /^HTTP\/1\.1 201 /);
    await endsWell(server);
  });

  test("answers a request whose body is still coming in, when that comes", async (t) => {
    const server = await serve(t);
    const body = JSON.stringify({ text: "in two parts" });
    const slow = await raw(t, server.port);
    slow.write(head(body.length) + body.slice(0, 9));
    await hasRead(server.origin);
    server.child.kill("SIGTERM");
    await server.says("stderr", /server\.draining/);
    await sleep(100);
    slow.write(body.slice(9));
    const answer = await within(3_000, "an answer", slow.closed);
    assert.match(answer, /^HTTP\/1\.1 (201|503) /);
    assert.match(answer, /\r\nconnection: close\r\n/i);
    await endsWell(server);
    assert.deepEqual(
      storedTexts(server.folder),
      answer.startsWith("HTTP/1.1 201") ? ["in two parts"] : [],
    );
  });

  test("does not wait for ever for a body that never comes", async (t) => {
    const folder = temporaryProject(t, { "api.ts": notesApi() });
    const { default: api } = (await import(join(folder, "api.ts"))) as { default: Api };
    const server = await startServer(api, {
      host: "127.0.0.1",
      port: 0,
      store: join(folder, "posthaste.db"),
      stopTimeoutMs: 300,
    });
    const stuck = await raw(t, Number(new URL(server.origin).port));
    stuck.write(`${head(1_000)}{"text`);
    await hasRead(server.origin);
    const began = performance.now();
    await within(3_000, "it stops", server.stop());
    assert.ok(performance.now() - began >= 290, "it waits for a while");
    await stuck.closed;
    assert.deepEqual(storedTexts(folder), []);
  });

  test("at once when nothing is under way, and leaves one file behind", async (t) => {
    const server = await serve(t);
    await fetch(`${server.origin}/api/notes`);
    const began = performance.now();
    server.child.kill("SIGINT");
    await endsWell(server);
    assert.ok(performance.now() - began < 2_000);
    assert.deepEqual(storedTexts(server.folder), []);
  });

  test("twice at once stops once, gracefully", async (t) => {
    const server = await serve(t);
    const body = JSON.stringify({ text: "slow 400" });
    const busy = await raw(t, server.port);
    busy.write(head(body.length) + body);
    await hasRead(server.origin);
    // As a terminal and a supervisor would.
    server.child.kill("SIGINT");
    server.child.kill("SIGTERM");
    assert.match(await within(3_000, "an answer", busy.closed), /^HTTP\/1\.1 201 /);
    await endsWell(server);
  });

  test("also where the user's module keeps timers of its own, in both threads", async (t) => {
    const server = await serve(
      t,
      notesApi(
        "",
        "setInterval(() => {}, 1_000); const server = new (await import('node:net')).Server().listen(0);",
      ),
    );
    const made = await fetch(`${server.origin}/api/notes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"text":"a"}',
    });
    assert.equal(made.status, 201);
    server.child.kill("SIGTERM");
    await endsWell(server);
    assert.deepEqual(storedTexts(server.folder), ["a"]);
  });

  test("as soon as it says where it is", async (t) => {
    const folder = temporaryProject(t, { "api.ts": slowApi });
    const server = await servePosthaste(t, ["api.ts"], { cwd: folder });
    server.child.kill("SIGTERM");
    await endsWell(server);
  });
});

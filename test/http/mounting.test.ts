import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import Fastify, { type FastifyInstance } from "fastify";
import { anyone, api, resource } from "posthaste";
import { posthaste } from "posthaste/fastify";
import { z } from "zod";
import notes from "../fixtures/notes.ts";
import vendor, { VENDOR } from "../fixtures/vendor.ts";
import { temporaryFolder } from "../support/folder.ts";
import { exchange, problemIn, RawConnection, request, typeOf } from "../support/raw-http.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const people = api(
  {
    people: resource("people", {
      schema: z.object({ name: z.string().min(1), nickname: z.string().optional() }),
      unique: ["name"],
      access: open,
    }),
  },
  { title: "People" },
);
const vendorModule = new URL("../fixtures/vendor.ts", import.meta.url);
const notesModule = new URL("../fixtures/notes.ts", import.meta.url);

interface Host {
  readonly app: FastifyInstance;
  readonly folder: string;
  /** What the hooks of the host have seen. */
  readonly seen: string[];
}

/** An app as somebody else wrote it, with everything that a plugin could get in the way of. */
function hostApp(t: TestContext): Host {
  const folder = temporaryFolder(t);
  const seen: string[] = [];
  const app = Fastify({ logger: false, bodyLimit: 2_000 });
  t.after(() => app.close());
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
    done(null, { parsedByHost: JSON.parse(String(text)) });
  });
  app.addContentTypeParser("text/csv", { parseAs: "string" }, (_request, text, done) => {
    done(null, String(text).split(","));
  });
  app.addHook("onRequest", async ({ url }) => {
    seen.push(`onRequest ${url}`);
  });
  app.addHook("onSend", async (_request, reply, payload) => {
    reply.header("x-host", "was here");
    return payload;
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    reply.code(error.statusCode ?? 500).send({ hostError: error.message });
  });
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send({ hostSays: "nothing" });
  });
  return { app, folder, seen };
}

/** Routes that the host has, under a name that tells when they were made. */
function hostRoutes(app: FastifyInstance, name: string): void {
  app.post(`/host/${name}`, async ({ body }) => ({ got: body }));
  app.get(`/host/${name}/fails`, async () => {
    throw Object.assign(new Error("host's own"), { statusCode: 418 });
  });
}

async function assertHostUntouched(app: FastifyInstance, name: string): Promise<void> {
  const url = `/host/${name}`;
  const json = await app.inject({ method: "POST", url, payload: { a: 1, b: [2] } });
  assert.deepEqual(json.json(), { got: { parsedByHost: { a: 1, b: [2] } } }, `${name}: JSON`);
  const csv = await app.inject({
    method: "POST",
    url,
    payload: "a,b",
    headers: { "content-type": "text/csv" },
  });
  assert.deepEqual(csv.json(), { got: ["a", "b"] }, `${name}: CSV`);
  const xml = await app.inject({
    method: "POST",
    url,
    payload: "<a/>",
    headers: { "content-type": "application/xml" },
  });
  assert.equal(xml.statusCode, 415, `${name}: XML`);
  assert.ok("hostError" in xml.json(), `${name}: XML`);
  const large = await app.inject({ method: "POST", url, payload: { a: "x".repeat(3_000) } });
  assert.equal(large.statusCode, 413, `${name}: limit`);
  const failed = await app.inject({ method: "GET", url: `${url}/fails` });
  assert.equal(failed.statusCode, 418);
  assert.deepEqual(failed.json(), { hostError: "host's own" });
  const missing = await app.inject({ method: "GET", url: "/host/nothing" });
  assert.deepEqual(missing.json(), { hostSays: "nothing" });
  assert.equal(missing.headers["x-host"], "was here");
}

for (const [how, modules] of Object.entries({
  "without modules": { v1: undefined, v2: undefined },
  "with modules, each in a writer thread of its own": { v1: notesModule, v2: vendorModule },
})) {
  suite(`Two APIs in the app of somebody else, ${how}`, () => {
    const mount = async (t: TestContext) => {
      const host = hostApp(t);
      const { app, folder } = host;
      const stores = { v1: join(folder, "one.db"), v2: join(folder, "two.db") };
      hostRoutes(app, "before");
      app.register(posthaste(notes, { store: stores.v1, module: modules.v1 }), { prefix: "/v1" });
      app.register(async (inside) => {
        hostRoutes(inside, "inside");
        inside.register(posthaste(vendor, { store: stores.v2, module: modules.v2 }), {
          prefix: "/v2",
        });
        hostRoutes(inside, "inside-after");
      });
      hostRoutes(app, "after");
      const origin = await app.listen({ host: "127.0.0.1", port: 0 });
      return { ...host, origin, stores };
    };
    const call = (origin: string, method: string, path: string, body?: unknown) =>
      fetch(`${origin}${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });

    test("both work, each below its prefix, with its dialect and in its store", async (t) => {
      const { app, origin, stores } = await mount(t);
      const note = await call(origin, "POST", "/v1/notes", { text: "one" });
      assert.equal(note.status, 201, await note.clone().text());
      assert.equal(note.headers.get("location"), "/v1/notes/1");
      const user = await call(origin, "POST", "/v2/users", {
        user: { full_name: "Ada", email_address: "ada@example.com" },
      });
      assert.equal(user.status, 201, await user.clone().text());
      assert.equal(user.headers.get("location"), "/v2/users/1");
      assert.equal(user.headers.get("content-type"), VENDOR);
      for (const path of ["/v1/notes/1", "/v2/users/1"])
        assert.equal((await call(origin, "GET", path)).status, 200, path);
      for (const path of ["/v1/users", "/v2/notes", "/notes", "/users"])
        assert.equal((await call(origin, "GET", path)).status, 404, path);
      await app.close();
      assert.deepEqual(tablesOf(stores.v1), ["notes"]);
      assert.deepEqual(tablesOf(stores.v2), ["secrets", "users", "visits"]);
    });

    test("routes of the host keep its parsers, limits, hooks and handlers", async (t) => {
      const { app, seen } = await mount(t);
      for (const name of ["before", "inside", "inside-after", "after"])
        await assertHostUntouched(app, name);
      assert.ok(seen.includes("onRequest /host/before"));
    });

    test("hooks of the host see requests to the APIs, too", async (t) => {
      const { origin, seen } = await mount(t);
      const listed = await call(origin, "GET", "/v1/notes");
      assert.equal(listed.headers.get("x-host"), "was here");
      assert.ok(seen.includes("onRequest /v1/notes"));
    });

    test("errors below a prefix are the API's, in its dialect", async (t) => {
      const { origin } = await mount(t);
      for (const [method, path, status] of [
        ["GET", "/v1/nothing", 404],
        ["GET", "/v1/notes/99", 404],
        ["DELETE", "/v1/notes", 405],
        ["PURGE", "/v1/notes", 405],
        ["POST", "/v1/notes", 415],
        ["GET", `/v1/notes?${"a".repeat(9_000)}`, 414],
      ] as const) {
        const answer = await exchange(origin, request(method, path));
        assert.equal(answer.status, status, path);
        const { type } = problemIn(answer);
        assert.match(type, /^\/v1\/problems\//);
        assert.equal((await call(origin, "GET", type)).status, 200, type);
        const other = await exchange(
          origin,
          request(method, path.replace("v1/notes", "v2/users").replace("v1", "v2")),
        );
        assert.equal(other.status, status, path);
        assert.equal(other.headers.get("content-type"), VENDOR, path);
        assert.ok("error" in (other.json() as object));
      }
    });

    test("bodies of the APIs have the APIs' limits, not the host's", async (t) => {
      const { origin } = await mount(t);
      const note = await call(origin, "POST", "/v1/notes", { text: "x".repeat(2_500) });
      assert.equal(note.status, 201, await note.text());
    });

    test("each has its own documentation and document", async (t) => {
      const { origin } = await mount(t);
      for (const [prefix, path] of [
        ["/v1", "/notes"],
        ["/v2", "/users"],
      ]) {
        const docs = await call(origin, "GET", `${prefix}/docs`);
        assert.equal(docs.status, 200);
        const html = await docs.text();
        assert.ok(
          html.includes(`${prefix}/openapi.json`) && html.includes(`${prefix}/docs/reference.js`),
        );
        const document = (await (await call(origin, "GET", `${prefix}/openapi.json`)).json()) as {
          servers: { url: string }[];
          paths: object;
        };
        assert.equal(document.servers[0]?.url, prefix);
        assert.ok(path! in document.paths);
        const index = await (await call(origin, "GET", `${prefix}/problems`)).text();
        assert.ok(index.includes(`href="${prefix}/problems/not-found"`));
        const [, next] = /<a href="([^"]*)">All problems/.exec(
          await (await call(origin, "GET", `${prefix}/problems/not-found`)).text(),
        )!;
        const back = new URL(next!, `${origin}${prefix}/problems/not-found`).pathname;
        assert.equal(back, `${prefix}/problems`);
      }
    });

    test("closing the app keeps every promise that was made, and closes both stores", async (t) => {
      const { app, origin, stores } = await mount(t);
      const writes = Array.from({ length: 40 }, (_, index) =>
        call(origin, "POST", "/v1/notes", { text: String(index) }).then(
          ({ status }) => status,
          () => undefined,
        ),
      );
      await Promise.race(writes);
      await app.close();
      const answers = await Promise.all(writes);
      const made = answers.filter((status) => status === 201).length;
      assert.ok(made > 0);
      assert.deepEqual(
        answers.filter((status) => ![201, 503, undefined].includes(status)),
        [],
      );
      for (const store of Object.values(stores)) {
        // The last connection to close takes the log of writes with it.
        assert.equal(existsSync(`${store}-wal`), false, store);
      }
      assert.equal(countOf(stores.v1, "notes"), made);
    });
  });
}

suite("One API in the app of somebody else", () => {
  test("at the root, beside the host's own routes", async (t) => {
    const { app, folder } = hostApp(t);
    hostRoutes(app, "before");
    app.register(posthaste(people, { store: join(folder, "people.db") }));
    hostRoutes(app, "after");
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    for (const name of ["before", "after"]) await assertHostUntouched(app, name);
    const made = await fetch(`${origin}/people`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"name":"Ada"}',
    });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("location"), "/people/1");
    for (const [method, path, status] of [
      ["GET", "/people/9", 404],
      ["DELETE", "/people", 405],
      ["GET", "/problems/nothing", 404],
    ] as const) {
      const answer = await exchange(origin, request(method, path));
      assert.equal(answer.status, status);
      problemIn(answer);
    }
    // What no route of anybody has is the host's to answer.
    const nothing = await exchange(origin, request("GET", "/nothing"));
    assert.deepEqual(nothing.json(), { hostSays: "nothing" });
    assert.equal((await fetch(`${origin}/docs`)).status, 200);
  });

  test("a hook of the host that refuses a request has the word, in the host's own form", async (t) => {
    const { app, folder } = hostApp(t);
    app.addHook("onRequest", async ({ headers }) => {
      if (headers["x-key"] !== "right")
        throw Object.assign(new Error("no key"), { statusCode: 401 });
    });
    app.register(posthaste(people, { store: join(folder, "people.db") }), { prefix: "/api" });
    await app.ready();
    const refused = await app.inject({ method: "GET", url: "/api/people" });
    assert.equal(refused.statusCode, 401);
    assert.deepEqual(refused.json(), { hostError: "no key" });
    const allowed = await app.inject({
      method: "GET",
      url: "/api/people",
      headers: { "x-key": "right" },
    });
    assert.equal(allowed.statusCode, 200);
  });

  test("without its pages the type of a problem still leads somewhere, or nowhere by its name", async (t) => {
    const { app, folder } = hostApp(t);
    const options = { store: join(folder, "people.db"), pages: false };
    app.register(posthaste(people, options), { prefix: "/api" });
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    for (const path of ["/api/docs", "/api/openapi.json"])
      assert.equal((await fetch(`${origin}${path}`)).status, 404, path);
    const { type } = (await (await fetch(`${origin}/api/people/9`)).json()) as { type: string };
    if (type !== "about:blank")
      assert.equal((await fetch(`${origin}${type}`)).status, 200, `${type} opens no page`);
  });

  test("a client that waits for 100 Continue gets it once", async (t) => {
    const { app, folder } = hostApp(t);
    app.register(posthaste(people, { store: join(folder, "people.db") }), { prefix: "/api" });
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    const connection = await RawConnection.open(origin);
    t.after(() => connection.destroy());
    connection.send(
      "POST /api/people HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n",
    );
    assert.equal((await connection.answer("POST"))?.status, 100);
    assert.equal((await connection.send('{"name":"Ada"}').answer("POST"))?.status, 201);
  });

  test("a store that can't be used keeps the app from starting, with a sentence", async (t) => {
    const { app, folder } = hostApp(t);
    app.register(posthaste(people, { store: join(folder, "nowhere", "people.db") }));
    await assert.rejects(async () => app.ready(), /folder .* does not exist/);
  });

  test("a wrong declaration keeps the app from starting, and no store is made", async (t) => {
    const { app, folder } = hostApp(t);
    const store = join(folder, "people.db");
    const wrong = api({ people: { kind: "resource", name: "people", config: {} } as never });
    app.register(posthaste(wrong, { store }));
    await assert.rejects(async () => app.ready(), /The declaration has/);
    assert.equal(existsSync(store), false);
  });

  test("an API with a method that the host has taken at the same path is refused by Fastify", async (t) => {
    const { app, folder } = hostApp(t);
    app.get("/api/people", async () => "mine");
    app.register(posthaste(people, { store: join(folder, "people.db") }), { prefix: "/api" });
    await assert.rejects(async () => app.ready(), /already declared/);
  });

  test("requests injected without a socket are served as well", async (t) => {
    const { app, folder } = hostApp(t);
    app.register(posthaste(people, { store: join(folder, "people.db") }), { prefix: "/api" });
    const made = await app.inject({ method: "POST", url: "/api/people", payload: { name: "Ada" } });
    assert.equal(made.statusCode, 201, made.body);
    const bad = await app.inject({ method: "POST", url: "/api/people", payload: { nam: "Ada" } });
    assert.equal(bad.statusCode, 422);
    assert.equal(typeOf(bad.json() as { type: string }), "validation-failed");
  });
});

function tablesOf(store: string): string[] {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    return database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !/^(sqlite|posthaste)_/.test(name));
  } finally {
    database.close();
  }
}

function countOf(store: string, table: string): number {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    return Number(database.prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.count);
  } finally {
    database.close();
  }
}

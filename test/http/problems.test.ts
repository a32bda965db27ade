import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type AuthenticationScheme, action, anyone, api, job, resource, signedIn } from "posthaste";
import { z } from "zod";
import { plain } from "../../src/declare/dialect.ts";
import { startServer } from "../../src/http/server.ts";
import { Problem, type ProblemName, problemTypes } from "../../src/kernel/problems.ts";
import { problemAnswer } from "../../src/pipeline/problem-answer.ts";
import { problemOf } from "../../src/pipeline/problem-of.ts";
import { StoreError, type StoreErrorKind } from "../../src/store/port.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serveHoldable } from "../support/held-lane.ts";
import {
  exchange,
  post,
  problemIn,
  type RawAnswer,
  RawConnection,
  request,
  typeOf,
} from "../support/raw-http.ts";
import { serve, servedFor } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

const names = Object.keys(problemTypes) as ProblemName[];

const bearer: AuthenticationScheme = {
  name: "bearer",
  challenge: "Bearer",
  openapi: { type: "http", scheme: "bearer" },
  authenticate: ({ headers: { authorization } }) =>
    authorization === undefined ? null : { id: String(authorization) },
};
const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const things = resource("things", {
  schema: z.object({ name: z.string().min(1), size: z.int().optional() }),
  unique: ["name"],
  access: open,
  maxBodyBytes: 1_000,
  created: ({ row }) => {
    if (row.name === "boom") throw new Error("SELECT secret FROM /etc/passwd at things.ts:12:3");
  },
});
const parts = resource("parts", {
  parent: { thing: things },
  schema: z.object({ name: z.string() }),
  access: open,
});
const secrets = resource("secrets", {
  schema: z.object({ name: z.string() }),
  access: { create: signedIn, read: () => false, update: () => false, delete: () => false },
});
const transfers = resource("transfers", {
  schema: z.object({ name: z.string() }),
  access: open,
  idempotency: { create: { key: "required" } },
  ifMatch: "required",
});
const finish = action("finish", {
  access: anyone,
  run: ({ conflict }) => conflict("finished", "It is finished already."),
});
const tick = action("tick", {
  access: anyone,
  starts: job("tick", { input: z.object({}), run: () => {} }),
  run: () => ({}),
});
const declarations = { things, parts, secrets, transfers, finish, tick };
const fixture = api(declarations, { authenticate: [bearer] });

/** What must never leave the server: SQL, code, files, and the libraries that it is made of. */
const INTERNALS =
  /sqlite|\bselect\b|insert into|constraint failed|node_modules|node:|\.ts\b|\n\s+at |\/etc\/|\/tmp\/|\/work\/|fastify|kysely|llhttp|HPE_|FST_|ERR_/i;

function assertSilent({ headers, body }: Pick<RawAnswer, "headers" | "body">): void {
  assert.doesNotMatch(body.toString(), INTERNALS);
  for (const name of ["server", "x-powered-by", "via"]) assert.equal(headers.has(name), false);
}

suite("The registry of problems", () => {
  const text = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  const [, ...sections] = text.split(/^## /m);
  const documented = new Map(
    sections.map((section) => [section.slice(0, section.indexOf("\n")), section]),
  );

  test("has a section in docs/errors.md for each type, and no other", () => {
    assert.deepEqual([...documented.keys()], names);
  });

  test("has a line in the table of docs/errors.md for each type, with its status", () => {
    const lines = [...text.matchAll(/^\| (\d{3}) \| \[([a-z-]+)\]\(#\2\) \|$/gm)];
    assert.deepEqual(
      lines.map(([, status, name]) => `${status} ${name}`),
      names.map((name) => `${problemTypes[name].status} ${name}`),
    );
  });

  for (const name of names) {
    test(`${name} is documented: its title, what it means, what to do, and an example`, () => {
      const { status, title } = problemTypes[name];
      const [heading, meaning = "", ...rest] = (documented.get(name) ?? "").split("\n\n").slice(1);
      assert.equal(heading, `**${status} · ${title}**`);
      assert.match(meaning, /^[A-Z`].{20,}\.$/s);
      assert.ok(
        rest.some((paragraph) => /^\*\*What to do\.\*\* \S/.test(paragraph)),
        "what to do",
      );
      const [, json] = /```json\n(\{.*?\n\})\n```/s.exec(rest.join("\n\n")) ?? [];
      const example = JSON.parse(json ?? "{}") as Record<string, unknown>;
      assert.equal(example.type, `/problems/${name}`);
      assert.equal(example.title, title);
      assert.equal(example.status, status);
      assert.ok(String(example.detail).length > 0);
      assert.match(
        String(example.instance),
        /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      );
    });
  }

  test("gives every type a status of its class, and words for people", () => {
    for (const [name, { status, title, meaning, remedy }] of Object.entries(problemTypes)) {
      assert.match(name, /^[a-z]+(-[a-z]+)*$/);
      assert.ok(status >= 400 && status < 600);
      assert.match(title, /^[A-Z][^.]+$/, name);
      assert.match(meaning, /^[A-Z].+\.$/, name);
      assert.match(remedy, /^[A-Z].+\.$/, name);
    }
  });
});

suite("The pages of problems", () => {
  const served = servedFor(fixture);
  const page = async (path: string) => {
    const response = await fetch(`${served.origin}${path}`);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    return response.text();
  };

  for (const name of names) {
    test(`the type ${name} opens a page that says what it means and what to do`, async () => {
      const html = await page(`/problems/${name}`);
      const { status, title, meaning, remedy } = problemTypes[name];
      for (const words of [String(status), title, meaning, remedy])
        assert.ok(html.includes(words), words);
      assert.match(html, new RegExp(`<title>${title}</title>`));
    });
  }

  test("the index leads to every one of them", async () => {
    const html = await page("/problems");
    const links = [...html.matchAll(/href="\/problems\/([a-z-]+)"/g)].map(([, name]) => name);
    assert.deepEqual(links, names);
  });

  test("a type that does not exist has no page", async () => {
    for (const name of ["nothing", "constructor", "__proto__", "%2e%2e"]) {
      const answer = await exchange(served.origin, request("GET", `/problems/${name}`));
      assert.equal(typeOf(problemIn(answer)), "not-found");
    }
  });

  test("pages answer other methods with 405 and Allow", async () => {
    for (const path of ["/docs", "/openapi.json", "/problems", "/problems/not-found", "/"]) {
      const answer = await exchange(served.origin, request("DELETE", path));
      assert.equal(typeOf(problemIn(answer)), "method-not-allowed", path);
      assert.match(answer.headers.get("allow") ?? "", /GET/);
    }
  });
});

suite("Every error leaves as RFC 9457 with a request id, and tells nothing of the inside", () => {
  const served = servedFor(fixture, { headersTimeoutMs: 500, requestTimeoutMs: 500 });
  const send = (bytes: string | Buffer) => exchange(served.origin, bytes);
  const patch = (type: string, body: string, headers: Record<string, string> = {}) =>
    request(
      "PATCH",
      "/api/things/1",
      { "Content-Type": `application/${type}+json`, ...headers },
      body,
    );
  const thing = () => served.make("/things", { name: "one" });

  /** For each type, an answer of a running server that has it. */
  const causes: Record<ProblemName, () => Promise<RawAnswer>> = {
    "malformed-request": () => send("GARBAGE\r\n\r\n"),
    "malformed-json": () => send(post("/api/things", "{")),
    "malformed-patch": async () => {
      await thing();
      return send(patch("json-patch", "{}"));
    },
    "malformed-header": async () => {
      await thing();
      return send(patch("merge-patch", "{}", { "If-Match": "x" }));
    },
    "idempotency-key-required": () => send(post("/api/transfers", { name: "one" })),
    "invalid-query": () => send(request("GET", "/api/things?nmae=x")),
    unauthenticated: () => send(post("/api/secrets", {})),
    forbidden: () => send(request("GET", "/api/secrets", { Authorization: "x" })),
    "not-found": () => send(request("GET", "/api/things/1")),
    "method-not-allowed": () => send(request("DELETE", "/api/things")),
    "not-acceptable": () => send(request("GET", "/api/things", { Accept: "image/png" })),
    "request-timeout": () => send("GET /api/things HTTP/1.1\r\n"),
    "unique-conflict": async () => {
      await thing();
      return send(post("/api/things", { name: "one" }));
    },
    "request-in-progress": twinOfOneThatWaits,
    "patch-conflict": async () => {
      await thing();
      return send(patch("json-patch", '[{"op":"remove","path":"/nothing"}]'));
    },
    conflict: () => send(request("POST", "/api/finish")),
    "job-finished": async () => {
      const headers = { Prefer: "wait=10" };
      const done = await send(request("POST", "/api/tick", headers));
      return send(request("DELETE", done.headers.get("location")!));
    },
    "still-referenced": async () => {
      await served.make(`${await thing()}/parts`, { name: "part" });
      return send(request("DELETE", "/api/things/1"));
    },
    "precondition-failed": async () => {
      await thing();
      return send(patch("merge-patch", "{}", { "If-Match": '"x"' }));
    },
    "content-too-large": () => send(post("/api/things", { name: "x".repeat(1_000) })),
    "uri-too-long": () => send(request("GET", `/api/things?${"x".repeat(20_000)}`)),
    "unsupported-media-type": () => send(request("POST", "/api/things", {}, "x")),
    "unsupported-content-encoding": () =>
      send(post("/api/things", {}, { "Content-Encoding": "br" })),
    "expectation-failed": () => send(post("/api/things", {}, { Expect: "coffee" })),
    "validation-failed": () => send(post("/api/things", {})),
    "idempotency-key-reused": async () => {
      const headers = { "Idempotency-Key": randomUUID() };
      await send(post("/api/things", { name: "one" }, headers));
      return send(post("/api/things", { name: "two" }, headers));
    },
    "precondition-required": () => send(request("DELETE", "/api/transfers/1")),
    "header-fields-too-large": () =>
      send(request("GET", "/api/things", { "X-A": "x".repeat(20_000) })),
    "internal-error": () => send(post("/api/things", { name: "boom" })),
    overloaded: () => ofStore("overloaded"),
    draining: () => ofStore("closed"),
    "store-unavailable": () => ofStore("busy"),
    "insufficient-storage": () => ofStore("full"),
  };

  const needed: Readonly<Record<number, string>> = {
    401: "www-authenticate",
    405: "allow",
    503: "retry-after",
    507: "retry-after",
  };

  for (const [name, cause] of Object.entries(causes)) {
    test(name, async () => {
      const answer = await cause();
      const problem = problemIn(answer);
      const { status, title } = problemTypes[name as ProblemName];
      assert.equal(typeOf(problem), name);
      assert.equal(answer.status, status);
      assert.equal(problem.title, title);
      assertSilent(answer);
      const field = needed[status];
      if (field !== undefined) assert.ok(answer.headers.get(field), `no ${field}`);
    });
  }

  /** A request whose key another one has, which waits for the lane. */
  async function twinOfOneThatWaits(): Promise<RawAnswer> {
    const cleaning: (() => unknown)[] = [];
    const cleaner = { after: (clean: () => unknown) => cleaning.unshift(clean) };
    try {
      const { origin, hold } = await serveHoldable(cleaner, fixture, { twinWaitMs: 5 });
      const give = await hold();
      const key = randomUUID();
      const bytes = post("/api/things", { name: "one" }, { "Idempotency-Key": key });
      const first = exchange(origin, bytes);
      await eventually(3_000, "the first is under way", async () => {
        const { status } = await exchange(origin, request("GET", `/api/idempotency/${key}`));
        return status === 200;
      });
      const twin = await exchange(origin, bytes);
      await give();
      assert.equal((await first).status, 201);
      return twin;
    } finally {
      for (const clean of cleaning) await clean();
    }
  }

  /** What a store's error becomes: most of them can't be brought about in a test. */
  async function ofStore(kind: StoreErrorKind): Promise<RawAnswer> {
    const error = new StoreError(kind, "SQLITE_FULL: insert into things at /tmp/store.db");
    const id = "01890a5d-ac96-774b-bcce-b302099a8057";
    const { status, headers, body = "" } = problemAnswer(problemOf(error), plain, "", id);
    return {
      status,
      reason: "",
      headers: new Map(
        Object.entries({ ...headers, "request-id": id, "x-content-type-options": "nosniff" }),
      ),
      body: Buffer.from(body),
      json: () => JSON.parse(body),
    };
  }

  test("errors of the store that no client can mend are 500, and say no more", async () => {
    const kinds = ["unique", "reference", "held-too-long", "foreign-wait", "unusable", "failed"];
    for (const kind of [...kinds, "outcome-lost"] as StoreErrorKind[]) {
      const answer = await ofStore(kind);
      assert.equal(typeOf(problemIn(answer)), "internal-error", kind);
      assertSilent(answer);
    }
    assert.equal(typeOf(problemIn(await ofStore("writer-lost"))), "store-unavailable");
  });

  test("whatever else is thrown is 500, and only the request id leaves", async () => {
    for (const thrown of [new Error("/etc/passwd"), "text", null, undefined, { status: 404 }]) {
      const problem = problemOf(thrown);
      assert.equal(problem.status, 500);
      const { body } = problemAnswer(problem, plain, "", "id");
      assert.doesNotMatch(body ?? "", INTERNALS);
    }
    assert.ok(problemOf(new Problem("not-found")).status === 404);
  });

  test("a full lane answers 503 with Retry-After, and does nothing", async (t) => {
    const full = await serve(t, fixture, { maxWaiting: 0 });
    const answer = await exchange(full.origin, post("/api/things", { name: "one" }));
    assert.equal(typeOf(problemIn(answer)), "overloaded");
    assert.equal(answer.headers.get("retry-after"), "1");
    assert.deepEqual(full.rows("things"), []);
  });

  test("a stopping server answers what begins too late with 503 and ends the connection", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const server = await startServer(fixture, { host: "127.0.0.1", port: 0, store });
    const connection = await RawConnection.open(server.origin);
    t.after(() => connection.destroy());
    const [first, last] = [
      request("GET", "/api/things"),
      "GET /api/things HTTP/1.1\r\nHost: a\r\n",
    ];
    assert.equal((await connection.send(first).answer())?.status, 200);
    connection.send(last);
    // Begun before the stop, so that the connection is not an idle one.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopped = server.stop();
    const answer = await connection.send("\r\n").answer();
    assert.ok(answer);
    assert.equal(typeOf(problemIn(answer)), "draining");
    assert.equal(answer.headers.get("connection"), "close");
    assert.ok(answer.headers.get("retry-after"));
    await stopped;
  });

  test("two errors at once have two ids, and the log has both", async () => {
    const answers = await Promise.all([causes["not-found"](), causes["malformed-request"]()]);
    const ids = answers.map(({ headers }) => headers.get("request-id"));
    assert.notEqual(ids[0], ids[1]);
    const logged = served.observed.map(({ requestId }) => requestId);
    for (const id of ids) assert.ok(logged.includes(id), String(id));
  });
});

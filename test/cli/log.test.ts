import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, type TestContext, test } from "node:test";
import { redact } from "../../src/kernel/observations.ts";
import { servePosthaste } from "../support/command.ts";
import { notesApi, temporaryProject } from "../support/project.ts";

interface Line {
  readonly event: string;
  readonly level: string;
  readonly time: number;
  readonly requestId?: string;
  readonly [fact: string]: unknown;
}

const api = notesApi(
  `timestamps: true,
   created: ({ row }) => {
     if (row.text.startsWith("boom")) {
       throw new Error("no answer from postgres://shop:in-address@db/shop, password=in-error, headers { authorization: 'Bearer in-header-of-error' }");
     }
   },`,
);

/** Serves, lets `use` send requests, stops, and gives the log. */
async function logOf(t: TestContext, use: (origin: string) => Promise<void>) {
  const folder = temporaryProject(t, { "api.ts": api });
  const server = await servePosthaste(t, ["api.ts"], { cwd: folder });
  await use(`${server.origin}/api`);
  await server.end();
  const lines = server.stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  return { text: server.stderr, lines, stdout: server.stdout };
}

const post = (origin: string, path: string, body: unknown, headers = {}) =>
  fetch(`${origin}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

suite("the log of serve", () => {
  test("is JSON, a line for each request, with the id that the client got", async (t) => {
    const ids: (string | null)[] = [];
    const began = Date.now();
    const { lines } = await logOf(t, async (origin) => {
      for (const answer of [
        await post(origin, "/notes", { text: "a" }),
        await fetch(`${origin}/notes?x=1`),
        await fetch(`${origin}/nothing/here`),
        await post(origin, "/notes", { text: 1 }),
      ]) {
        ids.push(answer.headers.get("request-id"));
        await answer.arrayBuffer();
      }
    });
    assert.deepEqual(
      lines.map(({ event }) => event),
      [
        "server.listening",
        ...Array.from({ length: 4 }, () => "request.answered"),
        "server.draining",
        "server.stopped",
      ],
    );
    const answered = lines.filter(({ event }) => event === "request.answered");
    assert.deepEqual(
      answered.map(({ requestId }) => requestId),
      ids,
    );
    assert.deepEqual(
      answered.map(({ method, path, status, operation, problem }) => ({
        method,
        path,
        status,
        operation,
        problem,
      })),
      [
        {
          method: "POST",
          path: "/api/notes",
          status: 201,
          operation: "notes.create",
          problem: undefined,
        },
        {
          method: "GET",
          path: "/api/notes",
          status: 400,
          operation: "notes.list",
          problem: "invalid-query",
        },
        {
          method: "GET",
          path: "/api/nothing/here",
          status: 404,
          operation: undefined,
          problem: "not-found",
        },
        {
          method: "POST",
          path: "/api/notes",
          status: 422,
          operation: "notes.create",
          problem: "validation-failed",
        },
      ],
    );
    for (const { milliseconds, time, level } of answered) {
      assert.ok(typeof milliseconds === "number" && milliseconds >= 0 && milliseconds < 10_000);
      assert.ok(time >= began && time <= Date.now());
      assert.equal(level, "info");
    }
  });

  test("has no query, header or body in it, whatever becomes of the request", async (t) => {
    const secret = () => `s3cret-${randomUUID()}`;
    const [query, header, cookie, body, user, unknown] = Array.from({ length: 6 }, secret);
    const { text, stdout, lines } = await logOf(t, async (origin) => {
      const headers = {
        authorization: `Bearer ${header}`,
        cookie: `sid=${cookie}`,
        "x-key": header,
      };
      await post(origin, `/notes?token=${query}`, { text: body }, headers);
      await post(origin, "/notes", { text: body, password: body }, headers);
      await post(origin, "/notes", { text: { password: body } }, headers);
      await post(origin, "/notes", { text: `boom ${body}` }, headers);
      await fetch(`${origin}/notes?text=${query}`, { headers });
      await fetch(`${origin}/${"nothing"}?${unknown}`, { headers });
      await fetch(`${origin}/notes`, { method: "DELETE", headers });
      await fetch(`${origin}/notes`, { method: "POST", headers, body: `password=${user}` });
      await fetch(`${origin}/notes/1`, { headers: { ...headers, "if-match": `"${header}` } });
    });
    assert.equal(lines.filter(({ event }) => event === "request.answered").length, 9);
    for (const value of [query, header, cookie, body, user, unknown]) {
      assert.ok(!text.includes(value!), text);
      assert.ok(!stdout.includes(value!));
    }
  });

  test("tells what went wrong inside, with the request's id and without what looks secret", async (t) => {
    let requestId: string | null = null;
    let answer = "";
    const { lines } = await logOf(t, async (origin) => {
      const failed = await post(origin, "/notes", { text: "boom" });
      assert.equal(failed.status, 500);
      requestId = failed.headers.get("request-id");
      answer = await failed.text();
    });
    const failed = lines.filter(({ event }) => event === "request.failed");
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.requestId, requestId);
    assert.equal(failed[0]?.level, "error");
    const error = String(failed[0]?.error);
    assert.match(error, /no answer from postgres:/);
    assert.match(error, /api\.ts:\d+/, "the place in the user's file");
    assert.doesNotMatch(error, /in-address|in-error|in-header-of-error/);
    assert.doesNotMatch(answer, /in-address|in-error|in-header|api\.ts|postgres/);
  });
});

suite("what looks like a secret in an error is taken out", () => {
  const secrets = [
    "password=hunter2",
    "password: hunter2",
    "Password = 'hunter2 and more hunter2'",
    '{"password":"hunter2","name":"a"}',
    '{\\"password\\":\\"hunter2\\"}',
    'client_secret="hunter2 hunter2"',
    "?access_token=hunter2&x=1",
    "x-api-key: hunter2",
    "api_key=hunter2",
    "apiKey: 'hunter2'",
    "private-key=hunter2",
    "passphrase: hunter2",
    "pwd=hunter2;",
    "Cookie: sid=hunter2; other",
    "authorization: Bearer hunter2",
    "Authorization: Basic hunter2hunter2",
    "sent Bearer hunter2hunter2 along",
    "postgres://shop:hunter2@db:5432/shop",
    "redis://:hunter2@cache",
    "https://hunter2@example.com/x",
    "eyJhbGciOiJub25lIn0.hunter2.hunter2",
    "credentials: hunter2",
  ];
  for (const text of secrets) {
    test(text, () => {
      const redacted = redact(`before ${text} after`);
      assert.doesNotMatch(redacted, /hunter2/);
      assert.match(redacted, /^before .*\[redacted\]/);
      assert.match(redacted, /after$/);
    });
  }

  test("in bounded time, however long and odd the error is", () => {
    for (const text of ["a.", "-eyJ", "a://", "password", 'token="\\', "bearer "]) {
      const began = performance.now();
      const redacted = redact(text.repeat(1_000_000));
      assert.ok(performance.now() - began < 500, text);
      assert.ok(redacted.length < 200_000);
    }
  });

  for (const text of [
    "UNIQUE constraint failed: users.email",
    "at file:///srv/app/api.ts:12:9",
    "the token has expired",
    "https://example.com/x?y=1",
    "alice@example.com has no password",
  ]) {
    test(`but not: ${text}`, () => assert.equal(redact(text), text));
  }
});

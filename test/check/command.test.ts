import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { Report } from "../../src/check/report.ts";
import { Command, runPosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/time.ts";
import { openApi } from "./document.ts";
import type { Fault } from "./planted.ts";
import { PlantedServer } from "./server.ts";

async function serve(t: TestContext, faults: readonly Fault[] = [], signedIn = false) {
  const server = new PlantedServer(faults, signedIn);
  t.after(() => server.close());
  return server.listen();
}

/** A server that answers everything alike. */
async function serveAlways(t: TestContext, type: string, body: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": type }).end(body);
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const run = (t: TestContext, ...args: string[]) =>
  runPosthaste(["check", ...args], { cwd: temporaryFolder(t) });

suite("posthaste check", { concurrency: 3 }, () => {
  test("ends with 0 where no must is broken, and prints plain text into a pipe", async (t) => {
    const { code, stdout, stderr } = await run(t, await serve(t));
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /✔ ✔ {2}The same key with the same payload has one effect/);
    assert.match(stdout, /✔ No must is broken\. {2}\d+ passed, 0 must and 0 should failed/);
    assert.ok(!stdout.includes("\u001b"));
  });

  test("ends with 0 where only a should is broken", async (t) => {
    const { code, stdout } = await run(t, await serve(t, ["409 without Retry-After"]));
    assert.equal(code, 0);
    assert.match(stdout, /✖ should {2}keys\/twins-retry-after/);
  });

  test("ends with 1 where a must is broken, and shows how to see it", async (t) => {
    const origin = await serve(t, ["405 without Allow"]);
    const { code, stdout } = await run(t, origin, "--operation", "/orders");
    assert.equal(code, 1);
    const shown = stdout.slice(stdout.indexOf("What failed"));
    assert.match(shown, /✖ must {2}statuses\/allow {2}POST \/orders/);
    assert.match(shown, /expected {3}405 says in Allow which methods there are/);
    assert.match(shown, /found {6}405 without Allow/);
    assert.match(shown, /read {7}RFC 9110 §15\.5\.6/);
    assert.match(shown, /sent {7}PUT \/orders/);
    assert.match(shown, /got {8}405 {2}content-type: application\/problem\+json/);
    assert.match(shown, /✖ A must is broken\./);
    const [, command] = /try it {5}(curl .*)/.exec(shown)!;
    const pasted = await promisify(execFile)("bash", ["-c", `${command} -s`]);
    assert.match(pasted.stdout, /^HTTP\/1\.1 405/);
  });

  test("prints one JSON object where that is asked for", async (t) => {
    const origin = await serve(t, ["keys are ignored"]);
    const { code, stdout, stderr } = await run(t, origin, "--json", "--operation", "POST /orders");
    assert.deepEqual([code, stderr], [1, ""]);
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual(Object.keys(report), [
      "base",
      "document",
      "operations",
      "skipped",
      "summary",
      "stopped",
    ]);
    assert.equal(report.base, origin);
    assert.equal(report.document, `${origin}/openapi.json`);
    assert.deepEqual([report.summary.ok, report.summary.mustsBroken], [false, 1]);
    const [operation] = report.operations;
    assert.equal(operation!.name, "POST /orders");
    const broken = operation!.findings.find(({ id }) => id === "keys/one-effect")!;
    const { rule, level, result, note, sections, group } = broken;
    assert.deepEqual(
      { rule, level, result, note, sections, group },
      {
        rule: "The same key with the same payload has one effect",
        level: "must",
        result: "failed",
        note: "2 records",
        sections: ["draft-ietf-httpapi-idempotency-key-header-07 §2.6"],
        group: "keys",
      },
    );
    assert.equal(broken.exchanges.length, 2);
    assert.match(broken.exchanges[0]!.sent, /^POST \/orders {2}Content-Type/);
    assert.match(broken.exchanges[1]!.got, /^201 /);
    assert.match(broken.exchanges[0]!.command, /^curl -i /);
  });

  test("asks as the first and as the second identity, and tells the secrets of neither", async (t) => {
    const origin = await serve(t, ["answers are shared by principals"], true);
    const identities = [
      "--header",
      "Authorization: Bearer alice",
      "--as",
      "Authorization: Bearer bob",
    ];
    const { code, stdout } = await run(t, origin, ...identities);
    assert.equal(code, 1);
    assert.match(stdout, /✖ must {2}keys\/other-principal/);
    assert.match(stdout, /-H 'Authorization: …'/);
    assert.doesNotMatch(stdout, /alice|bob/);
  });

  test("removes what it made where that is asked for, and nothing else", async (t) => {
    const origin = await serve(t);
    await fetch(`${origin}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"item":"mine"}',
    });
    const { code } = await run(t, origin, "--clean", "--operation", "/orders");
    assert.equal(code, 0);
    const left = (await (await fetch(`${origin}/orders`)).json()) as { items: { item: string }[] };
    assert.deepEqual(
      left.items.map(({ item }) => item).filter((item) => item === "mine"),
      ["mine"],
    );
    assert.ok(left.items.length <= 3, JSON.stringify(left.items));
  });

  test("ends when it is interrupted, with what it found until then", async (t) => {
    const server = new PlantedServer([], false);
    t.after(() => server.close());
    const command = new Command(["check", await server.listen(), "--json"], {
      cwd: temporaryFolder(t),
    });
    t.after(() => command.end());
    await eventually(10_000, "it has begun", () => server.rows("users") > 8);
    command.child.kill("SIGINT");
    const { code } = await command.exited;
    assert.equal(code, 130, command.stderr);
    assert.equal(command.stderr, "");
    const report = JSON.parse(command.stdout) as Report;
    assert.equal(report.stopped, true);
    assert.ok(report.operations.flatMap(({ findings }) => findings).length > 0);
  });
});

suite("posthaste check can't run, and says why with 2", { concurrency: 3 }, () => {
  async function refused(t: TestContext, pattern: RegExp, ...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await run(t, ...args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }

  test("where nobody listens", (t) =>
    refused(
      t,
      /http:\/\/127\.0\.0\.1:1 can't be reached: nobody listens there/,
      "http://127.0.0.1:1",
    ));

  test("where no server is named", (t) => refused(t, /Name the server/));

  test("where the URL is none", (t) => refused(t, /"ftp:\/\/a" is no http/, "ftp://a"));

  test("where there is no document", async (t) => {
    await refused(
      t,
      /no OpenAPI document: \S+\/openapi\.json is no JSON object\..*--config/,
      await serveAlways(t, "text/html", "<p>"),
    );
  });

  test("where the document is of another kind", async (t) => {
    const old = await serveAlways(t, "application/json", '{"swagger":"2.0"}');
    await refused(t, /is of Swagger 2\.0; OpenAPI 3 is needed/, old);
    const other = await serveAlways(t, "application/json", '{"name":"a"}');
    await refused(t, /is not an OpenAPI 3 document/, other);
  });

  test("where the file with the document is missing or is none", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "a.json"), "[]");
    await refused(
      t,
      /missing\.json can't be read/,
      "http://127.0.0.1:1",
      "--openapi",
      "missing.json",
    );
    await refused(
      t,
      /a\.json is no JSON object/,
      "http://127.0.0.1:1",
      "--openapi",
      join(folder, "a.json"),
    );
  });

  test("where no POST can be tried", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "a.json");
    const post = {
      requestBody: {
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["code"],
              properties: { code: { type: "string", pattern: "^\\d{4}$" } },
            },
          },
        },
      },
    };
    writeFileSync(file, JSON.stringify({ openapi: "3.1.0", paths: { "/codes": { post } } }));
    const origin = await serve(t);
    await refused(
      t,
      /No operation can be tried:\n {2}POST \/codes: the body\/code has a pattern and no example/,
      origin,
      "--openapi",
      file,
    );
  });

  test("where a request that should be accepted is not", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "c.json");
    writeFileSync(file, JSON.stringify({ operations: [{ path: "/orders", body: { size: 1 } }] }));
    await refused(
      t,
      /POST \/orders: a request that should be accepted gets 422/,
      await serve(t),
      "--config",
      file,
    );
  });

  test("where a server does not answer in time", async (t) => {
    const silent = createTcpServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    await refused(t, /no answer within 200 ms/, `127.0.0.1:${port}`, "--timeout", "200");
  });

  test("where an option is not understood", async (t) => {
    const origin = await serve(t);
    await refused(
      t,
      /There is no operation "POST \/order".*Did you mean "POST \/orders"/,
      origin,
      "--operation",
      "/order",
    );
    await refused(
      t,
      /--header "Authorization" is no header field/,
      origin,
      "--header",
      "Authorization",
    );
    await refused(t, /--as ": x" is no header field/, origin, "--as", ": x");
    await refused(t, /--timeout "1s" is no time/, origin, "--timeout", "1s");
  });
});

suite("A configuration stands for a document", { concurrency: 3 }, () => {
  async function withConfig(t: TestContext, config: object, ...args: string[]) {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "check.json"), JSON.stringify(config));
    return runPosthaste(["check", "--config", "check.json", ...args], { cwd: folder });
  }

  test("with everything that a document would tell", async (t) => {
    const base = await serve(t, [], true);
    const config = {
      base,
      headers: { Authorization: "Bearer alice" },
      as: { Authorization: "Bearer bob" },
      operations: [
        {
          path: "/users",
          method: "POST",
          body: { name: "Alice", email: "alice@example.com" },
          unique: { email: "a-{}@example.com" },
          invalid: { name: [], email: [] },
          keys: { documentation: "Kept for a day: 24 h." },
          problems: true,
          methods: ["GET"],
          list: "/users",
          read: true,
          delete: true,
        },
      ],
    };
    const { code, stdout, stderr } = await withConfig(t, config, "--json");
    assert.equal(code, 0, stderr + stdout);
    const { operations, document } = JSON.parse(stdout) as Report;
    assert.equal(document, "check.json");
    const results = new Map(operations[0]!.findings.map(({ id, result }) => [id, result]));
    for (const id of [
      "statuses/location-leads-there",
      "bodies/invalid",
      "keys/one-effect",
      "keys/other-principal",
      "keys/expiry-published",
      "problems/every-fault",
      "framing/incomplete",
    ])
      assert.equal(results.get(id), "passed", id);
  });

  test("with the least: a path and a body", async (t) => {
    const operations = [{ path: "/orders", body: { item: "Tea" } }];
    const { code, stdout } = await withConfig(t, { operations }, await serve(t), "--json");
    assert.equal(code, 0);
    const [{ findings }] = (JSON.parse(stdout) as Report).operations as [Report["operations"][0]];
    const of = (id: string) => findings.find((finding) => finding.id === id)!;
    // The record's name is in the answers, where no list shows it.
    assert.deepEqual(
      [of("keys/one-effect").result, of("keys/one-effect").note],
      ["passed", "told by what the answers name"],
    );
    assert.equal(of("problems/media-type").result, "not-claimed");
    assert.equal(of("bodies/invalid").result, "not-tested");
  });

  for (const [about, config, pattern] of [
    [
      "a member that there is not",
      { operations: [{ path: "/a", body: {}, uniqe: {} }] },
      /operations\[0\]\.uniqe is not a member\. Did you mean "unique"/,
    ],
    ["no operations", {}, /operations is no list/],
    [
      "a body that is none",
      { operations: [{ path: "/a", body: [] }] },
      /operations\[0\]\.body is no JSON object/,
    ],
    [
      "another method",
      { operations: [{ path: "/a", body: {}, method: "PUT" }] },
      /operations\[0\]\.method is not POST/,
    ],
    [
      "a template without a place",
      { operations: [{ path: "/a", body: { b: "c" }, unique: { b: "c" } }] },
      /unique\.b has no \{\}/,
    ],
    ["no server", { operations: [{ path: "/a", body: {} }] }, /Name the server, or give base/],
  ] as const) {
    test(`and is refused for ${about}`, async (t) => {
      const { code, stderr } = await withConfig(t, config);
      assert.equal(code, 2);
      assert.match(stderr, pattern);
    });
  }
});

suite("The document's servers", () => {
  test("give the path, and never the host", async (t) => {
    const origin = await serve(t);
    const folder = temporaryFolder(t);
    const file = join(folder, "a.json");
    const document = { ...openApi(new Set(), false), servers: [{ url: "https://example.com/" }] };
    writeFileSync(file, JSON.stringify(document));
    const { code, stdout } = await runPosthaste(
      ["check", origin, "--openapi", file, "--operation", "/orders"],
      { cwd: folder },
    );
    assert.equal(code, 0);
    assert.ok(stdout.includes(`posthaste check ${origin}\n`));
    assert.doesNotMatch(stdout, /example\.com\/orders/);
  });
});

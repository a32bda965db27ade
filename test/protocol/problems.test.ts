import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import { assertProblem, type Problem } from "../support/problem.ts";
import { rawRequest } from "../support/raw-request.ts";
import { servedFor } from "../support/scenario.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const things = resource("things", {
  schema: z.object({ name: z.string().min(1), size: z.int().optional() }),
  unique: ["name"],
  access: open,
  maxBodyBytes: 500,
  created: ({ row }) => {
    if (row.name === "boom") throw new Error("password=hunter2 in SELECT * FROM things");
  },
});

suite("Problem details (PROTOCOL 3, RFC 9457)", () => {
  const served = servedFor(api({ things }));

  /** One request for each status that this API can answer with an error. */
  const failing = {
    400: () => served.post("/things", "{"),
    404: () => served.get("/things/1"),
    405: () => served.request("PUT", "/things"),
    406: () => served.get("/things", { accept: "image/png" }),
    409: async () => {
      await served.make("/things", { name: "a" });
      return served.post("/things", { name: "a" });
    },
    412: async () => {
      const path = await served.make("/things", { name: "a" });
      return served.delete(path, { "if-match": '"another"' });
    },
    413: () => served.post("/things", { name: "x".repeat(500) }),
    414: () => served.get(`/things?name=${"x".repeat(9_000)}`),
    415: () => served.request("POST", "/things", {}, new Uint8Array([1])),
    422: () => served.post("/things", { name: "" }),
    500: () => served.post("/things", { name: "boom" }),
  } as const;

  for (const [status, fail] of Object.entries(failing)) {
    test(`${status} is a whole problem that nobody may cache, and its type opens a page`, async () => {
      const answer = await fail();
      const { type, title } = answer.body as Problem;
      assertProblem(answer, Number(status), type.replace("/problems/", ""));
      assert.equal(answer.header("cache-control"), "no-store");
      assert.equal(answer.header("x-content-type-options"), "nosniff");
      assert.match(
        answer.header("request-id") ?? "",
        /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      );

      const page = await fetch(new URL(type, served.origin));
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
      const html = await page.text();
      assert.ok(html.includes(title.replaceAll("'", "&#39;")) || html.includes(title));
    });
  }

  test("431 is one as well, though Node's parser gives up before there is a request", async () => {
    const answer = await rawRequest(served.origin, {
      method: "GET",
      path: "/api/things",
      headers: { "x-large": "x".repeat(20_000) },
    });
    assert.equal(answer.status, 431);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    const problem = JSON.parse(answer.text) as Problem;
    assert.equal(problem.status, 431);
    assert.equal(problem.type, "/problems/header-fields-too-large");
    assert.equal(problem.instance, `urn:uuid:${answer.headers["request-id"]}`);
  });

  test("every request has an id of its own", async () => {
    const ids = new Set<string | null>();
    for (let count = 0; count < 5; count++) {
      ids.add((await served.get("/nothing")).header("request-id"));
      ids.add((await served.get("/things")).header("request-id"));
    }
    assert.equal(ids.size, 10);
  });

  test("a 500 tells the client nothing but the id, and the operator everything", async () => {
    const answer = await failing[500]();
    assertProblem(answer, 500, "internal-error");
    assert.doesNotMatch(answer.text, /hunter2|password|things\b.*created/);
    const failed = served.observed.find(({ event }) => event === "request.failed");
    assert.equal(failed?.requestId, answer.header("request-id"));
    assert.match(String(failed?.error), /hunter2/);
    assert.deepEqual(served.rows("things"), []);
  });

  test("a path that is not valid percent-encoded UTF-8 is 400", async () => {
    for (const path of ["/api/things/%", "/api/things/%ff", "/api/%zz"]) {
      const answer = await rawRequest(served.origin, { method: "GET", path });
      assert.equal(answer.status, 400, path);
      assert.equal(answer.headers["content-type"], "application/problem+json");
    }
  });

  test("what a client sent is not shown back where it could be markup", async () => {
    const answer = await served.get("/things?%3Cscript%3E=1");
    assertProblem(answer, 400, "invalid-query");
    assert.equal(answer.header("content-type"), "application/problem+json");
    assert.equal(answer.header("x-content-type-options"), "nosniff");
  });
});

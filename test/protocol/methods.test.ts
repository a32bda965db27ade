import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import { anyone, api, nobody, resource } from "posthaste";
import { z } from "zod";
import { assertProblem } from "../support/problem.ts";
import { type RawAnswer, rawRequest } from "../support/raw-request.ts";
import { type Answer, servedFor } from "../support/scenario.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const notes = resource("notes", { schema: z.object({ text: z.string().min(1) }), access: open });
const remarks = resource("remarks", {
  parent: { note: notes },
  schema: z.object({ text: z.string() }),
  access: open,
});
const inbox = resource("inbox", {
  schema: z.object({ text: z.string() }),
  access: { create: anyone, read: nobody, update: nobody, delete: nobody },
});
const archive = resource("archive", {
  schema: z.object({ text: z.string() }),
  access: { create: nobody, read: anyone, update: nobody, delete: nobody },
});

const COLLECTION = "POST, GET, HEAD, OPTIONS";
const RECORD = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";

function methodsIn(answer: Answer): string[] {
  return (answer.header("allow") ?? "").split(", ").sort();
}

suite("Methods (PROTOCOL 1)", () => {
  const served = servedFor(api({ notes, remarks, inbox, archive }));

  describe("on a collection", () => {
    test("POST creates: 201, Location, ETag, and the stored representation", async () => {
      const answer = await served.post("/notes", { text: "a" });
      assert.equal(answer.status, 201);
      assert.equal(answer.header("location"), "/api/notes/1");
      assert.deepEqual(answer.body, { id: 1, text: "a" });
      const read = await served.get("/notes/1");
      assert.equal(read.header("etag"), answer.header("etag"));
      assert.equal(read.header("last-modified"), answer.header("last-modified"));
      assert.equal(read.text, answer.text);
    });

    test("GET lists the records as they are read one by one", async () => {
      await served.make("/notes", { text: "a" });
      await served.make("/notes", { text: "b" });
      const answer = await served.get("/notes");
      assert.equal(answer.status, 200);
      assert.equal(answer.header("content-type"), "application/json");
      assert.deepEqual(answer.body, [
        { id: 1, text: "a" },
        { id: 2, text: "b" },
      ]);
      assert.equal(answer.header("link"), null);
    });

    test("GET of an empty collection is an empty list, not a 404", async () => {
      const answer = await served.get("/notes");
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, []);
    });

    test("OPTIONS answers 204 with Allow and Accept-Post, and no body", async () => {
      const answer = await served.request("OPTIONS", "/notes");
      assert.equal(answer.status, 204);
      assert.equal(answer.text, "");
      assert.deepEqual(methodsIn(answer), COLLECTION.split(", ").sort());
      assert.equal(answer.header("accept-post"), "application/json");
      assert.equal(answer.header("accept-patch"), null);
    });

    for (const method of ["PUT", "PATCH", "DELETE"]) {
      test(`${method} is 405 with Allow, and changes nothing`, async () => {
        await served.make("/notes", { text: "a" });
        const answer = await served.request(
          method,
          "/notes",
          { "content-type": "application/json" },
          method === "DELETE" ? undefined : '{"text":"b"}',
        );
        assertProblem(answer, 405, "method-not-allowed");
        assert.deepEqual(methodsIn(answer), COLLECTION.split(", ").sort());
        assert.deepEqual(served.rows("notes"), [{ id: 1, text: "a" }]);
      });
    }
  });

  describe("on a record", () => {
    test("GET answers 200 with ETag and Last-Modified", async () => {
      const path = await served.make("/notes", { text: "a" });
      const answer = await served.get(path);
      assert.equal(answer.status, 200);
      assert.equal(answer.header("content-type"), "application/json");
      assert.match(answer.header("etag") ?? "", /^"[^"]+"$/);
      const modified = Date.parse(answer.header("last-modified") ?? "");
      assert.ok(Math.abs(Date.now() - modified) < 60_000);
      assert.deepEqual(answer.body, { id: 1, text: "a" });
    });

    test("PUT replaces: 200, a new ETag and the representation", async () => {
      const path = await served.make("/notes", { text: "a" });
      const before = await served.get(path);
      const answer = await served.put(path, { text: "b" });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { id: 1, text: "b" });
      assert.notEqual(answer.header("etag"), before.header("etag"));
      assert.equal((await served.get(path)).header("etag"), answer.header("etag"));
      assert.deepEqual(served.rows("notes"), [{ id: 1, text: "b" }]);
    });

    test("PATCH changes: 200, a new ETag and the representation", async () => {
      const path = await served.make("/notes", { text: "a" });
      const before = await served.get(path);
      const answer = await served.mergePatch(path, { text: "b" });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { id: 1, text: "b" });
      assert.notEqual(answer.header("etag"), before.header("etag"));
      assert.deepEqual(served.rows("notes"), [{ id: 1, text: "b" }]);
    });

    test("DELETE answers 204 without a body; again it is 404", async () => {
      const path = await served.make("/notes", { text: "a" });
      const answer = await served.delete(path);
      assert.equal(answer.status, 204);
      assert.equal(answer.text, "");
      assert.equal(answer.header("content-type"), null);
      assert.deepEqual(served.rows("notes"), []);
      assertProblem(await served.delete(path), 404, "not-found");
    });

    test("OPTIONS answers 204 with Allow and Accept-Patch, also where no record is", async () => {
      const answer = await served.request("OPTIONS", "/notes/999");
      assert.equal(answer.status, 204);
      assert.deepEqual(methodsIn(answer), RECORD.split(", ").sort());
      assert.deepEqual((answer.header("accept-patch") ?? "").split(", ").sort(), [
        "application/json-patch+json",
        "application/merge-patch+json",
      ]);
      assert.equal(answer.header("accept-post"), null);
    });

    test("POST is 405 with Allow", async () => {
      const path = await served.make("/notes", { text: "a" });
      const answer = await served.post(path, { text: "b" });
      assertProblem(answer, 405, "method-not-allowed");
      assert.deepEqual(methodsIn(answer), RECORD.split(", ").sort());
      assert.deepEqual(served.rows("notes"), [{ id: 1, text: "a" }]);
    });

    for (const [method, body] of [
      ["GET", undefined],
      ["HEAD", undefined],
      ["PUT", { text: "b" }],
      ["DELETE", undefined],
    ] as const) {
      test(`${method} of a record that is not there is 404`, async () => {
        const answer =
          body === undefined
            ? await served.request(method, "/notes/999")
            : await served.put("/notes/999", body);
        assert.equal(answer.status, 404);
        if (method !== "HEAD") assertProblem(answer, 404, "not-found");
        assert.deepEqual(served.rows("notes"), []);
      });
    }

    test("PATCH of a record that is not there is 404, with either kind of patch", async () => {
      assertProblem(await served.mergePatch("/notes/999", { text: "b" }), 404, "not-found");
      assertProblem(await served.jsonPatch("/notes/999", []), 404, "not-found");
    });
  });

  describe("HEAD equals GET without the body", () => {
    const varying = ["date", "request-id"];
    const comparable = ({ headers }: RawAnswer) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !varying.includes(name)));

    // Not with fetch, which asks the server to close the connection after a HEAD.
    async function assertHeadEqualsGet(path: string, headers: Record<string, string> = {}) {
      const get = await rawRequest(served.origin, { method: "GET", path, headers });
      const head = await rawRequest(served.origin, { method: "HEAD", path, headers });
      assert.equal(head.status, get.status);
      assert.equal(head.text, "");
      assert.deepEqual(comparable(head), comparable(get));
      return get;
    }

    test("for a record", async () => {
      const path = await served.make("/notes", { text: "a" });
      const get = await assertHeadEqualsGet(path);
      assert.equal(get.headers["content-length"], String(Buffer.byteLength(get.text)));
    });

    test("for a list with a next page", async () => {
      for (const text of ["a", "b", "c"]) await served.make("/notes", { text });
      const get = await assertHeadEqualsGet("/api/notes?limit=2");
      assert.match(String(get.headers.link), /rel="next"/);
    });

    test("for a record that has not changed (304)", async () => {
      const path = await served.make("/notes", { text: "a" });
      const etag = (await served.get(path)).header("etag") ?? "";
      const get = await assertHeadEqualsGet(path, { "if-none-match": etag });
      assert.equal(get.status, 304);
    });

    test("for a path that does not exist (404)", async () => {
      const get = await assertHeadEqualsGet("/api/nothing");
      assert.equal(get.status, 404);
    });

    test("for a record that does not exist (404)", async () => {
      const get = await assertHeadEqualsGet("/api/notes/999");
      assert.equal(get.status, 404);
    });

    test("for a query that is refused (400)", async () => {
      const get = await assertHeadEqualsGet("/api/notes?colour=red");
      assert.equal(get.status, 400);
    });
  });

  describe("that nobody may use", () => {
    test("are not in Allow, and 405 where the path has others", async () => {
      const answer = await served.get("/inbox");
      assertProblem(answer, 405, "method-not-allowed");
      assert.deepEqual(methodsIn(answer), ["OPTIONS", "POST"]);
      assert.deepEqual(methodsIn(await served.request("OPTIONS", "/inbox")), ["OPTIONS", "POST"]);
      assert.equal((await served.head("/inbox")).status, 405);

      const refused = await served.post("/archive", { text: "a" });
      assertProblem(refused, 405, "method-not-allowed");
      assert.deepEqual(methodsIn(refused), ["GET", "HEAD", "OPTIONS"]);
      assert.equal(
        (await served.request("OPTIONS", "/archive")).header("accept-post"),
        null,
        "what can't be posted has no accepted type",
      );
      assert.deepEqual(served.rows("archive"), []);
    });

    test("leave no path behind where the path has no others", async () => {
      const answer = await served.get("/inbox/1");
      assertProblem(answer, 404, "not-found");
      assert.equal(answer.header("allow"), null);
      assertProblem(await served.request("OPTIONS", "/inbox/1"), 404, "not-found");
    });
  });

  test("a path that does not exist is 404 for every method, OPTIONS included", async () => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await served.request(method, "/nothing");
      assertProblem(answer, 404, "not-found");
      assert.equal(answer.header("allow"), null);
    }
    for (const path of ["/notes/", "/notes/1/remarks/1/more", "/Notes", "/notes/1/other"]) {
      assertProblem(await served.get(path), 404, "not-found");
    }
  });

  test("methods of other standards are 405 with Allow at a path that exists, else 404", async () => {
    for (const method of ["TRACE", "PROPFIND", "QUERY", "MKCOL", "LINK", "PURGE"]) {
      for (const [path, allow] of [
        ["/api/notes", COLLECTION],
        ["/api/notes?limit=1", COLLECTION],
        ["/api/notes/1", RECORD],
        ["/api/notes/1/remarks", COLLECTION],
      ] as const) {
        const answer = await rawRequest(served.origin, { method, path });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers["content-type"], "application/problem+json");
        assert.deepEqual(answer.headers.allow?.split(", ").sort(), allow.split(", ").sort());
      }
      const nowhere = await rawRequest(served.origin, { method, path: "/api/nothing" });
      assert.equal(nowhere.status, 404, method);
      assert.equal(nowhere.headers.allow, undefined);
    }
  });

  test("a CORS preflight gets no permission, since CORS is not configured", async () => {
    const answer = await rawRequest(served.origin, {
      method: "OPTIONS",
      path: "/api/notes",
      headers: { origin: "https://other.example", "access-control-request-method": "POST" },
    });
    assert.equal(answer.status, 204);
    for (const name of Object.keys(answer.headers)) {
      assert.doesNotMatch(name, /^access-control-/);
    }
  });

  test("X-HTTP-Method-Override does not turn one method into another", async () => {
    const path = await served.make("/notes", { text: "a" });
    await served.get(path, { "x-http-method-override": "DELETE" });
    assert.equal(served.rows("notes").length, 1);
  });
});

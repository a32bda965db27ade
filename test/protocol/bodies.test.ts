import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import { assertInvalid, assertProblem, faultsOf } from "../support/problem.ts";
import { rawRequest } from "../support/raw-request.ts";
import { servedFor } from "../support/scenario.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const notes = resource("notes", {
  schema: z.object({ text: z.string().min(1), stars: z.number().optional() }),
  access: open,
  maxBodyBytes: 1_000,
});

const JSON_TYPE = "application/json";
const bytes = (text: string) => new TextEncoder().encode(text);

suite("Bodies (PROTOCOL 3 and 6)", () => {
  const served = servedFor(api({ notes }));
  const nothingWasDone = () => assert.deepEqual(served.rows("notes"), []);

  describe("of an unsupported type are 415, and never guessed at", () => {
    for (const [called, contentType] of [
      ["missing", undefined],
      ["empty", ""],
      ["another one", "text/plain"],
      ["a form", "application/x-www-form-urlencoded"],
      ["XML", "application/xml"],
      ["a patch on a POST", "application/merge-patch+json"],
      ["a relative of JSON", "application/vnd.api+json"],
      ["misspelt", "application/jsn"],
      ["no media type at all", "json"],
      ["two media types", "application/json, text/plain"],
      ["JSON in Latin-1", "application/json; charset=iso-8859-1"],
      ["JSON in UTF-16", "application/json;charset=utf-16"],
      ["JSON with two charsets", "application/json; charset=utf-8; charset=utf-16"],
    ] as const) {
      test(`Content-Type is ${called}`, async () => {
        const answer = await served.request(
          "POST",
          "/notes",
          contentType === undefined ? {} : { "content-type": contentType },
          bytes('{"text":"a"}'),
        );
        assertProblem(answer, 415, "unsupported-media-type");
        assert.equal(answer.header("accept-post"), JSON_TYPE);
        assert.equal(answer.header("accept"), JSON_TYPE);
        assert.equal(answer.header("accept-patch"), null);
        nothingWasDone();
      });
    }

    test("a misspelt type is answered with the one that was meant", async () => {
      const answer = await served.request(
        "POST",
        "/notes",
        { "content-type": "application/jsn" },
        bytes('{"text":"a"}'),
      );
      assert.match(
        assertProblem(answer, 415, "unsupported-media-type").detail,
        /application\/json/,
      );
    });

    test("no body and no type is a body of unknown type", async () => {
      assertProblem(await served.request("POST", "/notes"), 415, "unsupported-media-type");
      nothingWasDone();
    });

    test("PATCH names what patches are taken; a plain JSON body is none of them", async () => {
      const path = await served.make("/notes", { text: "a" });
      for (const type of [JSON_TYPE, "text/plain", "application/json-patch"]) {
        const answer = await served.mergePatch(path, { text: "b" }, { "content-type": type });
        assertProblem(answer, 415, "unsupported-media-type");
        for (const name of ["accept-patch", "accept"]) {
          assert.deepEqual(
            answer.header(name)?.split(", ").sort(),
            ["application/json-patch+json", "application/merge-patch+json"],
            name,
          );
        }
        assert.equal(answer.header("accept-post"), null);
      }
      assert.equal(served.row("notes", 1)?.text, "a");
    });

    test("PUT names what it takes in Accept; Accept-Post would speak of a POST that is not there", async () => {
      const path = await served.make("/notes", { text: "a" });
      const answer = await served.put(path, { text: "b" }, { "content-type": "text/plain" });
      assertProblem(answer, 415, "unsupported-media-type");
      assert.equal(answer.header("accept"), JSON_TYPE);
      assert.equal(answer.header("accept-post"), null);
      assert.equal(served.row("notes", 1)?.text, "a");
    });
  });

  describe("of a supported type are read", () => {
    for (const contentType of [
      "application/json; charset=utf-8",
      "application/json;charset=UTF-8",
      'application/json; charset="utf-8"',
      "Application/JSON",
      " application/json ; profile=x",
    ]) {
      test(`written ${contentType}`, async () => {
        const answer = await served.post("/notes", { text: "ä" }, { "content-type": contentType });
        assert.equal(answer.status, 201, answer.text);
        assert.equal(served.row("notes", 1)?.text, "ä");
      });
    }

    test("sent in chunks, without a length", async () => {
      const answer = await rawRequest(served.origin, {
        method: "POST",
        path: "/api/notes",
        headers: { "content-type": JSON_TYPE, "transfer-encoding": "chunked" },
        body: '{"text":"in chunks"}',
      });
      assert.equal(answer.status, 201);
      assert.equal(served.row("notes", 1)?.text, "in chunks");
    });

    test("with a byte order mark", async () => {
      const answer = await served.post("/notes", `\uFEFF{"text":"a"}`);
      assert.equal(answer.status, 201);
    });

    test("after 100 Continue, where the client waits for it", async () => {
      const answer = await rawRequest(served.origin, {
        method: "POST",
        path: "/api/notes",
        headers: { "content-type": JSON_TYPE, expect: "100-continue", "content-length": "14" },
        body: '{"text":"abc"}',
      });
      assert.equal(answer.status, 201);
      assert.equal(answer.continued, true);
    });
  });

  describe("in a coding that is not taken are 415 with Accept-Encoding", () => {
    for (const coding of ["gzip", "br", "zstd", "x-unknown", "gzip, identity"]) {
      test(coding, async () => {
        const answer = await served.post("/notes", { text: "a" }, { "content-encoding": coding });
        assertProblem(answer, 415, "unsupported-content-encoding");
        assert.equal(answer.header("accept-encoding"), "identity");
        nothingWasDone();
      });
    }

    test("identity is no coding, and is taken", async () => {
      const answer = await served.post("/notes", { text: "a" }, { "content-encoding": "Identity" });
      assert.equal(answer.status, 201);
    });
  });

  describe("that are not acceptable JSON are 400", () => {
    for (const [called, text, faults] of [
      ["nothing at all", "", []],
      ["cut off", '{"text":"a"', []],
      ["a comment", '{"text":"a"} // note', []],
      ["single quotes", "{'text':'a'}", []],
      ["NaN", '{"text":"a","stars":NaN}', []],
      ["a name twice", '{"text":"a","text":"b"}', ["#/text duplicate_name"]],
      ["a name twice in a nested object", '{"text":{"a":1,"a":2}}', ["#/text/a duplicate_name"]],
      ["__proto__", '{"text":"a","__proto__":{"admin":true}}', ["#/__proto__ forbidden_name"]],
      ["a lone surrogate", '{"text":"\\ud800"}', ["#/text lone_surrogate"]],
      ["an integer past 2^53", '{"text":"a","stars":9007199254740993}', ["#/stars inexact_number"]],
      ["a number past every double", '{"text":"a","stars":1e999}', ["#/stars inexact_number"]],
      ["too deep", `${"[".repeat(65)}${"]".repeat(65)}`, undefined],
    ] as const) {
      test(called, async () => {
        const answer = await served.post("/notes", text);
        const problem = assertProblem(answer, 400, "malformed-json");
        if (faults !== undefined && faults.length > 0) {
          assert.equal(faultsOf(problem).length, faults.length);
          assert.deepEqual(
            faultsOf(problem).map((fault) => fault.split(" ")[0]),
            faults.map((fault) => fault.split(" ")[0]),
          );
        }
        nothingWasDone();
      });
    }

    test("bytes that are not UTF-8", async () => {
      const answer = await served.request(
        "POST",
        "/notes",
        { "content-type": JSON_TYPE },
        new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      );
      assertProblem(answer, 400, "malformed-json");
      nothingWasDone();
    });

    test("all faults of a text at once", async () => {
      const answer = await served.post("/notes", '{"text":"a","text":"\\udfff","__proto__":1}');
      assert.equal(assertProblem(answer, 400, "malformed-json").errors?.length, 3);
    });

    test("on PUT and on PATCH as well, whatever the patch", async () => {
      const path = await served.make("/notes", { text: "a" });
      for (const answer of [
        await served.put(path, '{"text":'),
        await served.mergePatch(path, '{"text":"b","text":"c"}'),
        await served.jsonPatch(path, "[{]"),
      ]) {
        assertProblem(answer, 400, "malformed-json");
      }
      assert.equal(served.row("notes", 1)?.text, "a");
    });
  });

  describe("that are JSON, and no object, are 422", () => {
    for (const text of ["null", "[]", '"text"', "1", "true", '[{"text":"a"}]']) {
      test(text, async () => {
        assertInvalid(await served.post("/notes", text), ["# invalid_type"]);
        nothingWasDone();
      });
    }
  });

  describe("that are too large are 413", () => {
    const large = JSON.stringify({ text: "x".repeat(1_000) });

    test("by their Content-Length", async () => {
      const problem = assertProblem(await served.post("/notes", large), 413, "content-too-large");
      assert.match(problem.detail, /1[,.]?000/);
      nothingWasDone();
    });

    test("in chunks, at the byte that is one too many", async () => {
      const answer = await rawRequest(served.origin, {
        method: "POST",
        path: "/api/notes",
        headers: { "content-type": JSON_TYPE, "transfer-encoding": "chunked" },
        body: large,
      });
      assert.equal(answer.status, 413);
      nothingWasDone();
    });

    test("before they are asked for, where the client waits for 100 Continue", async () => {
      const answer = await rawRequest(served.origin, {
        method: "POST",
        path: "/api/notes",
        headers: { "content-type": JSON_TYPE, expect: "100-continue", "content-length": "1001" },
        body: large,
      });
      assert.equal(answer.status, 413);
      assert.equal(answer.continued, false);
    });

    test("on PUT and PATCH as well", async () => {
      const path = await served.make("/notes", { text: "a" });
      assertProblem(await served.put(path, large), 413, "content-too-large");
      assertProblem(await served.mergePatch(path, large), 413, "content-too-large");
      assert.equal(served.row("notes", 1)?.text, "a");
    });

    test("and not when they have exactly the bytes that are allowed", async () => {
      const frame = JSON.stringify({ text: "" }).length;
      const exact = JSON.stringify({ text: "x".repeat(1_000 - frame) });
      assert.equal((await served.post("/notes", exact)).status, 201);
      const over = JSON.stringify({ text: "x".repeat(1_001 - frame) });
      assertProblem(await served.post("/notes", over), 413, "content-too-large");
    });
  });

  test("a path that does not exist is 404, whatever the body", async () => {
    for (const [contentType, body] of [
      [JSON_TYPE, '{"text":'],
      ["application/xml", "<a/>"],
      ["", "?"],
      [JSON_TYPE, "x".repeat(2_000_000)],
    ] as const) {
      const answer = await served.request(
        "POST",
        "/nothing",
        { "content-type": contentType },
        bytes(body),
      );
      assertProblem(answer, 404, "not-found");
    }
  });

  test("a method that does not exist is 405, whatever the body", async () => {
    const answer = await served.request(
      "PUT",
      "/notes",
      { "content-type": "application/xml" },
      bytes("<a/>"),
    );
    assertProblem(answer, 405, "method-not-allowed");
  });

  test("a body that GET and DELETE have no use for is ignored", async () => {
    const path = await served.make("/notes", { text: "a" });
    const read = await rawRequest(served.origin, {
      method: "GET",
      path,
      headers: { "content-type": JSON_TYPE, "content-length": "3" },
      body: "{?}",
    });
    assert.equal(read.status, 200);
    const removed = await served.request("DELETE", path, { "content-type": "text/plain" }, "why");
    assert.equal(removed.status, 204);
    nothingWasDone();
  });
});

import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import notesApi from "../fixtures/notes.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes, servedFor } from "../support/scenario.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const notes = resource("notes", { schema: z.object({ text: z.string() }), access: open });

suite("Accept", () => {
  const served = servedFor(api({ notes }));

  for (const accept of [
    "application/json",
    "*/*",
    "application/*",
    "text/html, application/json;q=0.5",
    "application/xml;q=0.9, */*;q=0.1",
    "application/json; charset=utf-8",
  ]) {
    test(`${accept} is answered in JSON`, async () => {
      const answer = await served.get("/notes", { accept });
      assert.equal(answer.status, 200);
      assert.equal(answer.header("content-type"), "application/json");
    });
  }

  for (const accept of [
    "application/xml",
    "text/*",
    "application/json;q=0",
    "application/json;q=0, */*",
  ]) {
    test(`${accept} is 406 with a list of what can be produced, before anything is done`, async () => {
      const path = await served.make("/notes", { text: "a" });
      const headers = { accept };
      for (const answer of [
        await served.get("/notes", headers),
        await served.get(path, headers),
        await served.post("/notes", { text: "b" }, headers),
        await served.put(path, { text: "b" }, headers),
        await served.mergePatch(path, { text: "b" }, headers),
      ]) {
        const problem = assertProblem(answer, 406, "not-acceptable");
        assert.deepEqual(problem.available, ["application/json"]);
      }
      assert.deepEqual(served.rows("notes"), [{ id: 1, text: "a" }]);
    });
  }

  test("what has no body to answer with does not look at it", async () => {
    const path = await served.make("/notes", { text: "a" });
    const answer = await served.delete(path, { accept: "application/xml" });
    assert.equal(answer.status, 204);
  });

  test("a problem is told even to a client that accepts none", async () => {
    const answer = await served.get("/nothing", { accept: "image/png" });
    assertProblem(answer, 404, "not-found");
  });
});

suite("Prefer (RFC 7240)", () => {
  const minimal = { prefer: "return=minimal" };
  const representation = { prefer: "return=representation" };

  inBothModes(new URL("../fixtures/notes.ts", import.meta.url), notesApi, (served) => {
    describe("return=minimal", () => {
      test("a POST answers 201 with Location and ETag, and no body", async () => {
        const answer = await served.post("/notes", { text: "a" }, minimal);
        assert.equal(answer.status, 201);
        assert.equal(answer.header("location"), "/api/notes/1");
        assert.equal(answer.header("preference-applied"), "return=minimal");
        assert.equal(answer.text, "");
        assert.equal(answer.header("content-type"), null);
        assert.equal((await served.get("/notes/1")).header("etag"), answer.header("etag"));
      });

      test("PUT and PATCH answer 204 with the new ETag", async () => {
        const path = await served.make("/notes", { text: "a" });
        for (const answer of [
          await served.put(path, { text: "b" }, minimal),
          await served.mergePatch(path, { text: "c" }, minimal),
          await served.jsonPatch(path, [{ op: "replace", path: "/text", value: "d" }], minimal),
        ]) {
          assert.equal(answer.status, 204);
          assert.equal(answer.text, "");
          assert.equal(answer.header("preference-applied"), "return=minimal");
          assert.match(answer.header("etag") ?? "", /^"/);
        }
        assert.equal(served.row("notes", 1)?.text, "d");
      });
    });

    test("return=representation is what is done anyway, and is confirmed", async () => {
      const made = await served.post("/notes", { text: "a" }, representation);
      assert.equal(made.status, 201);
      assert.equal(made.header("preference-applied"), "return=representation");
      assert.deepEqual(made.body, { id: 1, text: "a" });
      for (const answer of [
        await served.put("/notes/1", { text: "b" }, representation),
        await served.mergePatch("/notes/1", {}, representation),
      ]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.header("preference-applied"), "return=representation");
        assert.deepEqual(answer.body, { id: 1, text: "b" });
      }
    });

    test("without a preference nothing is said to be applied", async () => {
      const answer = await served.post("/notes", { text: "a" });
      assert.equal(answer.header("preference-applied"), null);
    });

    test("preferences that are unknown or can't be met are ignored, and not confirmed", async () => {
      for (const prefer of ["return=everything", "colour=red", "respond-async, wait=10", ";;;"]) {
        const answer = await served.post("/notes", { text: "a" }, { prefer });
        assert.equal(answer.status, 201);
        assert.equal(answer.header("preference-applied"), null, prefer);
        assert.notEqual(answer.text, "");
      }
    });

    test("an error is told in full, whatever is preferred", async () => {
      const answer = await served.post("/notes", {}, minimal);
      assertProblem(answer, 422, "validation-failed");
      assert.equal(answer.header("preference-applied"), null);
    });

    test("GET has a representation whatever is preferred", async () => {
      const path = await served.make("/notes", { text: "a" });
      const answer = await served.get(path, minimal);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { id: 1, text: "a" });
      assert.equal(answer.header("preference-applied"), null);
    });
  });
});

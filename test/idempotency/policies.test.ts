import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, suite, test } from "node:test";
import keyedApi from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, by, keyed } from "../support/keyed.ts";
import { assertProblem, faultsOf } from "../support/problem.ts";
import { rawRequest } from "../support/raw-request.ts";
import { inBothModes } from "../support/scenario.ts";

suite("What an operation declares about keys", () => {
  inBothModes(new URL("../fixtures/keyed.ts", import.meta.url), keyedApi, (served) => {
    const count = (table: string) => served.rows(table).length;
    const effectsOf = (text: string) =>
      served.rows("effects").filter((effect) => effect.text === text).length;

    describe("required", () => {
      test("refuses a request without a key, says what to send, and does nothing", async () => {
        const answer = await served.post("/transfers", { title: "a" });
        const problem = assertProblem(answer, 400, "idempotency-key-required");
        assert.match(problem.detail, /Idempotency-Key header with a new UUID/);
        assert.equal(count("transfers"), 0);
      });

      test("does so before the body is read, and after access is judged", async () => {
        const answer = await rawRequest(served.origin, {
          method: "POST",
          path: "/api/transfers",
          headers: { "content-type": "application/json", expect: "100-continue" },
          body: '{"title":"a"}',
        });
        assert.equal(answer.status, 400);
        assert.equal(JSON.parse(answer.text).type, "/problems/idempotency-key-required");
        assert.equal(answer.continued, false);
      });

      test("takes a request with one, once", async () => {
        const headers = keyed();
        const first = await served.post("/transfers", { title: "a" }, headers);
        assertFirst(first, 201);
        assertReplay(first, await served.post("/transfers", { title: "a" }, headers));
        assert.equal(count("transfers"), 1);
      });
    });

    test("accepted, the default of a POST, takes requests with and without a key", async () => {
      const headers = keyed();
      const first = await served.post("/orders", { title: "a" }, headers);
      assertFirst(first, 201);
      assertReplay(first, await served.post("/orders", { title: "a" }, headers));
      assertFirst(await served.post("/orders", { title: "a" }), 201);
      assertFirst(await served.post("/orders", { title: "a" }), 201);
      assert.equal(count("orders"), 3);
    });

    test("ignored takes no notice of a key, not even of one that is none", async () => {
      const headers = keyed();
      for (const sent of [headers, headers, keyed("a b"), keyed("")])
        assertFirst(await served.post("/remarks", { title: "a" }, sent), 201);
      assert.equal(count("remarks"), 4);
    });

    test("nothing makes PUT and PATCH ignore keys: each one is done", async () => {
      const path = await served.make("/orders", { title: "a" });
      const headers = keyed();
      for (const title of ["b", "c"]) {
        assertFirst(await served.put(path, { title }, headers), 200);
        assert.equal(served.row("orders", 1)?.title, title);
        assertFirst(await served.mergePatch(path, { title: `${title}!` }, headers), 200);
        assert.equal(served.row("orders", 1)?.title, `${title}!`);
      }
    });

    describe("accepted by a PATCH", () => {
      test("a merge patch with a key is done once, and answered again", async () => {
        const path = await served.make("/profiles", { name: "ada" });
        const headers = keyed();
        const first = await served.mergePatch(path, { tags: ["a"] }, headers);
        assertFirst(first, 200);
        assertFirst(await served.mergePatch(path, { tags: ["b"] }), 200);
        assertReplay(first, await served.mergePatch(path, { tags: ["a"] }, headers));
        assert.equal(served.row("profiles", 1)?.tags, '["b"]');
        assert.equal(effectsOf("profile ada"), 2);
      });

      test("a JSON patch that would append twice appends once", async () => {
        const path = await served.make("/profiles", { name: "ada" });
        const headers = keyed();
        const patch = [{ op: "add", path: "/tags/-", value: "x" }];
        const first = await served.jsonPatch(path, patch, headers);
        assertFirst(first, 200);
        assertReplay(first, await served.jsonPatch(path, patch, headers));
        assert.equal(served.row("profiles", 1)?.tags, '["x"]');
        await served.jsonPatch(path, patch);
        assert.equal(served.row("profiles", 1)?.tags, '["x","x"]');
        assert.equal(effectsOf("profile ada"), 2);
      });

      test("the same text as another kind of patch is another request", async () => {
        const path = await served.make("/profiles", { name: "ada" });
        const headers = keyed();
        const patch = [{ op: "test", path: "/name", value: "ada" }];
        assertFirst(await served.jsonPatch(path, patch, headers), 200);
        const other = await served.mergePatch(path, patch, headers);
        assertProblem(other, 422, "idempotency-key-reused");
      });

      test("the same patch of another record is another request", async () => {
        const ada = await served.make("/profiles", { name: "ada" });
        const bob = await served.make("/profiles", { name: "bob" });
        const headers = keyed();
        const first = await served.mergePatch(ada, { tags: ["x"] }, headers);
        const other = await served.mergePatch(bob, { tags: ["x"] }, headers);
        assertProblem(other, 422, "idempotency-key-reused");
        assert.equal(served.row("profiles", 2)?.tags, "[]");
        assertReplay(first, await served.mergePatch(ada, { tags: ["x"] }, headers));
      });

      test("a replay asks for no state: its If-Match held when it was done", async () => {
        const path = await served.make("/profiles", { name: "ada" });
        const etag = (await served.get(path)).header("etag")!;
        const headers = keyed(randomUUID(), { "if-match": etag });
        const first = await served.mergePatch(path, { tags: ["x"] }, headers);
        assertFirst(first, 200);
        assertReplay(first, await served.mergePatch(path, { tags: ["x"] }, headers));
        const late = await served.mergePatch(path, { tags: ["x"] }, { "if-match": etag });
        assertProblem(late, 412, "precondition-failed");
      });
    });

    test("required by a PATCH refuses one without a key, and the POST beside it asks for none", async () => {
      const path = await served.make("/badges", { name: "gold" });
      const bare = await served.mergePatch(path, { name: "lead" });
      assertProblem(bare, 400, "idempotency-key-required");
      assert.equal(served.row("badges", 1)?.name, "gold");
      assertFirst(await served.mergePatch(path, { name: "lead" }, keyed()), 200);
      assert.equal(served.row("badges", 1)?.name, "lead");
    });

    describe('anonymousKeys: "uuid"', () => {
      test("refuses keys from callers without credentials that others could guess", async () => {
        for (const key of ["order-1", "1", `${randomUUID()}x`, randomUUID().replaceAll("-", "")]) {
          const answer = await served.post("/letters", { title: "a" }, keyed(key));
          const problem = assertProblem(answer, 400, "malformed-header");
          assert.deepEqual(faultsOf(problem), ["Idempotency-Key invalid_key"]);
          assert.match(problem.detail, /has to be a UUID/);
        }
        assert.equal(count("letters"), 0);
      });

      test("takes UUIDs in any form from them, any key from others, and none at all", async () => {
        const id = randomUUID();
        const first = await served.post("/letters", { title: "a" }, keyed(id));
        assertFirst(first, 201);
        assertReplay(first, await served.post("/letters", { title: "a" }, keyed(`"${id}"`)));
        const upper = keyed(randomUUID().toUpperCase());
        assertFirst(await served.post("/letters", { title: "a" }, upper), 201);
        const known = keyed(`order-1-${id}`, by("ann"));
        assertFirst(await served.post("/letters", { title: "a" }, known), 201);
        assertFirst(await served.post("/letters", { title: "a" }), 201);
        assert.equal(count("letters"), 4);
      });
    });
  });
});

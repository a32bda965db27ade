import assert from "node:assert/strict";
import { suite, test } from "node:test";
import tour from "../../examples/tour/api.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const alice = { name: "Alice Johnson", email: "alice@example.com", age: 30 };

suite("The guide's example, on the API that npm start serves", () => {
  inBothModes(new URL("../../examples/tour/api.ts", import.meta.url), tour, (api) => {
    test("POST /api/users answers 201 with Location, Content-Type and the server's id (G4)", async () => {
      const answer = await api.request(
        "POST",
        "/api/users",
        {
          "content-type": "application/json",
          accept: "application/json",
          authorization: "Bearer whatever",
        },
        JSON.stringify(alice),
      );
      assert.equal(answer.status, 201);
      assert.equal(answer.header("location"), "/api/users/1");
      assert.equal(answer.header("content-type"), "application/json");
      assert.match(answer.header("etag") ?? "", /^"[^"]+"$/);
      assert.deepEqual(answer.body, { id: 1, ...alice });
      assert.deepEqual(api.rows("users"), [{ id: 1, ...alice }]);
    });

    test("the same data posted for another address creates a second user with its own id (G1)", async () => {
      await api.post("/users", alice);
      const second = await api.post("/users", { ...alice, email: "alice@example.org" });
      assert.equal(second.status, 201);
      assert.equal(second.header("location"), "/api/users/2");
      assert.deepEqual(
        api.rows("users").map(({ id, email }) => [id, email]),
        [
          [1, "alice@example.com"],
          [2, "alice@example.org"],
        ],
      );
    });

    test("GET retrieves, PUT replaces, PATCH changes the named field, DELETE removes (G2, G6)", async () => {
      const path = await api.make("/users", alice);

      assert.deepEqual((await api.get(path)).body, { id: 1, ...alice });

      const replaced = await api.put(path, { name: "Alice Smith", email: "smith@example.com" });
      assert.equal(replaced.status, 200);
      assert.deepEqual(replaced.body, { id: 1, name: "Alice Smith", email: "smith@example.com" });
      assert.deepEqual(api.rows("users"), [
        { id: 1, name: "Alice Smith", email: "smith@example.com", age: null },
      ]);

      const changed = await api.mergePatch(path, { age: 31 });
      assert.equal(changed.status, 200);
      assert.deepEqual(changed.body, {
        id: 1,
        name: "Alice Smith",
        email: "smith@example.com",
        age: 31,
      });

      const removed = await api.delete(path);
      assert.equal(removed.status, 204);
      assert.equal(removed.text, "");
      assert.deepEqual(api.rows("users"), []);
      assertProblem(await api.get(path), 404, "not-found");
    });

    test("a required field, a type, a length, an e-mail format and a range are checked at once (G22)", async () => {
      const answer = await api.post("/users", { email: "not an address", age: 151 });
      assertInvalid(answer, ["#/name required", "#/email invalid_format", "#/age too_big"]);
      const types = await api.post("/users", { name: "", email: 7, age: "30" });
      assertInvalid(types, ["#/name too_small", "#/email invalid_type", "#/age invalid_type"]);
      assert.deepEqual(api.rows("users"), []);
    });

    test("a business rule refuses what every schema lets through (G22)", async () => {
      const answer = await api.post("/users", { ...alice, email: "bot@example.invalid" });
      assertInvalid(answer, ["#/email disposable-address"]);
      assert.deepEqual(api.rows("users"), []);
    });

    test("an address that is taken conflicts, and points at the field and the record (G8)", async () => {
      const path = await api.make("/users", alice);
      const problem = assertProblem(await api.post("/users", alice), 409, "unique-conflict");
      assert.deepEqual(problem.errors, [
        { pointer: "#/email", detail: "is taken already", code: "unique" },
      ]);
      assert.equal(problem.existing, path);
      assert.equal(api.rows("users").length, 1);
    });

    test("ids of deleted users are not given again", async () => {
      await api.delete(await api.make("/users", alice));
      assert.equal(await api.make("/users", alice), "/api/users/2");
    });

    test("a post and the comments on it (G10)", async () => {
      const post = await api.post("/posts", { title: "Exactly once" });
      assert.equal(post.header("location"), "/api/posts/1");
      const comment = await api.post("/posts/1/comments", { author: "Bob", text: "Well said." });
      assert.equal(comment.status, 201);
      assert.equal(comment.header("location"), "/api/posts/1/comments/1");
      assert.equal((comment.body as { postId: number }).postId, 1);
      assert.equal(api.row("comments", 1)?.postId, 1);
    });
  });
});

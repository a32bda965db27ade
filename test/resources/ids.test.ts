import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import fixture from "../fixtures/identities.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { rawRequest } from "../support/raw-request.ts";
import { inBothModes } from "../support/scenario.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const idIn = (body: unknown) => (body as { id: unknown }).id;

suite("Ids", () => {
  inBothModes(new URL("../fixtures/identities.ts", import.meta.url), fixture, (served) => {
    describe("that are integers", () => {
      test("count from 1, and are numbers in JSON and in the database", async () => {
        assert.equal(idIn((await served.post("/numbers", { name: "a" })).body), 1);
        assert.equal(idIn((await served.post("/numbers", { name: "b" })).body), 2);
        assert.deepEqual(
          served.rows("numbers").map(({ id }) => id),
          [1, 2],
        );
      });

      test("are never given twice, not even the last one of a deleted record", async () => {
        const path = await served.make("/numbers", { name: "a" });
        await served.delete(path);
        assert.equal(await served.make("/numbers", { name: "a" }), "/api/numbers/2");
      });

      test("of a refused create leave at most a gap, and no record", async () => {
        assertInvalid(await served.post("/numbers", {}), ["#/name required"]);
        await served.make("/numbers", { name: "a" });
        assert.equal(served.rows("numbers").length, 1);
      });

      test("written in another way name nothing: one record has one path", async () => {
        await served.make("/numbers", { name: "a" });
        for (const id of ["01", "1.0", "+1", "-1", "0", "1e0", "0x1", "%31%20", "a", "１"]) {
          assertProblem(await served.get(`/numbers/${encodeURI(id)}`), 404, "not-found");
        }
        for (const id of ["9007199254740992", "99999999999999999999", "1".repeat(400)]) {
          assertProblem(await served.get(`/numbers/${id}`), 404, "not-found");
          assertProblem(await served.delete(`/numbers/${id}`), 404, "not-found");
        }
        assert.equal(served.rows("numbers").length, 1);
      });

      test("can't be chosen: PUT at a free one is 404, and makes nothing", async () => {
        assertProblem(await served.put("/numbers/7", { name: "a" }), 404, "not-found");
        assert.deepEqual(served.rows("numbers"), []);
      });
    });

    describe("that are UUIDs", () => {
      test("are of version 7, and sort in the order of creation", async () => {
        const ids: string[] = [];
        for (let count = 0; count < 20; count++) {
          const answer = await served.post("/uuids", { name: "a" });
          const id = String(idIn(answer.body));
          assert.match(id, UUID_V7);
          assert.equal(answer.header("location"), `/api/uuids/${id}`);
          ids.push(id);
        }
        assert.deepEqual([...ids].sort(), ids);
        assert.deepEqual(
          served.rows("uuids").map(({ id }) => id),
          ids,
        );
      });

      test("read, change and delete the record that they name", async () => {
        const path = await served.make("/uuids", { name: "a" });
        assert.equal((await served.get(path)).status, 200);
        assert.equal((await served.mergePatch(path, { name: "b" })).status, 200);
        assert.equal(served.rows("uuids")[0]?.name, "b");
        assert.equal((await served.delete(path)).status, 204);
        assert.deepEqual(served.rows("uuids"), []);
      });

      test("that nobody has, or that are none, name nothing", async () => {
        for (const id of [
          "0190d5a0-0000-7000-8000-000000000000",
          "0190d5a0",
          "1",
          "'; DROP TABLE uuids; --",
        ]) {
          assertProblem(await served.get(`/uuids/${encodeURIComponent(id)}`), 404, "not-found");
        }
      });

      test("can't be chosen: PUT at a free one is 404", async () => {
        const path = "/uuids/0190d5a0-0000-7000-8000-000000000000";
        assertProblem(await served.put(path, { name: "a" }), 404, "not-found");
        assert.deepEqual(served.rows("uuids"), []);
      });
    });

    describe("that clients choose", () => {
      test("PUT makes: 201 with Location and ETag, then replaces: 200 without Location", async () => {
        const made = await served.put("/slugs/hello-world", { name: "Hello" });
        assert.equal(made.status, 201);
        assert.equal(made.header("location"), "/api/slugs/hello-world");
        assert.match(made.header("etag") ?? "", /^"/);
        assert.deepEqual(made.body, { id: "hello-world", name: "Hello", size: 1, state: "new" });

        const replaced = await served.put("/slugs/hello-world", { name: "Bye", size: 2 });
        assert.equal(replaced.status, 200);
        assert.equal(replaced.header("location"), null);
        assert.notEqual(replaced.header("etag"), made.header("etag"));
        assert.deepEqual(served.rows("slugs"), [
          { id: "hello-world", name: "Bye", size: 2, state: "new" },
        ]);
      });

      test("PUT may say the id in the body, and no other one", async () => {
        assert.equal((await served.put("/slugs/a", { id: "a", name: "A" })).status, 201);
        assertInvalid(await served.put("/slugs/b", { id: "c", name: "B" }), ["#/id read_only"]);
        assert.equal(served.rows("slugs").length, 1);
      });

      test("POST gives a UUID of version 7", async () => {
        const answer = await served.post("/slugs", { name: "A" });
        assert.equal(answer.status, 201);
        assert.match(String(idIn(answer.body)), UUID_V7);
        assertInvalid(await served.post("/slugs", { id: "mine", name: "B" }), ["#/id read_only"]);
      });

      test("PUT is validated, and conflicts, before it makes anything", async () => {
        await served.make("/slugs", { name: "taken" });
        assertInvalid(await served.put("/slugs/a", { nme: "A" }), [
          "#/nme unknown_field",
          "#/name required",
        ]);
        const conflict = assertProblem(
          await served.put("/slugs/a", { name: "taken" }),
          409,
          "unique-conflict",
        );
        assert.deepEqual(
          conflict.errors?.map(({ pointer }) => pointer),
          ["#/name"],
        );
        assert.equal(served.rows("slugs").length, 1);
      });

      test("PUT with If-None-Match: * makes, and is 412 where the record exists", async () => {
        const fresh = { "if-none-match": "*" };
        assert.equal((await served.put("/slugs/a", { name: "A" }, fresh)).status, 201);
        const again = await served.put("/slugs/a", { name: "B" }, fresh);
        assertProblem(again, 412, "precondition-failed");
        assert.equal(served.row("slugs", "a")?.name, "A");
      });

      test("PUT with If-Match makes nothing where the record does not exist", async () => {
        for (const tag of ["*", '"x"']) {
          const answer = await served.put("/slugs/a", { name: "A" }, { "if-match": tag });
          assertProblem(answer, 412, "precondition-failed");
        }
        assert.deepEqual(served.rows("slugs"), []);
      });

      test("of many PUTs with If-None-Match: * at once, exactly one makes the record", async () => {
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, size) =>
            served.put("/slugs/a", { name: "A", size }, { "if-none-match": "*" }),
          ),
        );
        assert.deepEqual(answers.map(({ status }) => status).sort(), [
          201,
          ...Array.from({ length: 9 }, () => 412),
        ]);
        const made = answers.find(({ status }) => status === 201);
        assert.deepEqual(served.rows("slugs"), [made?.body]);
      });

      test("a record made anew under an old id has another ETag than the old one ever had", async () => {
        const tags = new Set<string | null>();
        for (let life = 0; life < 5; life++) {
          tags.add((await served.put("/slugs/a", { name: "A" })).header("etag"));
          tags.add((await served.put("/slugs/a", { name: "A" })).header("etag"));
          await served.delete("/slugs/a");
        }
        assert.equal(tags.size, 10);
      });

      test("hold letters, digits, dots, dashes, underscores and tildes", async () => {
        for (const id of ["A", "a.b", "a-b_c~d", "9", "x".repeat(128)]) {
          const answer = await served.put(`/slugs/${id}`, { name: `name of ${id}` });
          assert.equal(answer.status, 201, id);
          assert.equal(answer.header("location"), `/api/slugs/${id}`);
          assert.equal((await served.get(answer.header("location") ?? "")).status, 200);
        }
      });

      test("can't be anything else", async () => {
        for (const id of ["a b", "a/b", "ä", "a'b", "a%00b", "x".repeat(129), "a;b", "<a>"]) {
          const answer = await served.put(`/slugs/${encodeURIComponent(id)}`, { name: "A" });
          assert.ok(answer.status === 404 || answer.status === 400, `${id}: ${answer.status}`);
        }
        assert.deepEqual(served.rows("slugs"), []);
      });

      test("can't be dots, which would make of the record's path another one", async () => {
        for (const id of [".", "..", "%2e", "%2e%2e"]) {
          const answer = await rawRequest(served.origin, {
            method: "PUT",
            path: `/api/slugs/${id}`,
            headers: { "content-type": "application/json" },
            body: '{"name":"A"}',
          });
          assert.ok(answer.status === 404 || answer.status === 400, `${id}: ${answer.status}`);
        }
        assert.deepEqual(served.rows("slugs"), []);
      });

      test("differ in case", async () => {
        await served.put("/slugs/a", { name: "small" });
        await served.put("/slugs/A", { name: "large" });
        assert.equal(served.rows("slugs").length, 2);
      });
    });

    describe("of parents", () => {
      test("have in their children the type that they have themselves", async () => {
        const number = await served.make("/numbers", { name: "a" });
        const uuid = await served.make("/uuids", { name: "a" });
        await served.put("/slugs/a", { name: "a" });
        const ofNumber = await served.post(`${number}/number-parts`, { name: "part" });
        const ofUuid = await served.post(`${uuid}/uuid-parts`, { name: "part" });
        const ofSlug = await served.put("/slugs/a/slug-parts/p", { name: "part" });
        assert.equal((ofNumber.body as { numberId: unknown }).numberId, 1);
        assert.equal(ofNumber.header("location"), "/api/numbers/1/number-parts/1");
        assert.equal((ofUuid.body as { uuidId: unknown }).uuidId, uuid.slice("/api/uuids/".length));
        assert.equal((ofSlug.body as { slugId: unknown }).slugId, "a");
        assert.equal(ofSlug.header("location"), "/api/slugs/a/slug-parts/p");
        assert.equal(served.rows("slug_parts")[0]?.slugId, "a");
      });

      test("are part of no client's choice: an id taken under another parent conflicts", async () => {
        await served.put("/slugs/a", { name: "a" });
        await served.put("/slugs/b", { name: "b" });
        await served.put("/slugs/a/slug-parts/p", { name: "of a" });
        const answer = await served.put("/slugs/b/slug-parts/p", { name: "of b" });
        assertProblem(answer, 409, "unique-conflict");
        assert.deepEqual(
          served.rows("slug_parts").map(({ id, name, slugId }) => [id, name, slugId]),
          [["p", "of a", "a"]],
        );
      });

      test("that do not exist let PUT make nothing", async () => {
        const answer = await served.put("/slugs/nobody/slug-parts/p", { name: "part" });
        assertProblem(answer, 404, "not-found");
        assert.deepEqual(served.rows("slug_parts"), []);
      });
    });
  });
});

import assert from "node:assert/strict";
import { beforeEach, describe, suite, test } from "node:test";
import fixture from "../fixtures/documents.ts";
import { assertInvalid, assertProblem, faultsOf } from "../support/problem.ts";
import { type Answer, inBothModes } from "../support/scenario.ts";

const document = {
  title: "Tea",
  meta: { author: "Ann", pages: 3 },
  tags: ["a", "b", "c"],
  labels: { colour: "green", "a/b": "slash", "m~n": "tilde" },
  rating: 4.5,
  summary: "On tea.",
};
const shown = { id: 1, ...document, stamped: "x" };

suite("Patches", () => {
  inBothModes(new URL("../fixtures/documents.ts", import.meta.url), fixture, (served) => {
    beforeEach(() => served.make("/documents", document));
    const path = "/documents/1";
    const stored = async () => (await served.get(path)).body;
    const assertUnchanged = async () => assert.deepEqual(await stored(), shown);

    async function assertBecomes(answer: Answer, change: object) {
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body, { ...shown, ...change });
      assert.deepEqual(await stored(), { ...shown, ...change });
    }

    describe("as a merge patch (RFC 7396)", () => {
      const merge = (patch: unknown) => served.mergePatch(path, patch);

      test("an empty one changes no field", async () => {
        await assertBecomes(await merge({}), {});
      });

      test("replaces the named fields, and merges objects", async () => {
        await assertBecomes(await merge({ title: "Coffee", meta: { pages: 4 } }), {
          title: "Coffee",
          meta: { author: "Ann", pages: 4 },
        });
      });

      test("replaces arrays as a whole", async () => {
        await assertBecomes(await merge({ tags: ["z"] }), { tags: ["z"] });
      });

      test("adds and removes members of a nested object", async () => {
        await assertBecomes(await merge({ labels: { colour: null, size: "L" } }), {
          labels: { "a/b": "slash", "m~n": "tilde", size: "L" },
        });
      });

      test("removes an optional field by null", async () => {
        const answer = await merge({ summary: null, meta: { pages: null } });
        const { summary: _, ...rest } = shown;
        assert.deepEqual(answer.body, { ...rest, meta: { author: "Ann" } });
        assert.deepEqual(await stored(), { ...rest, meta: { author: "Ann" } });
        assert.equal(served.row("documents", 1)?.summary, null);
      });

      test("puts a field back to its default by null", async () => {
        await assertBecomes(await merge({ tags: null, rating: null }), { tags: [], rating: null });
      });

      test("can't remove what is required", async () => {
        assertInvalid(await merge({ title: null, meta: { author: null } }), [
          "#/title required",
          "#/meta/author required",
        ]);
        await assertUnchanged();
      });

      test("is judged by its result, all faults at once", async () => {
        const answer = await merge({ title: "", meta: { pages: 1.5 }, tags: [1], colour: "red" });
        assertInvalid(answer, [
          "#/title too_small",
          "#/meta/pages invalid_type",
          "#/tags/0 invalid_type",
          "#/colour unknown_field",
        ]);
        await assertUnchanged();
      });

      test("that is no object would replace the record by something that is none: 422", async () => {
        for (const patch of ["null", "[]", '"text"', "7", '[{"op":"remove","path":"/title"}]']) {
          assertInvalid(await served.mergePatch(path, patch), ["# invalid_type"]);
        }
        await assertUnchanged();
      });

      test("replaces an object by what is none only where the schema allows it", async () => {
        assertInvalid(await merge({ meta: "Ann" }), ["#/meta invalid_type"]);
        await assertUnchanged();
      });
    });

    describe("as a JSON Patch (RFC 6902)", () => {
      const patch = (...operations: object[]) => served.jsonPatch(path, operations);

      test("of no operations changes no field", async () => {
        await assertBecomes(await patch(), {});
      });

      test("add sets a member, inserts into an array, and appends at -", async () => {
        await assertBecomes(
          await patch(
            { op: "add", path: "/meta/pages", value: 9 },
            { op: "add", path: "/tags/1", value: "x" },
            { op: "add", path: "/tags/-", value: "z" },
          ),
          { meta: { author: "Ann", pages: 9 }, tags: ["a", "x", "b", "c", "z"] },
        );
      });

      test("remove takes away a member or an element", async () => {
        const answer = await patch(
          { op: "remove", path: "/summary" },
          { op: "remove", path: "/tags/0" },
        );
        const { summary: _, ...rest } = shown;
        assert.deepEqual(answer.body, { ...rest, tags: ["b", "c"] });
      });

      test("replace, move, copy and a test that holds", async () => {
        await assertBecomes(
          await patch(
            { op: "test", path: "/title", value: "Tea" },
            { op: "test", path: "/meta", value: { pages: 3, author: "Ann" } },
            { op: "test", path: "/rating", value: 4.5 },
            { op: "replace", path: "/title", value: "Coffee" },
            { op: "move", from: "/tags/2", path: "/tags/0" },
            { op: "copy", from: "/title", path: "/labels/title" },
          ),
          {
            title: "Coffee",
            tags: ["c", "a", "b"],
            labels: { ...document.labels, title: "Coffee" },
          },
        );
      });

      test("sets null, which a merge patch can't", async () => {
        await assertBecomes(await patch({ op: "replace", path: "/rating", value: null }), {
          rating: null,
        });
        assert.ok("rating" in ((await stored()) as object));
      });

      test("reads ~1 as / and ~0 as ~ in pointers", async () => {
        await assertBecomes(
          await patch(
            { op: "test", path: "/labels/a~1b", value: "slash" },
            { op: "remove", path: "/labels/a~1b" },
            { op: "replace", path: "/labels/m~0n", value: "new" },
          ),
          { labels: { colour: "green", "m~n": "new" } },
        );
      });

      test("a failed test is 409 and points at the operation; nothing of the patch is done", async () => {
        const answer = await patch(
          { op: "replace", path: "/title", value: "Coffee" },
          { op: "test", path: "/tags/0", value: "z" },
        );
        const problem = assertProblem(answer, 409, "patch-conflict");
        assert.deepEqual(faultsOf(problem), ["#/1 test_failed"]);
        await assertUnchanged();
      });

      test("a test tells types apart", async () => {
        for (const value of ["4.5", 4, [4.5], { rating: 4.5 }, null]) {
          assertProblem(await patch({ op: "test", path: "/rating", value }), 409, "patch-conflict");
        }
      });

      test("a place that is not there is 409; nothing of the patch is done", async () => {
        for (const operation of [
          { op: "remove", path: "/nothing" },
          { op: "replace", path: "/nothing", value: 1 },
          { op: "test", path: "/nothing", value: 1 },
          { op: "add", path: "/nothing/below", value: 1 },
          { op: "add", path: "/tags/7", value: "x" },
          { op: "add", path: "/tags/01", value: "x" },
          { op: "remove", path: "/tags/-" },
          { op: "copy", from: "/nothing", path: "/title" },
          { op: "move", from: "/nothing", path: "/title" },
        ]) {
          const answer = await patch({ op: "replace", path: "/title", value: "Coffee" }, operation);
          const problem = assertProblem(answer, 409, "patch-conflict");
          assert.deepEqual(faultsOf(problem), ["#/1 no_such_target"], JSON.stringify(operation));
        }
        await assertUnchanged();
      });

      test("a document that is no patch is 400 with all its faults", async () => {
        const answer = await served.jsonPatch(path, [
          { op: "ad", path: "/title", value: "x" },
          { op: "add", path: "title", value: "x" },
          { op: "add", path: "/title" },
          { op: "move", path: "/title" },
          "remove",
          {},
        ]);
        const problem = assertProblem(answer, 400, "malformed-patch");
        assert.deepEqual(faultsOf(problem), [
          "#/0/op unknown_op",
          "#/1/path malformed_pointer",
          "#/2/value required",
          "#/3/from required",
          "#/4 invalid_type",
          "#/5/op required",
          "#/5/path required",
        ]);
        await assertUnchanged();
      });

      test("an object is no JSON Patch, and a merge patch sent as one is told so", async () => {
        const answer = await served.jsonPatch(path, { title: "Coffee" });
        assertProblem(answer, 400, "malformed-patch");
        await assertUnchanged();
      });

      test("is judged by its result: steps in between may be invalid", async () => {
        await assertBecomes(
          await patch(
            { op: "remove", path: "/title" },
            { op: "add", path: "/meta/pages", value: "many" },
            { op: "add", path: "/meta/pages", value: 1 },
            { op: "add", path: "/title", value: "Coffee" },
          ),
          { title: "Coffee", meta: { author: "Ann", pages: 1 } },
        );
      });

      test("an invalid result is 422 with pointers into the record, and nothing is done", async () => {
        const answer = await patch(
          { op: "replace", path: "/title", value: "" },
          { op: "add", path: "/tags/-", value: "far too long a tag" },
          { op: "remove", path: "/meta/author" },
          { op: "add", path: "/colour", value: "red" },
        );
        assertInvalid(answer, [
          "#/title too_small",
          "#/tags/3 too_big",
          "#/meta/author required",
          "#/colour unknown_field",
        ]);
        await assertUnchanged();
      });

      test("can replace the whole record, as long as the server's part of it stays", async () => {
        const whole = { id: 1, title: "New", meta: { author: "Bob" }, stamped: "x" };
        const answer = await patch({ op: "replace", path: "", value: whole });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.body, { ...whole, tags: [], labels: {}, rating: null });

        assertInvalid(await patch({ op: "replace", path: "", value: { ...whole, id: 2 } }), [
          "#/id read_only",
        ]);
        assertInvalid(await patch({ op: "replace", path: "", value: 7 }), ["# invalid_type"]);
      });

      test("that would copy itself into something huge is 413, and nothing is done", async () => {
        const double = { op: "copy", from: "/tags", path: "/tags/-" };
        const answer = await patch(...Array.from({ length: 40 }, () => double));
        assertProblem(answer, 413, "content-too-large");
        await assertUnchanged();
      });

      test("with more operations than anybody needs is 413", async () => {
        const noop = { op: "test", path: "/id", value: 1 };
        const operations = (count: number) => Array.from({ length: count }, () => noop);
        assert.equal((await patch(...operations(1_000))).status, 200);
        assertProblem(await patch(...operations(1_001)), 413, "content-too-large");
      });

      test("can't bring in __proto__", async () => {
        const answer = await patch({ op: "add", path: "/labels/__proto__", value: "x" });
        assertProblem(answer, 400, "malformed-patch");
        await assertUnchanged();
      });
    });

    test("either kind leaves untouched fields alone, though their schema would transform them", async () => {
      const [before] = served.rows("documents");
      assert.equal(before?.stamped, "x");
      await served.mergePatch(path, { title: "Coffee" });
      await served.jsonPatch(path, [{ op: "replace", path: "/title", value: "Milk" }]);
      assert.deepEqual(served.rows("documents"), [{ ...before, title: "Milk" }]);
      const touched = await served.mergePatch(path, { stamped: "y" });
      assert.equal((touched.body as typeof shown).stamped, "y!");
    });

    test("a field that is patched to what it was is not transformed again either", async () => {
      await served.mergePatch(path, { stamped: "y" });
      const answer = await served.mergePatch(path, { stamped: "y!", title: "Milk" });
      assert.equal((answer.body as typeof shown).stamped, "y!");
    });

    test("many patches at once are all done, one after the other", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          served.mergePatch(path, { labels: { [`key ${index}`]: "x" } }),
        ),
      );
      for (const { status } of answers) assert.equal(status, 200);
      const { labels } = (await stored()) as typeof shown;
      assert.equal(Object.keys(labels).length, 23);
    });
  });
});

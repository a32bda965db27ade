import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import fixture from "../fixtures/values.ts";
import { assertProblem, faultsOf } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const full = {
  text: "a",
  count: 3,
  ratio: 0.25,
  flag: true,
  level: "low",
  address: { street: "Main St", geo: { lat: 50.7 } },
  tags: ["x", "y"],
  either: "one",
  nothing: "something",
  maybe: "perhaps",
  maybeNull: 7,
  maybeList: [1, 2],
};
const { maybe: _1, maybeNull: _2, maybeList: _3, ...required } = full;
/** As little as there can be, with null wherever that is a value. */
const least = { ...required, nothing: null, maybeNull: null, maybeList: null };

suite("Values of every type", () => {
  inBothModes(new URL("../fixtures/values.ts", import.meta.url), fixture, (served) => {
    for (const [library, path, table] of [
      ["zod", "/with-zod", "with_zod"],
      ["arktype", "/with-arktype", "with_arktype"],
    ] as const) {
      describe(`by a schema of ${library}`, () => {
        test("come back as they were sent, and stand in columns that any SQL tool can read", async () => {
          const answer = await served.post(path, full);
          assert.equal(answer.status, 201, answer.text);
          assert.deepEqual(answer.body, { id: 1, ...full });
          assert.deepEqual((await served.get(`${path}/1`)).body, { id: 1, ...full });
          assert.deepEqual((await served.get(path)).body, [{ id: 1, ...full }]);
          assert.deepEqual(served.rows(table), [
            {
              id: 1,
              ...full,
              flag: 1,
              address: '{"street":"Main St","geo":{"lat":50.7}}',
              tags: '["x","y"]',
              either: '"one"',
              maybeList: "[1,2]",
            },
          ]);
        });

        test("what is optional may be missing, and stays so; what is null is null", async () => {
          const answer = await served.post(path, least);
          assert.equal(answer.status, 201, answer.text);
          assert.deepEqual(answer.body, { id: 1, ...least });
          assert.ok(!("maybe" in (answer.body as object)));
          assert.equal((await served.get(`${path}/1`)).text, answer.text);
        });

        test("what may be missing or null is read as it was answered, under the same ETag", async () => {
          for (const change of [
            () => served.post(path, required),
            () => served.put(`${path}/1`, required),
            () => served.mergePatch(`${path}/1`, { maybeNull: null, maybeList: null }),
            () => served.mergePatch(`${path}/1`, { text: "b" }),
          ]) {
            const answer = await change();
            const { id } = answer.body as { id: number };
            const read = await served.get(`${path}/${id}`);
            assert.equal(read.header("etag"), answer.header("etag"));
            assert.deepEqual(read.body, answer.body);
          }
        });

        test("the edges of each type survive", async () => {
          for (const edge of [
            { text: "ä€😀\u0000\"'\\\n" },
            { text: "'; DROP TABLE--" },
            { text: "%_\u2028" },
            { count: 9_007_199_254_740_991 },
            { count: 0 },
            { ratio: -0.1 },
            { ratio: 1e-300 },
            { ratio: 1e300 / 1e290 },
            { ratio: 5 },
            { flag: false },
            { level: "high" },
            { tags: [] },
            { tags: ["", "a,b", '"'] },
            { address: { street: "" } },
            { either: 1.5 },
            { either: "1.5" },
            { either: "" },
          ]) {
            const sent = { ...full, ...edge };
            const answer = await served.post(path, sent);
            assert.equal(answer.status, 201, answer.text);
            const { id } = answer.body as { id: number };
            assert.deepEqual(answer.body, { id, ...sent });
            assert.deepEqual((await served.get(`${path}/${id}`)).body, { id, ...sent });
          }
        });

        test("each type refuses the others, all at once", async () => {
          const answer = await served.post(path, {
            text: 1,
            count: 1.5,
            ratio: "1",
            flag: "true",
            level: "middle",
            address: "x",
            tags: "x",
            either: true,
            nothing: 0,
            maybe: null,
            maybeNull: "7",
            maybeList: {},
          });
          const problem = assertProblem(answer, 422, "validation-failed");
          assert.deepEqual(
            faultsOf(problem).map((fault) => fault.split(" ")[0]),
            Object.keys(full)
              .map((name) => `#/${name}`)
              .sort(),
          );
          assert.deepEqual(served.rows(table), []);
        });

        test("what is missing is told as required, by the same code", async () => {
          const problem = assertProblem(await served.post(path, {}), 422, "validation-failed");
          assert.deepEqual(
            faultsOf(problem),
            Object.keys(required)
              .map((name) => `#/${name} required`)
              .sort(),
          );
        });

        test("unknown fields are faults, with a suggestion", async () => {
          const answer = await served.post(path, { ...full, cuont: 1 });
          const problem = assertProblem(answer, 422, "validation-failed");
          assert.deepEqual(faultsOf(problem), ["#/cuont unknown_field"]);
          assert.match(problem.errors?.[0]?.detail ?? "", /Did you mean "count"\?/);
        });

        test("PUT and both patches change them", async () => {
          await served.make(path, full);
          const replaced = await served.put(`${path}/1`, { ...least, flag: false, either: 2 });
          assert.deepEqual(replaced.body, { id: 1, ...least, flag: false, either: 2 });
          const merged = await served.mergePatch(`${path}/1`, {
            address: { geo: null },
            maybe: "again",
            flag: true,
          });
          const expected = {
            id: 1,
            ...least,
            either: 2,
            address: { street: "Main St" },
            maybe: "again",
          };
          assert.deepEqual(merged.body, expected);
          const patched = await served.jsonPatch(`${path}/1`, [
            { op: "add", path: "/tags/0", value: "w" },
            { op: "replace", path: "/either", value: "two" },
          ]);
          const last = { ...expected, either: "two", tags: ["w", "x", "y"] };
          assert.deepEqual(patched.body, last);
          assert.deepEqual((await served.get(`${path}/1`)).body, last);
        });
      });
    }

    test("defaults of arktype fill what is left out, on POST and on PUT", async () => {
      const answer = await served.post("/defaults", { name: "a" });
      assert.equal(answer.status, 201, answer.text);
      assert.deepEqual(answer.body, { id: 1, name: "a", size: 3, state: "new" });
      const changed = await served.put("/defaults/1", { name: "a", state: "old" });
      assert.deepEqual(changed.body, { id: 1, name: "a", size: 3, state: "old" });
      assert.deepEqual(served.rows("defaults"), [{ id: 1, name: "a", size: 3, state: "old" }]);
    });

    test("uniqueness works by a schema of arktype", async () => {
      await served.make("/defaults", { name: "a" });
      const answer = await served.post("/defaults", { name: "a" });
      const problem = assertProblem(answer, 409, "unique-conflict");
      assert.deepEqual(faultsOf(problem), ["#/name unique"]);
    });
  });
});

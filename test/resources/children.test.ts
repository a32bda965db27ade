import assert from "node:assert/strict";
import { beforeEach, describe, suite, test } from "node:test";
import fixture from "../fixtures/projects.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { type Answer, inBothModes } from "../support/scenario.ts";

const missing = (answer: Answer) => assertProblem(answer, 404, "not-found");

suite("Child resources", () => {
  inBothModes(new URL("../fixtures/projects.ts", import.meta.url), fixture, (served) => {
    beforeEach(async () => {
      await served.make("/projects", { name: "one" });
      await served.make("/projects", { name: "two" });
    });

    describe("one level deep", () => {
      test("are made under their parent, and name it", async () => {
        const answer = await served.post("/projects/2/tasks", { name: "a" });
        assert.equal(answer.status, 201);
        assert.equal(answer.header("location"), "/api/projects/2/tasks/1");
        assert.deepEqual(answer.body, { id: 1, projectId: 2, name: "a" });
        assert.deepEqual(served.rows("tasks"), [{ id: 1, projectId: 2, name: "a" }]);
      });

      test("are listed with those of the same parent only, page by page", async () => {
        for (const name of ["a", "b", "c"]) {
          await served.make("/projects/1/tasks", { name });
          await served.make("/projects/2/tasks", { name });
        }
        const ids = (answer: Answer) => (answer.body as { id: number }[]).map(({ id }) => id);
        assert.deepEqual(ids(await served.get("/projects/1/tasks")), [1, 3, 5]);
        assert.deepEqual(ids(await served.get("/projects/2/tasks?sort=-name")), [6, 4, 2]);
        assert.deepEqual(ids(await served.get("/projects/2/tasks?name=b")), [4]);

        const page = await served.get("/projects/1/tasks?limit=2");
        assert.deepEqual(ids(page), [1, 3]);
        const [, next] = /<([^>]+)>; rel="next"/.exec(page.header("link") ?? "") ?? [];
        assert.match(next ?? "", /^\/api\/projects\/1\/tasks\?/);
        assert.deepEqual(ids(await served.get(next ?? "")), [5]);
      });

      test("have no collection of their own beside that of the parent", async () => {
        missing(await served.get("/tasks"));
        missing(await served.post("/tasks", { name: "a" }));
      });

      test("are read, replaced, patched and deleted at their path", async () => {
        const path = await served.make("/projects/1/tasks", { name: "a" });
        assert.deepEqual((await served.get(path)).body, { id: 1, projectId: 1, name: "a" });
        const replaced = await served.put(path, { id: 1, projectId: 1, name: "b" });
        assert.deepEqual(replaced.body, { id: 1, projectId: 1, name: "b" });
        const patched = await served.mergePatch(path, { name: "c" });
        assert.deepEqual(patched.body, { id: 1, projectId: 1, name: "c" });
        assert.equal((await served.delete(path)).status, 204);
        assert.deepEqual(served.rows("tasks"), []);
      });

      test("can't name another parent in the body, nor move to one", async () => {
        assertInvalid(await served.post("/projects/1/tasks", { name: "a", projectId: 2 }), [
          "#/projectId read_only",
        ]);
        const path = await served.make("/projects/1/tasks", { name: "a" });
        for (const answer of [
          await served.put(path, { name: "a", projectId: 2 }),
          await served.mergePatch(path, { projectId: 2 }),
          await served.mergePatch(path, { projectId: null }),
          await served.jsonPatch(path, [{ op: "replace", path: "/projectId", value: 2 }]),
        ]) {
          assertInvalid(answer, ["#/projectId read_only"]);
        }
        assert.equal(served.row("tasks", 1)?.projectId, 1);
      });
    });

    describe("under a parent that does not exist", () => {
      test("can't be made or listed: 404, and nothing is stored", async () => {
        missing(await served.post("/projects/99/tasks", { name: "a" }));
        missing(await served.get("/projects/99/tasks"));
        assert.equal((await served.head("/projects/99/tasks")).status, 404);
        missing(await served.post("/projects/x/tasks", { name: "a" }));
        assert.deepEqual(served.rows("tasks"), []);
      });

      test("can't be made there once the parent has been deleted", async () => {
        await served.delete("/projects/2");
        missing(await served.post("/projects/2/tasks", { name: "a" }));
        assert.deepEqual(served.rows("tasks"), []);
      });
    });

    test("under a parent that is not theirs are not found, whatever the method", async () => {
      await served.make("/projects/1/tasks", { name: "a" });
      missing(await served.get("/projects/2/tasks/1"));
      missing(await served.put("/projects/2/tasks/1", { name: "b" }));
      missing(await served.mergePatch("/projects/2/tasks/1", { name: "b" }));
      missing(await served.delete("/projects/2/tasks/1"));
      missing(await served.get("/projects/99/tasks/1"));
      assert.deepEqual(served.rows("tasks"), [{ id: 1, projectId: 1, name: "a" }]);
    });

    describe("when the parent is deleted", () => {
      test("keep it from that by default: 409, and nothing is deleted", async () => {
        await served.make("/projects/1/tasks", { name: "a" });
        await served.make("/projects/1/labels", { name: "red" });
        assertProblem(await served.delete("/projects/1"), 409, "still-referenced");
        assert.equal(served.rows("projects").length, 2);
        assert.equal(served.rows("tasks").length, 1);
        assert.equal(served.rows("labels").length, 1, "what cascades is rolled back with it");

        await served.delete("/projects/1/tasks/1");
        assert.equal((await served.delete("/projects/1")).status, 204);
        assert.deepEqual(served.rows("labels"), []);
      });

      test("go with it where they cascade, and only its own", async () => {
        await served.make("/projects/1/labels", { name: "red" });
        await served.make("/projects/2/labels", { name: "blue" });
        assert.equal((await served.delete("/projects/1")).status, 204);
        assert.deepEqual(served.rows("labels"), [{ id: 2, projectId: 2, name: "blue" }]);
      });

      test("are heard through all levels: a grandchild that refuses keeps the whole", async () => {
        const task = await served.make("/projects/1/tasks", { name: "a" });
        const step = await served.make(`${task}/steps`, { name: "b" });
        const proof = await served.make(`${step}/proofs`, { name: "c" });
        assertProblem(await served.delete(task), 409, "still-referenced");
        assert.equal(served.rows("steps").length, 1);
        await served.delete(proof);
        assert.equal((await served.delete(task)).status, 204);
        assert.deepEqual(served.rows("steps"), []);
      });
    });

    describe("three and four levels deep", () => {
      beforeEach(async () => {
        await served.make("/projects/1/tasks", { name: "a" });
        await served.make("/projects/2/tasks", { name: "b" });
        await served.make("/projects/1/tasks/1/steps", { name: "s" });
      });

      test("live at the whole path, and name their direct parent", async () => {
        const answer = await served.post("/projects/1/tasks/1/steps", { name: "t" });
        assert.equal(answer.header("location"), "/api/projects/1/tasks/1/steps/2");
        assert.deepEqual(answer.body, { id: 2, taskId: 1, name: "t" });
        const proof = await served.post("/projects/1/tasks/1/steps/2/proofs", { name: "p" });
        assert.equal(proof.header("location"), "/api/projects/1/tasks/1/steps/2/proofs/1");
        assert.deepEqual((await served.get(proof.header("location") ?? "")).body, {
          id: 1,
          stepId: 2,
          name: "p",
        });
      });

      test("are found only where every parent belongs to the one before it", async () => {
        for (const wrong of [
          "/projects/2/tasks/1/steps",
          "/projects/1/tasks/2/steps",
          "/projects/1/tasks/99/steps",
          "/projects/99/tasks/1/steps",
        ]) {
          missing(await served.get(wrong));
          missing(await served.post(wrong, { name: "t" }));
          missing(await served.get(`${wrong}/1`));
          missing(await served.put(`${wrong}/1`, { name: "t" }));
          missing(await served.mergePatch(`${wrong}/1`, { name: "t" }));
          missing(await served.delete(`${wrong}/1`));
        }
        assert.deepEqual(served.rows("steps"), [{ id: 1, taskId: 1, name: "s" }]);
      });
    });
  });
});

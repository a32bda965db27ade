import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import fixture from "../fixtures/deeds.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes, type Served } from "../support/scenario.ts";

suite("Actions stand at paths", () => {
  inBothModes(new URL("../fixtures/deeds.ts", import.meta.url), fixture, scenarios);

  function scenarios(served: Served) {
    const effects = () => served.rows("effects").map(({ text }) => text);
    const post = (path: string) => served.request("POST", path);

    test("a path of its own has its parameters percent-decoded", async () => {
      const answer = await served.post("/say/h%C3%A9llo%20w%2Fslash/to/d%C3%A9", { times: 2 });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body, { text: "héllo w/slash dé, héllo w/slash dé" });
    });

    test("what is encoded so that it can't be read is no path", async () => {
      assertProblem(await served.post("/say/%ff/to/me", {}), 400, "malformed-request");
      assertProblem(await served.post("/say//to/me", {}), 404, "not-found");
      assertProblem(await served.post("/say/hello/to/", {}), 404, "not-found");
      assertProblem(await served.post("/say/hello", {}), 404, "not-found");
    });

    test("without one it is its name", async () => {
      assert.equal((await post("/ping")).status, 204);
      assert.deepEqual(effects(), ["ping"]);
    });

    test("on a record it gets that record, with its id, its parents and what is hidden", async () => {
      const project = await served.make("/projects", { title: "Bridge" });
      const task = await served.make(`${project}/tasks`, { title: "Dig" });
      const answer = await post(`${task}/finish`);
      assert.equal(answer.status, 200, answer.text);
      const id = task.slice(task.lastIndexOf("/") + 1);
      assert.deepEqual(answer.body, { id, title: "Dig", projectId: 1, was: false });
      assert.deepEqual(effects(), ["finished Dig of 1"]);
      assert.deepEqual(((await served.get(task)).body as { done: boolean }).done, true);
      assert.deepEqual((await post(`${project}/reveal`)).body, { secret: "hidden value" });
    });

    test("an id that is written in capitals names the same record", async () => {
      const task = await served.make(`${await served.make("/projects", { title: "a" })}/tasks`, {
        title: "b",
      });
      const id = task.slice(task.lastIndexOf("/") + 1);
      assert.equal((await post(`${task.replace(id, id.toUpperCase())}/finish`)).status, 200);
      assert.equal(served.row("tasks", id)?.done, 1);
    });

    test("a conflict that it finds is a 409, and nothing was done", async () => {
      const project = await served.make("/projects", { title: "Bridge" });
      const task = await served.make(`${project}/tasks`, { title: "Dig", done: true });
      const problem = assertProblem(await post(`${task}/finish`), 409, "conflict");
      assert.equal(problem.detail, "The task was finished before.");
      assert.equal(problem.errors?.[0]?.code, "finished-already");
      assert.deepEqual(effects(), []);
    });

    test("a record that is not there, or belongs to another parent, is a 404, and nothing runs", async () => {
      const one = await served.make("/projects", { title: "One" });
      const other = await served.make("/projects", { title: "Other" });
      const task = await served.make(`${one}/tasks`, { title: "Dig" });
      const remark = await served.make(`${task}/remarks`, { text: "Deep" });
      const otherTask = task.replace(one, other);
      for (const path of [
        "/projects/99/reveal",
        `${one}/tasks/${randomUUID()}/finish`,
        `${otherTask}/finish`,
        `${remark.replace(one, other)}/stamps/red`,
        `${remark.replace(task, `${one}/tasks/${randomUUID()}`)}/stamps/red`,
        `${remark}7/stamps/red`,
      ]) {
        assertProblem(await post(path), 404, "not-found");
      }
      assert.deepEqual(effects(), []);
      assert.equal((await post(`${remark}/stamps/red`)).status, 204);
      assert.match(String(effects()[0]), /^red on 1 of [0-9a-f-]{36}$/);
    });

    test("what can't be an id names nothing", async () => {
      const project = await served.make("/projects", { title: "One" });
      for (const path of [
        "/projects/0/reveal",
        "/projects/-1/reveal",
        "/projects/1.0/reveal",
        "/projects/1e0/reveal",
        "/projects/01/reveal",
        "/projects/9007199254740993/reveal",
        "/projects/x/reveal",
        `${project}/tasks/1/finish`,
        `${project}/tasks/${randomUUID()}x/finish`,
        "/labels/a%2Fb/paint",
      ]) {
        const answer = await served.post(path, path.includes("paint") ? { colour: "red" } : "", {
          ...(path.includes("paint") ? {} : { "content-type": "" }),
        });
        assertProblem(answer, 404, "not-found");
      }
    });

    test("a record whose id the client chose is found by it", async () => {
      const made = await served.put("/labels/a.b~c", { colour: "red" });
      assert.equal(made.status, 201, made.text);
      assert.equal((await served.post("/labels/a.b~c/paint", { colour: "blue" })).status, 204);
      assert.equal(served.row("labels", "a.b~c")?.colour, "blue");
    });

    test("If-Match is judged by the record that it is on, in the transaction", async () => {
      const project = await served.make("/projects", { title: "One" });
      const task = await served.make(`${project}/tasks`, { title: "Dig" });
      const etag = (await served.get(task)).header("etag") ?? "";
      await served.mergePatch(task, { title: "Dig deep" });
      const late = await served.request("POST", `${task}/finish`, { "if-match": etag });
      assertProblem(late, 412, "precondition-failed");
      assert.deepEqual(effects(), []);
      const now = (await served.get(task)).header("etag") ?? "";
      const { status } = await served.request("POST", `${task}/finish`, { "if-match": now });
      assert.equal(status, 200);
      assertProblem(
        await served.request("POST", "/ping", { "if-match": now }),
        412,
        "precondition-failed",
      );
      assert.deepEqual(effects(), ["finished Dig deep of 1"]);
    });

    test("every other method is a 405 with what is allowed, and OPTIONS tells it", async () => {
      const project = await served.make("/projects", { title: "One" });
      for (const [path, accepts] of [
        ["/ping", ""],
        ["/say/a/to/b", "application/json"],
        ["/labels/x/paint", "application/json"],
        [`${project}/reveal`, ""],
        // There need be no such record to know what could be done with it.
        ["/projects/99/reveal", ""],
      ] as const) {
        const options = await served.request("OPTIONS", path);
        assert.equal(options.status, 204);
        assert.equal(options.header("allow"), "POST, OPTIONS");
        assert.equal(options.header("accept-post") ?? "", accepts);
        for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
          const refused = await served.request(method, path);
          assert.equal(refused.status, 405, `${method} ${path}`);
          assert.equal(refused.header("allow"), "POST, OPTIONS");
        }
      }
      assert.deepEqual(effects(), []);
    });

    test("a POST to a record that has no such action stays a 405, below it a 404", async () => {
      const project = await served.make("/projects", { title: "One" });
      assert.equal((await post(project)).status, 405);
      assertProblem(await post(`${project}/nothing`), 404, "not-found");
    });
  }
});

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, suite, test } from "node:test";
import fixture, { journeys, scripts } from "../fixtures/labours.ts";
import { changeStore, look, workshop } from "../support/jobs.ts";
import { by } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { type Answer, inBothModes, type Served } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

suite("A job that is cancelled", () => {
  const module = new URL("../fixtures/labours.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { jobGraceMs: 0, beatMs: 50 });

  function scenarios(served: Served) {
    afterEach(() => {
      scripts.clear();
      journeys.clear();
    });
    const rowOf = (id: string) =>
      look(served.store, "SELECT * FROM posthaste_jobs WHERE id = ?", id)[0]!;
    const stateOf = ({ body }: Answer) => (body as { state: string }).state;
    const start = async (script: string, path = "/begin", headers = {}) =>
      ((await served.post(path, { script }, headers)).body as { id: string }).id;
    const ended = (id: string) =>
      eventually(15_000, `${id} has ended`, () => {
        const row = rowOf(id);
        return row.finished_at === null ? undefined : row;
      });

    test("while it waits is cancelled at once, and never runs", async () => {
      const go = Promise.withResolvers<void>();
      let ran = false;
      scripts.set("blocks", () => go.promise);
      scripts.set("waits", () => {
        ran = true;
      });
      // One at a time, and one is at it.
      const first = await start("blocks", "/begin-single");
      const id = await start("waits", "/begin-single");
      const answer = await served.delete(`/jobs/${id}`);
      assert.equal(answer.status, 202, answer.text);
      assert.equal(stateOf(answer), "cancelled");
      assert.equal(stateOf(await served.get(`/jobs/${id}`)), "cancelled");
      go.resolve();
      await ended(first);
      await ended(await start("after", "/begin-single"));
      assert.equal(ran, false);
    });

    test("while it runs is told by its signal, ends, and is not tried again", async () => {
      const reasons: unknown[] = [];
      let ran = 0;
      scripts.set("runs", ({ signal }) => {
        ran++;
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason);
            reject(signal.reason);
          });
        });
      });
      const id = await start("runs");
      await eventually(10_000, "it runs", () => ran === 1);
      assert.equal((await served.delete(`/jobs/${id}`)).status, 202);
      assert.equal((await ended(id)).state, "cancelled");
      assert.match(String(reasons[0]), /The job was cancelled/);
      assert.equal(ran, 1);
      const answer = await served.get(`/jobs/${id}`);
      assert.equal(stateOf(answer), "cancelled");
      assert.equal(answer.header("retry-after"), null);
    });

    test("while it runs and does not listen is cancelled all the same", async () => {
      let ran = 0;
      scripts.set("deaf", () => {
        ran++;
        return new Promise(() => {});
      });
      const id = await start("deaf");
      await eventually(10_000, "it runs", () => ran === 1);
      await served.delete(`/jobs/${id}`);
      assert.equal((await ended(id)).state, "cancelled");
    });

    test("between two attempts is not tried again", async () => {
      let ran = 0;
      scripts.set("fails", () => {
        ran++;
        throw Object.assign(new Error("later"), { retryAfterMs: 60_000 });
      });
      const id = await start("fails");
      await eventually(10_000, "it waits", () => rowOf(id).state === "scheduled");
      assert.equal(stateOf(await served.delete(`/jobs/${id}`)), "cancelled");
      assert.equal(rowOf(id).state, "cancelled");
      assert.equal(ran, 1);
    });

    test("twice is cancelled once: the second answer is as the first", async () => {
      scripts.set("fails", () => {
        throw Object.assign(new Error("later"), { retryAfterMs: 60_000 });
      });
      const id = await start("fails");
      await eventually(10_000, "it waits", () => rowOf(id).state === "scheduled");
      const first = await served.delete(`/jobs/${id}`);
      const second = await served.delete(`/jobs/${id}`);
      assert.deepEqual([second.status, second.text], [first.status, first.text]);
    });

    test("when it has ended is a 409 that says how", async () => {
      const id = await start("nothing");
      await ended(id);
      const problem = assertProblem(await served.delete(`/jobs/${id}`), 409, "job-finished");
      assert.match(problem.detail, /The job has succeeded/);
      scripts.set("breaks", () => {
        throw Object.assign(new Error("x"), { permanent: true });
      });
      const broken = await start("breaks");
      await ended(broken);
      const other = assertProblem(await served.delete(`/jobs/${broken}`), 409, "job-finished");
      assert.match(other.detail, /The job has failed/);
      assert.equal(rowOf(broken).state, "failed");
    });

    test("by somebody else is a 404, and goes on", async () => {
      const go = Promise.withResolvers<void>();
      scripts.set("mine", () => go.promise);
      const id = await start("mine", "/begin", by("ann"));
      for (const headers of [by("bob"), {}])
        assertProblem(await served.delete(`/jobs/${id}`, headers), 404, "not-found");
      assertProblem(await served.delete(`/jobs/${randomUUID()}`), 404, "not-found");
      go.resolve();
      assert.equal((await ended(id)).state, "done");
      assertProblem(await served.delete(`/jobs/${id}`, by("ann")), 409, "job-finished");
    });

    test("that a hook made is nobody's to cancel", async () => {
      scripts.set("hooked", () => new Promise(() => {}));
      await served.make("/orders", { script: "hooked" }, by("ann"));
      const [row] = look(
        served.store,
        "SELECT id FROM posthaste_jobs WHERE input LIKE '%\"hooked\"%' AND state <> 'cancelled'",
      );
      assertProblem(await served.delete(`/jobs/${row?.id}`, by("ann")), 404, "not-found");
    });

    test("while a workflow sleeps, or between its steps, does no step more", async () => {
      const did: string[] = [];
      journeys.set("sleeps", async ({ step }) => {
        await step.run("one", () => did.push("one"));
        await step.sleep("night", "1 hour");
        await step.run("two", () => did.push("two"));
      });
      const sleeper = await start("sleeps", "/travel");
      await eventually(10_000, "it sleeps", () => rowOf(sleeper).state === "scheduled");
      assert.equal(stateOf(await served.delete(`/jobs/${sleeper}`)), "cancelled");
      journeys.set("walks", async ({ step, signal }) => {
        await step.run("one", () => did.push("three"));
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        await step.run("two", () => did.push("four"));
      });
      const walker = await start("walks", "/travel");
      await eventually(10_000, "it walks", () => did.includes("three"));
      await served.delete(`/jobs/${walker}`);
      assert.equal((await ended(walker)).state, "cancelled");
      assert.deepEqual(did, ["one", "three"]);
    });

    test("from another process ends in the one that runs it", async (t) => {
      let aborted = 0;
      scripts.set("elsewhere", ({ signal }) => {
        signal.addEventListener("abort", () => aborted++);
        return new Promise(() => {});
      });
      const id = await start("elsewhere");
      await eventually(10_000, "it runs", () => rowOf(id).state === "running");
      const other = await workshop(t, fixture, { store: served.store });
      const command = { job: "cancel", id, now: Date.now(), keepMs: 60_000 };
      assert.equal(await other.service.store.lane.submit(command), "cancelling");
      assert.equal((await ended(id)).state, "cancelled");
      assert.equal(aborted, 1);
    });

    test("in the moment in which its attempt fails is not tried again", async () => {
      // Marked behind the server's back: nobody tells the attempt in time.
      let ran = 0;
      scripts.set("fails", ({ id }) => {
        ran++;
        changeStore(served.store, "UPDATE posthaste_jobs SET cancelling = 1 WHERE id = ?", id);
        throw new Error("later");
      });
      const id = await start("fails");
      const row = await ended(id);
      assert.equal(row.state, "cancelled");
      assert.equal(ran, 1);
      assert.ok(Number(row.expires_at) > Date.now());
    });
  }
});

import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import fixture, { scripts } from "../fixtures/labours.ts";
import { jobsIn, look } from "../support/jobs.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { inBothModes, type Served } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

suite("Jobs are enqueued in the transaction of whoever asks for them", () => {
  const module = new URL("../fixtures/labours.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { jobGraceMs: 0 });

  function scenarios(served: Served) {
    afterEach(() => scripts.clear());

    const jobOf = (id: string) =>
      look(served.store, "SELECT * FROM posthaste_jobs WHERE id = ?", id)[0];
    const count = () =>
      Number(look(served.store, "SELECT count(*) AS n FROM posthaste_jobs")[0]?.n);
    const put = async (kind: string, input: unknown, rest: object = {}) => {
      const answer = await served.post("/put", { kind, input, ...rest });
      return { answer, ids: (answer.body as { ids: string[] }).ids };
    };
    const done = (id: string) =>
      eventually(10_000, `${id} is done`, () => jobOf(id)?.state === "done" && jobOf(id));

    test("a hook's job runs when the record is there for everybody, and not before", async () => {
      const seen = Promise.withResolvers<number>();
      scripts.set("see", () =>
        seen.resolve(served.rows("orders").filter(({ script }) => script === "see").length),
      );
      assert.equal((await served.post("/orders", { script: "see" })).status, 201);
      assert.equal(await seen.promise, 1);
    });

    test("all three hooks can enqueue", async () => {
      const ran: string[] = [];
      for (const name of ["all", "all two updated", "all two deleted"])
        scripts.set(name, () => ran.push(name));
      const path = await served.make("/orders", { script: "all" });
      await served.mergePatch(path, { script: "all two" });
      await served.delete(path);
      await eventually(10_000, "all ran", () => ran.length === 3);
      assert.deepEqual(ran.sort(), ["all", "all two deleted", "all two updated"]);
    });

    test("a write that is refused, or fails, leaves no job", async () => {
      const before = count();
      await served.make("/orders", { script: "taken" });
      const made = count();
      assert.equal(made, before + 1);
      const ran = Promise.withResolvers<never>();
      scripts.set("never", () => ran.reject(new Error("It ran.")));
      ran.promise.catch(() => {});
      const rule = await served.post("/orders", { script: "never", does: "break a rule" });
      assertInvalid(rule, ["#/does rule"]);
      const hook = await served.post("/orders", { script: "never", does: "fail" });
      assertInvalid(hook, ["#/does refused-by-hook"]);
      const broken = await served.post("/orders", { script: "never", does: "throw" });
      assertProblem(broken, 500, "internal-error");
      assertProblem(await served.post("/orders", { script: "taken" }), 409, "unique-conflict");
      for (const [after, status] of [
        ["fail", 422],
        ["throw", 500],
        ["conflict", 409],
      ] as const) {
        const { answer } = await put("labour", { script: "never" }, { after });
        assert.equal(answer.status, status);
      }
      assert.equal(count(), made);
      // What runs behind them proves that nothing of theirs came before it.
      const { ids } = await put("labour", { script: "after" });
      await done(ids[0]!);
      await Promise.race([ran.promise, Promise.resolve()]);
    });

    test("one request makes many, all or none", async () => {
      const ran = new Set<number>();
      scripts.set("many", ({ input }) => ran.add(input.number!));
      const { ids } = await put("labour", { script: "many" }, { times: 50, after: "count" });
      assert.equal(new Set(ids).size, 50);
      await eventually(10_000, "all ran", () => ran.size === 50);
      const before = count();
      await put("labour", { script: "many" }, { times: 50, after: "fail" });
      assert.equal(count(), before);
    });

    test("a delay is waited for, and the job is woken by itself when it is over", async () => {
      let ranAt = 0;
      scripts.set("late", () => {
        ranAt = Date.now();
      });
      const at = Date.now();
      const { ids } = await put(
        "labour",
        { script: "late" },
        { options: { delay: "400 milliseconds" } },
      );
      assert.equal(jobOf(ids[0]!)?.state, "scheduled");
      await done(ids[0]!);
      assert.ok(ranAt >= at + 400, `${ranAt - at} ms`);
    });

    test("while a job with a unique key waits or runs there is no second one; afterwards there is", async () => {
      const go = Promise.withResolvers<void>();
      let ran = 0;
      scripts.set("unique", () => {
        ran++;
        return go.promise;
      });
      const options = { unique: "invoice 7" };
      const first = await put("labour", { script: "unique" }, { options });
      const twice = await put("labour", { script: "unique" }, { options, times: 3 });
      assert.deepEqual(twice.ids, [first.ids[0], first.ids[0], first.ids[0]]);
      await eventually(10_000, "it runs", () => ran === 1);
      const running = await put("labour", { script: "unique" }, { options });
      assert.deepEqual(running.ids, first.ids);
      // Of another kind it is another job.
      const elsewhere = await put("narrow", { script: "nothing" }, { options });
      assert.notEqual(elsewhere.ids[0], first.ids[0]);
      go.resolve();
      await done(first.ids[0]!);
      const next = await put("labour", { script: "unique" }, { options });
      assert.notEqual(next.ids[0], first.ids[0]);
      await done(next.ids[0]!);
      assert.equal(ran, 2);
    });

    test("a unique key is taken while the job waits to be tried again, and free once it has failed", async () => {
      scripts.set("unlucky", () => {
        throw new Error("not now");
      });
      const options = { unique: "unlucky" };
      const { ids } = await put("labour", { script: "unlucky" }, { options });
      await eventually(
        10_000,
        "it waits for another attempt",
        () => Number(jobOf(ids[0]!)?.attempt) > 1,
      );
      const meanwhile = await put("labour", { script: "unlucky" }, { options });
      await eventually(10_000, "it failed", () => jobOf(ids[0]!)?.state === "failed");
      if (meanwhile.ids[0] === ids[0]) {
        const next = await put("labour", { script: "unlucky" }, { options });
        assert.notEqual(next.ids[0], ids[0]);
      }
    });

    test("the urgent ones run first, and of equals the older", async () => {
      const order: number[] = [];
      const go = Promise.withResolvers<void>();
      scripts.set("blocker", () => go.promise);
      scripts.set("ordered", ({ input }) => order.push(input.number!));
      const blocker = await put("single", { script: "blocker" });
      await eventually(10_000, "it runs", () => jobOf(blocker.ids[0]!)?.state === "running");
      for (const [number, priority] of [
        [1, undefined],
        [2, 5],
        [3, -1],
        [4, 5],
        [5, 0],
      ] as const) {
        const options = priority === undefined ? {} : { options: { priority } };
        await put("single", { script: "ordered", number }, options);
      }
      go.resolve();
      await eventually(10_000, "all ran", () => order.length === 5);
      assert.deepEqual(order, [2, 4, 1, 5, 3]);
    });

    for (const [what, kind, input, options, told] of [
      [
        "an input that does not fit",
        "labour",
        { script: 7 },
        {},
        /The input of the job "labour" does not fit its schema\. script: /,
      ],
      ["no input", "labour", null, {}, /The input of the job "labour" does not fit its schema/],
      [
        "a job that is not part of the API",
        "stranger",
        { script: "a" },
        {},
        /The job "stranger" is not part of the API: put it beside the resources in api/,
      ],
      [
        "a delay that is none",
        "labour",
        { script: "a" },
        { delay: "soon" },
        /"soon" is not a duration such as "30 seconds"/,
      ],
      [
        "a priority that is no whole number",
        "labour",
        { script: "a" },
        { priority: 1.5 },
        /priority of the job "labour" is not a whole number/,
      ],
    ] as const) {
      test(`${what}: the request fails as a whole, and the log says why`, async () => {
        const before = count();
        const effects = served.rows("effects").length;
        const { answer } = await put(kind, input, { options });
        assertProblem(answer, 500, "internal-error");
        assert.doesNotMatch(answer.text, /labour|stranger|duration/);
        const failed = served.observed.find(
          (each) =>
            each.event === "request.failed" && each.requestId === answer.header("request-id"),
        );
        assert.match(String(failed?.error), told);
        assert.equal(count(), before);
        assert.equal(served.rows("effects").length, effects);
      });
    }

    test("what was enqueued is kept as it was given, and its owner with it", async () => {
      const answer = await served.post(
        "/put",
        { kind: "labour", input: { script: "kept", number: 5 } },
        { authorization: "Bearer ann" },
      );
      const { ids } = answer.body as { ids: string[] };
      const row = jobOf(ids[0]!);
      assert.deepEqual(JSON.parse(String(row?.input)), { script: "kept", number: 5 });
      assert.equal(row?.owner, "ann");
      assert.equal(row?.operation, null);
      assert.ok(jobsIn(served.store, "labour").length > 0);
    });
  }
});

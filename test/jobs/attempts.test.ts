import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { JobFailure } from "posthaste";
import { backoffMs } from "../../src/jobs/backoff.ts";
import fixture, { scripts } from "../fixtures/labours.ts";
import { look } from "../support/jobs.ts";
import { type Answer, inBothModes, type Served } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

suite("The wait behind a failed attempt", () => {
  const bounds = { firstMs: 1_000, mostMs: 60_000 };

  test("doubles up to a bound, and of that a random part from half to all is waited", () => {
    const waits = (random: () => number) =>
      Array.from({ length: 9 }, (_, index) => backoffMs(bounds, index + 1, random));
    assert.deepEqual(
      waits(() => 0),
      [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
    );
    assert.deepEqual(
      waits(() => 1),
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000],
    );
  });

  test("is a whole number of milliseconds, also behind the thousandth attempt", () => {
    for (const attempt of [1, 2, 53, 64, 1_000]) {
      const wait = backoffMs({ firstMs: 1, mostMs: 3_600_000 }, attempt);
      assert.ok(Number.isInteger(wait) && wait >= 0 && wait <= 3_600_000, `${wait}`);
    }
  });

  test("differs between jobs that failed together", () => {
    const waits = new Set(Array.from({ length: 100 }, () => backoffMs(bounds, 5)));
    assert.ok(waits.size > 50);
  });
});

suite("Attempts of a job", () => {
  const module = new URL("../fixtures/labours.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { jobGraceMs: 0 });

  function scenarios(served: Served) {
    afterEach(() => scripts.clear());

    const rowOf = (id: string) =>
      look(served.store, "SELECT * FROM posthaste_jobs WHERE id = ?", id)[0]!;
    const monitorOf = async (id: string) =>
      (await served.get(`/jobs/${id}`)).body as Record<string, unknown>;
    const start = async (script: string, path = "/begin") =>
      ((await served.post(path, { script })) as Answer & { body: { id: string } }).body.id;
    const ended = (id: string) =>
      eventually(15_000, `${id} has ended`, () => {
        const row = rowOf(id);
        return row.finished_at === null ? undefined : row;
      });
    const told = (event: string, id: string) =>
      served.observed.filter((each) => each.event === event && each.id === id);

    test("one that fails is followed by another, later, which has the same id and key", async () => {
      const seen: { attempt: number; id: string; key: string; at: number }[] = [];
      scripts.set("thrice", ({ attempt, id, key }) => {
        seen.push({ attempt, id, key, at: performance.now() });
        if (attempt < 3) throw new Error("not yet");
        return { attempt };
      });
      const id = await start("thrice");
      const row = await ended(id);
      assert.equal(row.state, "done");
      assert.equal(row.error, null, "what went wrong before is nobody's business now");
      assert.deepEqual(
        seen.map(({ attempt }) => attempt),
        [1, 2, 3],
      );
      assert.deepEqual([...new Set(seen.flatMap((each) => [each.id, each.key]))], [id]);
      // At least half of 20 ms, then of 40 ms.
      assert.ok(seen[1]!.at - seen[0]!.at >= 9 && seen[2]!.at - seen[1]!.at >= 19);
      assert.equal(told("job.retried", id).length, 2);
      assert.match(String(told("job.retried", id)[0]?.error), /not yet/);
      assert.equal(told("job.done", id).length, 1);
      assert.deepEqual((await monitorOf(id)).result, { attempt: 3 });
    });

    test("when all of them failed it is a dead letter: kept, with what went wrong, and not run again", async () => {
      let ran = 0;
      scripts.set("never", () => {
        ran++;
        throw new Error(`internals ${ran}`);
      });
      const id = await start("never");
      const row = await ended(id);
      assert.equal(row.state, "failed");
      assert.match(
        String(row.error),
        /internals 3\n\s+at /,
        "the operator sees the last one, and where",
      );
      assert.ok(Number(row.expires_at) - Number(row.finished_at) > 7 * 86_400_000);
      assert.equal(told("job.failed", id).length, 1);
      assert.equal(told("job.failed", id)[0]?.attempt, 3);
      const { state, failure } = await monitorOf(id);
      assert.equal(state, "failed");
      assert.deepEqual(failure, { code: "failed", detail: "Gave up after 3 attempts." });
      await ended(await start("something else"));
      assert.equal(ran, 3);
    });

    test("a JobFailure ends it at once, and tells the client what it says", async () => {
      let ran = 0;
      scripts.set("refused", () => {
        ran++;
        throw new JobFailure("card-declined", "The card was declined.");
      });
      const id = await start("refused");
      assert.equal((await ended(id)).state, "failed");
      assert.equal(ran, 1);
      assert.deepEqual((await monitorOf(id)).failure, {
        code: "card-declined",
        detail: "The card was declined.",
      });
    });

    test("an error that says it is permanent ends it at once, and tells the client nothing", async () => {
      let ran = 0;
      scripts.set("permanent", () => {
        ran++;
        throw Object.assign(new Error("internals"), { permanent: true });
      });
      const id = await start("permanent");
      assert.equal((await ended(id)).state, "failed");
      assert.equal(ran, 1);
      const { failure } = await monitorOf(id);
      assert.deepEqual(failure, { code: "failed", detail: "Gave up after one attempt." });
    });

    test("an error that says when to come again is heeded, but never earlier than the backoff", async () => {
      const at: number[] = [];
      scripts.set("later", ({ attempt }) => {
        at.push(performance.now());
        if (attempt === 1) throw Object.assign(new Error("busy"), { retryAfterMs: 300.7 });
        if (attempt === 2) throw Object.assign(new Error("busy"), { retryAfterMs: 1 });
      });
      const id = await start("later");
      assert.equal((await ended(id)).state, "done");
      assert.ok(at[1]! - at[0]! >= 295, `${at[1]! - at[0]!} ms`);
      assert.ok(at[2]! - at[1]! >= 19);
    });

    for (const [what, thrown] of [
      [
        "a time to come again that is no number",
        Object.assign(new Error("x"), { retryAfterMs: Number.NaN }),
      ],
      ["one that is below nothing", Object.assign(new Error("x"), { retryAfterMs: -5_000 })],
      ["one that is text", Object.assign(new Error("x"), { retryAfterMs: "soon" })],
      ["undefined", undefined],
      ["an object that can't be text", Object.create(null)],
      ["a symbol", Symbol("x")],
      ["an error whose stack is none", Object.assign(new Error("x"), { stack: { toString: 1 } })],
    ] as const) {
      test(`throwing ${what} is a failed attempt like any other`, async () => {
        scripts.set("odd", ({ attempt }) => {
          if (attempt === 1) throw thrown;
          return "done";
        });
        const id = await start("odd");
        const row = await ended(id);
        assert.equal(row.state, "done");
        assert.equal(row.attempt, 2);
        assert.deepEqual(told("jobs.failed", id), []);
      });
    }

    test("a time to come again that is for ever is ten years, and others go on", async () => {
      scripts.set("for ever", () => {
        throw Object.assign(new Error("x"), { retryAfterMs: Number.POSITIVE_INFINITY });
      });
      const id = await start("for ever");
      const row = await eventually(10_000, "it waits", () => {
        const found = rowOf(id);
        return found.state === "scheduled" ? found : undefined;
      });
      assert.ok(Number(row.run_at) > Date.now() + 3_000 * 86_400_000);
      assert.equal((await ended(await start("other"))).state, "done");
    });

    test("a JobFailure with what is no text, or too much of it, is kept as far as it can be", async () => {
      scripts.set("long", () => {
        throw new JobFailure(10n as never, "x".repeat(1_000_000));
      });
      const id = await start("long");
      assert.equal((await ended(id)).state, "failed");
      const { code, detail } = (await monitorOf(id)).failure as { code: string; detail: string };
      assert.equal(code, "10");
      assert.ok(detail.length < 10_000 && detail.length > 1_000);
    });

    test("one that takes too long is told so by its signal, and is a failed attempt even if it does not listen", async () => {
      const reasons: unknown[] = [];
      const go = Promise.withResolvers<void>();
      scripts.set("slow", ({ signal }) => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        return go.promise;
      });
      const id = await start("slow", "/begin-brief");
      // One at a time: what does not listen must not keep its place.
      const next = await start("next", "/begin-brief");
      const row = await ended(id);
      assert.equal(row.state, "failed");
      assert.equal(row.attempt, 2);
      assert.match(String(row.error), /The attempt took more than 100 ms/);
      assert.equal(reasons.length, 2);
      assert.match(String(reasons[0]), /took more than 100 ms/);
      assert.equal((await ended(next)).state, "done");
      // What it comes to afterwards changes nothing.
      go.resolve();
      await ended(await start("other"));
      assert.equal(rowOf(id).state, "failed");
    });

    test("what it does when its time is over is refused: no progress, no transaction", async () => {
      const late: unknown[] = [];
      const go = Promise.withResolvers<void>();
      const tried = Promise.withResolvers<void>();
      scripts.set("deaf", async ({ attempt, progress, transaction }) => {
        if (attempt > 1) return "done";
        await go.promise;
        try {
          progress({ late: true });
        } catch (error) {
          late.push(error);
        }
        await transaction(({ tx }) =>
          tx.insertInto("effects").values({ text: "late" }).execute(),
        ).catch((error) => late.push(error));
        tried.resolve();
        return "too late";
      });
      const id = await start("deaf", "/begin-brief");
      await ended(id);
      go.resolve();
      await tried.promise;
      assert.equal(late.length, 2);
      assert.deepEqual((await monitorOf(id)).result, "done");
      assert.ok(!served.rows("effects").some(({ text }) => text === "late"));
    });

    test("a timeout beyond what a timer can count does not come at once", async () => {
      scripts.set("takes a while", () => sleep(50, "slept"));
      const answer = await served.post("/put", {
        kind: "patient",
        input: { script: "takes a while" },
      });
      const [id] = (answer.body as { ids: string[] }).ids;
      const row = await ended(id!);
      assert.deepEqual([row.state, row.attempt], ["done", 1]);
    });

    for (const [what, result, kept] of [
      ["nothing", undefined, null],
      ["null", null, null],
      ["a value", { a: [1, "b", null] }, { a: [1, "b", null] }],
      [
        "what Kysely says of a statement",
        { insertId: 7n, most: 2n ** 64n },
        { insertId: 7, most: "18446744073709551616" },
      ],
      ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
      [
        "what has parts that JSON has not",
        { a: undefined, b: () => 1, c: Number.NaN },
        { c: null },
      ],
    ] as const) {
      test(`a result of ${what} is kept as JSON has it`, async () => {
        scripts.set("gives", () => result);
        const id = await start("gives");
        assert.equal((await ended(id)).state, "done");
        assert.deepEqual((await monitorOf(id)).result, kept);
      });
    }

    for (const [what, result, code] of [
      ["too large", () => "x".repeat(1_048_577), "result-too-large"],
      ["a function", () => () => 1, "result-not-json"],
      [
        "a circle",
        () => {
          const circle: Record<string, unknown> = {};
          circle.again = circle;
          return circle;
        },
        "result-not-json",
      ],
    ] as const) {
      test(`a result that is ${what} fails the job, and it is not tried again`, async () => {
        let ran = 0;
        scripts.set("gives", () => {
          ran++;
          return result();
        });
        const id = await start("gives");
        assert.equal((await ended(id)).state, "failed");
        assert.equal(ran, 1);
        assert.equal(((await monitorOf(id)).failure as { code: string }).code, code);
      });
    }

    test("progress is shown while it runs, and the last word of it also when it ends at once", async () => {
      const go = Promise.withResolvers<void>();
      scripts.set("tells", async ({ progress }) => {
        for (let percent = 0; percent <= 50; percent++) progress({ percent });
        await go.promise;
        progress({ percent: 100 });
      });
      const id = await start("tells");
      const shown = await eventually(
        10_000,
        "it shows",
        async () => (await monitorOf(id)).progress,
      );
      assert.deepEqual(shown, { percent: 50 }, "of many that come together the last one is shown");
      assert.equal((await monitorOf(id)).state, "running");
      go.resolve();
      await ended(id);
      const { state, progress } = await monitorOf(id);
      assert.deepEqual([state, progress], ["succeeded", { percent: 100 }]);
    });

    test("progress that is no JSON, or too large, is the job's fault", async () => {
      scripts.set("tells", ({ progress }) => progress((() => 1) as never));
      const id = await start("tells");
      assert.equal((await ended(id)).state, "failed");
      scripts.set("tells", ({ progress }) => progress("x".repeat(1_048_577)));
      const other = await start("tells");
      assert.equal((await ended(other)).state, "failed");
      assert.equal(
        ((await monitorOf(other)).failure as { code: string }).code,
        "progress-too-large",
      );
    });

    test("a transaction of a job is committed as a whole, with what it enqueues, or not at all", async () => {
      const ran = Promise.withResolvers<void>();
      const wrong = Promise.withResolvers<never>();
      wrong.promise.catch(() => {});
      scripts.set("follower", () => ran.resolve());
      scripts.set("wrong follower", () => wrong.reject(new Error("It ran.")));
      scripts.set("writes", async ({ transaction, attempt }) => {
        const { labour } = fixture.declarations;
        await transaction(async ({ tx, enqueue }) => {
          await tx
            .insertInto("effects")
            .values({ text: `attempt ${attempt}` })
            .execute();
          await enqueue(labour, { script: attempt === 1 ? "wrong follower" : "follower" });
          if (attempt === 1) throw new Error("rolled back");
        });
      });
      const id = await start("writes");
      assert.equal((await ended(id)).state, "done");
      await Promise.race([ran.promise, wrong.promise]);
      const texts = served.rows("effects").map(({ text }) => text);
      assert.ok(texts.includes("attempt 2") && !texts.includes("attempt 1"));
    });

    test("a transaction that waits for something else holds the lane for a bounded time, and is rolled back", async () => {
      const failures: unknown[] = [];
      scripts.set("holds", async ({ transaction }) => {
        await transaction(async ({ tx }) => {
          await tx.insertInto("effects").values({ text: "held" }).execute();
          await new Promise(() => {});
        }).catch((error) => failures.push(error));
      });
      const id = await start("holds");
      assert.equal((await ended(id)).state, "done");
      assert.match(String(failures[0]), /held the lane for more than 2000 ms and was rolled back/);
      assert.ok(!served.rows("effects").some(({ text }) => text === "held"));
    });
  }
});

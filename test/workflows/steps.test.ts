import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { JobFailure } from "posthaste";
import fixture, { journeys, scripts } from "../fixtures/labours.ts";
import { changeStore, look } from "../support/jobs.ts";
import { inBothModes, type Served } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

suite("The steps of a workflow", () => {
  const module = new URL("../fixtures/labours.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { jobGraceMs: 0, beatMs: 50 });

  function scenarios(served: Served) {
    afterEach(() => {
      journeys.clear();
      scripts.clear();
    });
    const rowOf = (id: string) =>
      look(served.store, "SELECT * FROM posthaste_jobs WHERE id = ?", id)[0]!;
    const stepsOf = (id: string) =>
      look(
        served.store,
        "SELECT s.* FROM posthaste_steps s JOIN posthaste_jobs j ON j.number = s.job WHERE j.id = ? ORDER BY done_at, name",
        id,
      );
    const start = async (script: string) =>
      ((await served.post("/travel", { script })).body as { id: string }).id;
    const ended = (id: string) =>
      eventually(20_000, `${id} has ended`, () => {
        const row = rowOf(id);
        return row.finished_at === null ? undefined : row;
      });
    const resultOf = async (id: string) => {
      const row = await ended(id);
      assert.equal(row.state, "done", String(row.error));
      return JSON.parse(String(row.result));
    };
    const failureOf = async (id: string) => {
      const row = await ended(id);
      assert.equal(row.state, "failed");
      return JSON.parse(String(row.failure)) as { code: string; detail: string };
    };
    const texts = () => served.rows("effects").map(({ text }) => text);

    test("that were done are not done again when a later one fails, and their results are the same", async () => {
      const did: string[] = [];
      const seen: unknown[] = [];
      const inserted: { numInsertedOrUpdatedRows: unknown }[][] = [];
      journeys.set("fails twice", async ({ step, attempt }) => {
        const one = await step.run("one", () => {
          did.push("one");
          return { at: Math.random() };
        });
        seen.push(one);
        const two = await step.transaction("two", ({ tx }) =>
          tx
            .insertInto("effects")
            .values({ text: `two of ${attempt}` })
            .execute(),
        );
        inserted.push(two as never);
        await step.run("three", () => {
          did.push("three");
          if (attempt < 3) throw new Error("not yet");
        });
        return one;
      });
      const id = await start("fails twice");
      const result = await resultOf(id);
      assert.deepEqual(did, ["one", "three", "three", "three"]);
      assert.equal(seen.length, 3);
      assert.deepEqual(seen, [result, result, result]);
      assert.deepEqual(texts(), ["two of 1"]);
      assert.deepEqual(inserted[0]?.[0]?.numInsertedOrUpdatedRows, 1, "as JSON has it");
      assert.deepEqual(inserted, [inserted[0], inserted[0], inserted[0]]);
      assert.equal(rowOf(id).attempt, 3);
      const names = stepsOf(id).map(({ name }) => name);
      assert.deepEqual(names.sort(), ["one", "three", "two"]);
    });

    test("have keys of their own, the same at every attempt", async () => {
      const keys: string[] = [];
      journeys.set("keys", async ({ step, attempt, key, id }) => {
        keys.push(key);
        assert.equal(key, id);
        await step.run("one", ({ key }) => {
          keys.push(key);
          if (attempt < 3) throw new Error("not yet");
        });
        await step.run("two", ({ key }) => keys.push(key));
      });
      const id = await start("keys");
      await resultOf(id);
      assert.deepEqual(keys, [id, `${id}:one`, id, `${id}:one`, id, `${id}:one`, `${id}:two`]);
    });

    for (const [what, given, kept] of [
      ["nothing", undefined, null],
      ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
      ["an object with what JSON has not", { a: undefined, b: 1 }, { b: 1 }],
    ] as const) {
      test(`that give ${what} give the same at the first attempt as at the next`, async () => {
        const seen: unknown[] = [];
        journeys.set("gives", async ({ step, attempt }) => {
          seen.push(await step.run("run", () => given));
          seen.push(await step.transaction("transaction", async () => given));
          if (attempt === 1) throw new Error("once more");
        });
        await resultOf(await start("gives"));
        assert.deepEqual(seen, [kept, kept, kept, kept]);
      });
    }

    test("that give what can't be kept fail the workflow, and a transaction is rolled back with it", async () => {
      journeys.set("run", ({ step }) => step.run("one", () => () => 1));
      assert.equal((await failureOf(await start("run"))).code, "result-not-json");
      journeys.set("transaction", ({ step }) =>
        step.transaction("one", async ({ tx }) => {
          await tx.insertInto("effects").values({ text: "kept?" }).execute();
          return "x".repeat(1_048_577);
        }),
      );
      assert.equal((await failureOf(await start("transaction"))).code, "result-too-large");
      assert.deepEqual(texts(), []);
    });

    test("of one name are a fault, whether one was remembered or not", async () => {
      journeys.set("twice", async ({ step, attempt }) => {
        await step.run("one", () => 1);
        if (attempt === 1) throw new Error("once more");
        await step.transaction("one", async () => 2);
      });
      assert.deepEqual(await failureOf(await start("twice")), {
        code: "step-twice",
        detail: 'The workflow has two steps named "one".',
      });
      journeys.set("at once", ({ step }) =>
        Promise.all([step.run("one", () => sleep(20)), step.run("one", () => 2)]),
      );
      assert.equal((await failureOf(await start("at once"))).code, "step-twice");
    });

    test("that failed can be tried again in the same attempt", async () => {
      let tries = 0;
      journeys.set("tries", async ({ step, attempt }) => {
        for (;;) {
          try {
            return await step.run("one", () => {
              if (++tries < 3) throw new Error("not yet");
              return { tries, attempt };
            });
          } catch {}
        }
      });
      assert.deepEqual(await resultOf(await start("tries")), { tries: 3, attempt: 1 });
    });

    test("whose failure is caught let the workflow go another way", async () => {
      journeys.set("another way", async ({ step }) => {
        try {
          await step.run("by air", () => {
            throw new JobFailure("fog", "There is fog.");
          });
        } catch (error) {
          return step.run("by sea", () => (error as JobFailure).code);
        }
      });
      assert.equal(await resultOf(await start("another way")), "fog");
    });

    test("in a transaction are done with their note, and what they enqueue, or not at all", async () => {
      const followed: number[] = [];
      scripts.set("follow", ({ input }) => followed.push(input.number!));
      const { labour } = fixture.declarations;
      journeys.set("books", async ({ step, attempt }) => {
        const count = await step.transaction("book", async ({ tx, enqueue }) => {
          await tx
            .insertInto("effects")
            .values({ text: `booked ${attempt}` })
            .execute();
          await enqueue(labour, { script: "follow", number: attempt });
          if (attempt < 3) throw new Error("rolled back");
          return texts().length;
        });
        await step.run("then", () => count);
        if (attempt < 4) throw new Error("once more");
        return count;
      });
      assert.equal(
        await resultOf(await start("books")),
        0,
        "nobody saw it before it was committed",
      );
      assert.deepEqual(texts(), ["booked 3"]);
      await eventually(10_000, "the job runs", () => followed.length > 0);
      assert.deepEqual(followed, [3]);
    });

    test("a sleep holds no place, is not counted as an attempt, and goes on where it was", async () => {
      const did: string[] = [];
      journeys.set("sleeps", async ({ step, attempt, input }) => {
        await step.run("before", () => did.push(`before ${input.number} of ${attempt}`));
        await step.sleep("night", "700 milliseconds");
        await step.run("after", () => did.push(`after ${input.number} of ${attempt}`));
      });
      // Two may run at a time: five that sleep are no hindrance.
      const at = performance.now();
      const answer = await served.post("/put", {
        kind: "journey",
        input: { script: "sleeps" },
        times: 5,
        after: "count",
      });
      const { ids } = answer.body as { ids: string[] };
      await eventually(10_000, "all sleep", () =>
        ids.every((id) => rowOf(id).state === "scheduled"),
      );
      assert.equal(did.length, 5);
      await Promise.all(ids.map(ended));
      assert.ok(performance.now() - at >= 690);
      const numbers = [0, 1, 2, 3, 4];
      assert.deepEqual(
        did.slice(0, 5).sort(),
        numbers.map((n) => `before ${n} of 1`),
      );
      assert.deepEqual(
        did.slice(5).sort(),
        numbers.map((n) => `after ${n} of 1`),
      );
    });

    test("a sleep can't be caught: what stands behind it in the code is not reached before its end", async () => {
      const did: string[] = [];
      let passages = 0;
      journeys.set("catches", async ({ step }) => {
        passages++;
        try {
          await step.sleep("nap", "200 milliseconds");
          did.push("slept");
        } catch {
          did.push("caught");
        } finally {
          did.push("finally");
        }
        return "done";
      });
      assert.equal(await resultOf(await start("catches")), "done");
      assert.deepEqual(did, ["slept", "finally"]);
      assert.equal(passages, 2);
    });

    test("a sleep of nothing is none, and one that is no duration is a fault", async () => {
      let passages = 0;
      journeys.set("blinks", async ({ step }) => {
        passages++;
        await step.sleep("nothing", "0 seconds");
        return passages;
      });
      assert.equal(await resultOf(await start("blinks")), 1);
      journeys.set("dreams", ({ step }) => step.sleep("dream", "a while" as never));
      const row = await ended(await start("dreams"));
      assert.equal(row.state, "failed");
      assert.match(String(row.error), /"a while" is not a duration such as "30 seconds"/);
    });

    test("several at once are each done once, and what was done of them is remembered when one fails", async () => {
      const did: string[] = [];
      journeys.set("at once", async ({ step, attempt }) => {
        const work = (name: string) =>
          step.run(name, async () => {
            did.push(`${name} of ${attempt}`);
            await sleep(10);
            if (name === "b" && attempt === 1) throw new Error("not yet");
            return name;
          });
        const all = await Promise.all([
          work("a"),
          work("b"),
          step.transaction("c", async ({ tx }) => {
            await tx
              .insertInto("effects")
              .values({ text: `c of ${attempt}` })
              .execute();
            return "c";
          }),
          work("d"),
        ]);
        return all.join("");
      });
      assert.equal(await resultOf(await start("at once")), "abcd");
      assert.deepEqual(texts(), ["c of 1"]);
      const again = did.filter((each) => each.endsWith("of 2"));
      assert.ok(again.includes("b of 2"));
      // One that was still at it when the attempt ended has no note, and is done again.
      assert.ok(again.every((each) => ["b of 2", "d of 2", "a of 2"].includes(each)));
    });

    test("beside a sleep are waited for, those that follow on them too, and none is done twice", async () => {
      const did: string[] = [];
      journeys.set("beside", async ({ step }) => {
        const work = (name: string) =>
          step.run(name, async () => {
            did.push(`${name} begins`);
            await sleep(60);
            did.push(`${name} ends`);
            return name;
          });
        await Promise.all([
          work("a").then(() => work("b")),
          step.sleep("nap", "500 milliseconds"),
          step.sleep("doze", "20 milliseconds"),
        ]);
        did.push("awake");
      });
      await resultOf(await start("beside"));
      assert.deepEqual(did, ["a begins", "a ends", "b begins", "b ends", "awake"]);
    });

    test("after another release has made another kind of step of a name, that is told", async () => {
      let release = 1;
      journeys.set("changes", async ({ step, attempt }) => {
        if (release === 1) await step.run("one", () => 1);
        else await step.sleep("one", "1 second");
        if (attempt === 1) {
          release = 2;
          throw new Error("once more");
        }
      });
      const row = await ended(await start("changes"));
      assert.equal(row.state, "failed");
      assert.equal(row.attempt, 2);
      assert.match(String(row.error), /The step "one" was a step of another kind when it was done/);
      journeys.set("changes back", async ({ step, attempt }) => {
        if (attempt === 1) await step.sleep("one", "10 milliseconds");
        if (attempt === 1) throw new Error("once more");
        await step.run("one", () => 1);
      });
      assert.match(String((await ended(await start("changes back"))).error), /of another kind/);
    });

    test("an attempt whose time is over does no step more, and the next goes on where it was", async () => {
      const late: string[] = [];
      const go = Promise.withResolvers<void>();
      const tried = Promise.withResolvers<void>();
      journeys.set("late", async ({ step, attempt, signal }) => {
        await step.run("one", () => late.push(`one of ${attempt}`));
        if (attempt === 1) {
          // As when its time is over: the job belongs to another attempt by now.
          await go.promise;
          await step.run("two", () => late.push("two of 1")).catch(() => late.push("refused"));
          tried.resolve();
          return "late";
        }
        assert.equal(signal.aborted, false);
        return step.run("two", () => "in time");
      });
      const id = await start("late");
      await eventually(10_000, "it is at it", () => stepsOf(id).length === 1);
      const [worker] = look(served.store, "SELECT worker FROM posthaste_jobs WHERE id = ?", id);
      // What somebody else does who has seen no sign of life for long enough.
      changeStore(
        served.store,
        "UPDATE posthaste_jobs SET state = 'ready', worker = NULL WHERE worker = ?",
        String(worker?.worker),
      );
      assert.equal(await resultOf(id), "in time");
      go.resolve();
      await tried.promise;
      assert.deepEqual(late, ["one of 1", "refused"]);
      assert.equal(JSON.parse(String(rowOf(id).result)), "in time");
    });
  }
});

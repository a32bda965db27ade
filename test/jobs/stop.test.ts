import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceOptions } from "../../src/pipeline/service.ts";
import fixture, { scripts } from "../fixtures/labours.ts";
import { temporaryFolder } from "../support/folder.ts";
import { jobsIn, workshop } from "../support/jobs.ts";
import { serve } from "../support/scenario.ts";
import { eventually, within } from "../support/time.ts";

const module = new URL("../fixtures/labours.ts", import.meta.url);

for (const [place, writer] of [
  ["with the writer in a thread", { module }],
  ["with the lane on the main thread", {}],
] as const) {
  suite(`A server that stops, ${place}`, () => {
    afterEach(() => scripts.clear());

    const open = async (t: TestContext, options: Partial<ServiceOptions> = {}) => {
      const store = join(temporaryFolder(t), "store.db");
      const served = await serve(t, fixture, { store, beatMs: 50, ...writer, ...options });
      const start = (script: string, kind = "labour", times = 1) =>
        served.post("/put", { kind, input: { script }, times });
      return { store, served, start };
    };

    test("lets what runs end, within the grace, and takes nothing new", async (t) => {
      const { served, start } = await open(t, { jobGraceMs: 20_000 });
      const go = Promise.withResolvers<void>();
      let ran = 0;
      scripts.set("slow", async () => {
        ran++;
        await go.promise;
        return "ended";
      });
      await start("slow", "single", 2);
      await eventually(10_000, "it runs", () => ran === 1);
      const stopping = served.close();
      await sleep(50);
      go.resolve();
      await within(15_000, "it has stopped", stopping);
      assert.equal(ran, 1, "the second one was not begun");
    });

    test("tells what has ended within the grace at once, and not when all have", async (t) => {
      const { store, served, start } = await open(t, { jobGraceMs: 20_000 });
      const quick = Promise.withResolvers<void>();
      const slow = Promise.withResolvers<void>();
      let ran = 0;
      scripts.set("quick", () => {
        ran++;
        return quick.promise;
      });
      scripts.set("slow", () => {
        ran++;
        return slow.promise;
      });
      await start("quick");
      await start("slow");
      const states = () => jobsIn(store, "labour").map(({ state }) => state);
      await eventually(10_000, "both run", () => ran === 2);
      const stopping = served.close();
      quick.resolve();
      await eventually(10_000, "one is done", () => states()[0] === "done");
      assert.equal(states()[1], "running");
      slow.resolve();
      await stopping;
    });

    test("aborts what is left after the grace, and puts it back without counting the attempt", async (t) => {
      const store = join(temporaryFolder(t), "store.db");
      const { service, close } = await workshop(t, fixture, { store, jobGraceMs: 100, ...writer });
      const reasons: unknown[] = [];
      let deaf = 0;
      scripts.set("listens", async ({ signal }) => {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason);
            reject(signal.reason);
          });
        });
      });
      scripts.set("deaf", () => {
        deaf++;
        return new Promise(() => {});
      });
      const enqueue = (script: string) =>
        service.store.lane.submit({
          operation: service.serving.api.operations.findIndex(({ id }) => id === "put"),
          requestId: "",
          principal: null,
          parentIds: [],
          input: {
            kind: "action",
            values: { kind: "labour", input: { script }, times: 1, after: "" },
            params: {},
          },
          preferences: {},
          now: Date.now(),
        }) as Promise<{ wake: never }>;
      for (const script of ["listens", "deaf"]) service.work.wake((await enqueue(script)).wake);
      const rows = () => jobsIn(store, "labour");
      await eventually(
        10_000,
        "both run",
        () => rows().length === 2 && rows().every(({ state }) => state === "running"),
      );
      const at = performance.now();
      await close();
      assert.ok(performance.now() - at >= 95 && performance.now() - at < 10_000);
      assert.match(String(reasons[0]), /The server is stopping/);
      for (const { state, attempt, worker } of rows()) {
        assert.ok(state === "scheduled" || state === "ready", String(state));
        assert.equal(attempt, 0);
        assert.equal(worker, null);
      }
      scripts.set("listens", ({ attempt }) => ({ attempt }));
      scripts.set("deaf", ({ attempt }) => ({ attempt }));
      const next = await workshop(t, fixture, { store, ...writer });
      const done = await next.finished("labour");
      assert.deepEqual(
        done.map(({ state, result }) => [state, result]),
        [
          ["done", '{"attempt":1}'],
          ["done", '{"attempt":1}'],
        ],
      );
      assert.equal(deaf, 1);
    });

    test("keeps its jobs while it waits for them, however long the grace is", async (t) => {
      const store = join(temporaryFolder(t), "store.db");
      const { served, start } = await (async () => {
        const served = await serve(t, fixture, {
          store,
          beatMs: 40,
          jobGraceMs: 60_000,
          ...writer,
        });
        return {
          served,
          start: () => served.post("/put", { kind: "labour", input: { script: "long" } }),
        };
      })();
      const go = Promise.withResolvers<void>();
      let ran = 0;
      scripts.set("long", () => {
        ran++;
        return go.promise;
      });
      await start();
      await eventually(10_000, "it runs", () => ran === 1);
      const other = await workshop(t, fixture, { store, beatMs: 40 });
      const stopping = served.close();
      const others = () =>
        other.sql("SELECT beat FROM posthaste_workers").map(({ beat }) => Number(beat));
      const before = Math.max(...others());
      await eventually(
        20_000,
        "many beats have passed",
        () => Math.min(...others()) >= before + 12,
      );
      assert.equal(ran, 1, "nobody else has taken it");
      go.resolve();
      await stopping;
      assert.equal((await other.finished("labour"))[0]?.state, "done");
      assert.equal(ran, 1);
    });

    test("answers whoever waits for a job that it is accepted, and does not wait for it", async (t) => {
      const { served } = await open(t, { jobGraceMs: 0 });
      let ran = 0;
      scripts.set("long", () => {
        ran++;
        return new Promise(() => {});
      });
      const waiting = served.post("/begin", { script: "long" }, { prefer: "wait=40" });
      await eventually(10_000, "it runs", () => ran === 1);
      const at = performance.now();
      const stopping = served.close();
      const answer = await waiting;
      assert.equal(answer.status, 202);
      assert.match(answer.header("location") ?? "", /^\/api\/jobs\//);
      await stopping;
      assert.ok(performance.now() - at < 5_000, "nobody waited for the time to be over");
      assert.deepEqual(
        served.observed.filter(({ event }) => event === "request.failed"),
        [],
      );
    });

    test("leaves no sign of itself among the workers", async (t) => {
      const store = join(temporaryFolder(t), "store.db");
      const { close, sql } = await workshop(t, fixture, { store, ...writer });
      await eventually(
        10_000,
        "it is there",
        () => sql("SELECT * FROM posthaste_workers").length === 1,
      );
      await close();
      assert.deepEqual(sql("SELECT * FROM posthaste_workers"), []);
    });
  });
}

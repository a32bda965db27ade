import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, suite, test } from "node:test";
import { JobFailure } from "posthaste";
import fixture, { scripts } from "../fixtures/labours.ts";
import { changeStore, look, workshop } from "../support/jobs.ts";
import { by } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { type Answer, inBothModes, type Served } from "../support/scenario.ts";
import { eventually, within } from "../support/time.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Monitor {
  readonly id: string;
  readonly state: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}
const monitorIn = ({ body }: Answer) => body as Monitor;

suite("The status monitor of a job", () => {
  const module = new URL("../fixtures/labours.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { jobGraceMs: 0 });

  function scenarios(served: Served) {
    afterEach(() => scripts.clear());
    const start = async (script: string, path = "/begin", headers = {}) =>
      (await served.post(path, { script }, headers)).header("location")!;
    const until = (location: string, state: string, headers = {}) =>
      eventually(15_000, `${location} is ${state}`, async () => {
        const answer = await served.get(location, headers);
        return monitorIn(answer).state === state ? answer : undefined;
      });

    test("tells that it waits, that it runs, and what came of it", async () => {
      const first = Promise.withResolvers<void>();
      const second = Promise.withResolvers<void>();
      scripts.set("blocks", () => first.promise);
      scripts.set("works", async ({ progress }) => {
        progress({ percent: 30 });
        await second.promise;
        return { sum: 7 };
      });
      await start("blocks", "/begin-single");
      const location = await start("works", "/begin-single");
      const waiting = await served.get(location);
      assert.equal(waiting.status, 200);
      assert.equal(waiting.header("content-type"), "application/json");
      assert.equal(waiting.header("retry-after"), "1");
      assert.equal(waiting.header("cache-control"), "no-cache");
      const { id, createdAt, ...rest } = waiting.body as Record<string, unknown>;
      assert.deepEqual(rest, { state: "waiting", links: { self: location } });
      assert.ok(location.endsWith(`/${id}`));
      assert.match(String(createdAt), TIME);

      first.resolve();
      const running = await until(location, "running");
      assert.equal(running.header("retry-after"), "1");
      assert.match(String(monitorIn(running).startedAt), TIME);
      assert.equal(monitorIn(running).finishedAt, undefined);

      second.resolve();
      const done = await until(location, "succeeded");
      assert.equal(done.status, 200);
      assert.equal(done.header("retry-after"), null);
      const { startedAt, finishedAt, ...result } = done.body as Record<string, unknown>;
      assert.deepEqual(result, {
        id,
        state: "succeeded",
        progress: { percent: 30 },
        createdAt,
        result: { sum: 7 },
        links: { self: location },
      });
      const times = [createdAt, startedAt, finishedAt].map((time) => Date.parse(String(time)));
      assert.deepEqual(times, [...times].sort());
    });

    test("tells why it failed, as far as that was meant for the client", async () => {
      scripts.set("refuses", () => {
        throw new JobFailure("no-such-city", "There is no such city.");
      });
      const refused = await until(await start("refuses"), "failed");
      const { failure, result } = refused.body as Record<string, unknown>;
      assert.deepEqual(failure, { code: "no-such-city", detail: "There is no such city." });
      assert.equal(result, undefined);
      assert.equal(refused.header("retry-after"), null);
      scripts.set("breaks", () => {
        throw new Error("internals of the job");
      });
      const broken = await until(await start("breaks"), "failed");
      assert.doesNotMatch(broken.text, /internals|Error|attempts?":/);
    });

    test("while it waits for another attempt says nothing of the last one", async () => {
      scripts.set("fails", () => {
        throw Object.assign(new Error("internals"), { retryAfterMs: 60_000 });
      });
      const location = await start("fails");
      await eventually(
        10_000,
        "it failed once",
        async () =>
          look(
            served.store,
            "SELECT 1 FROM posthaste_jobs WHERE id = ? AND attempt = 1 AND state = 'scheduled'",
            location.slice(-36),
          ).length,
      );
      const answer = await served.get(location);
      assert.equal(monitorIn(answer).state, "waiting");
      assert.equal(answer.header("retry-after"), "1");
      assert.doesNotMatch(answer.text, /internals|failure/);
    });

    test("belongs to whoever started it", async () => {
      const location = await start("nothing", "/begin", by("ann"));
      const mine = await until(location, "succeeded", by("ann"));
      assert.equal(mine.header("cache-control"), "private, no-cache");
      assert.equal(mine.header("vary"), "Authorization");
      for (const headers of [by("bob"), {}])
        assertProblem(await served.get(location, headers), 404, "not-found");
    });

    test("of a job that nobody's credentials started is told to whoever has its id, and to nobody else's credentials", async () => {
      const location = await start("nothing");
      assert.equal((await served.get(location)).status, 200);
      assertProblem(await served.get(location, by("ann")), 404, "not-found");
    });

    test("jobs that hooks and actions only enqueued have none", async () => {
      const made = await served.post("/put", { kind: "labour", input: { script: "x" } });
      const [id] = (made.body as { ids: string[] }).ids;
      assertProblem(await served.get(`/jobs/${id}`), 404, "not-found");
      await served.make("/orders", { script: "hooked" }, by("ann"));
      const [row] = look(
        served.store,
        "SELECT id FROM posthaste_jobs WHERE owner = 'ann' AND operation IS NULL ORDER BY number DESC",
      );
      assertProblem(await served.get(`/jobs/${row?.id}`, by("ann")), 404, "not-found");
    });

    test("an id is read without regard to case; what is no id, or of no job, is a 404", async () => {
      const location = await start("nothing");
      const id = location.slice(-36);
      const answer = await served.get(`/jobs/${id.toUpperCase()}`);
      assert.equal(answer.status, 200);
      assert.equal(monitorIn(answer).id, id);
      for (const wrong of [
        randomUUID(),
        "1",
        "x".repeat(1_000),
        "%00",
        "%27%20OR%201=1",
        "..%2f",
        `${id}%20`,
        `${id}/result`,
        "",
      ])
        assertProblem(await served.get(`/jobs/${wrong}`), 404, "not-found");
    });

    test("HEAD is as GET without the body; other methods are a 405", async () => {
      const location = await start("nothing");
      const get = await until(location, "succeeded");
      const head = await served.head(location);
      assert.equal(head.status, 200);
      assert.equal(head.text, "");
      const lasting = ({ headers }: Answer) =>
        Object.fromEntries(
          Object.entries(headers).filter(
            ([name]) => !/^(date|request-id|connection|keep-alive)$/.test(name),
          ),
        );
      assert.deepEqual(lasting(head), lasting(get));
      for (const method of ["POST", "PUT", "PATCH"]) {
        const refused = await served.request(method, location);
        assert.equal(refused.status, 405);
        assert.equal(refused.header("allow"), "GET, DELETE, HEAD, OPTIONS");
      }
      const options = await served.request("OPTIONS", location);
      assert.equal(options.status, 204);
    });

    test("sends every change as it happens to a client that asks for events, and ends with the job", async () => {
      const first = Promise.withResolvers<void>();
      const second = Promise.withResolvers<void>();
      scripts.set("blocks", () => first.promise);
      scripts.set("works", async ({ progress }) => {
        progress({ percent: 30 });
        await second.promise;
        return "done";
      });
      await start("blocks", "/begin-single");
      const location = await start("works", "/begin-single");
      const response = await fetch(`${served.origin}${location}`, {
        headers: { accept: "text/event-stream" },
      });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      let text = "";
      const read = (async () => {
        for await (const chunk of response.body!.pipeThrough(new TextDecoderStream()))
          text += chunk;
      })();
      const says = (what: string) => eventually(10_000, what, () => text.includes(what));
      await says('"state":"waiting"');
      first.resolve();
      await says('"progress":{"percent":30}');
      second.resolve();
      await within(10_000, "it ends", read);
      const events = text.split("\n\n").filter((event) => event.startsWith("event: job\ndata: "));
      const states = events.map((event) => JSON.parse(event.slice(event.indexOf("{"))).state);
      assert.deepEqual([states[0], states.at(-1)], ["waiting", "succeeded"]);
      assert.equal(new Set(events).size, events.length, "each change is told once");
      assert.deepEqual(
        JSON.parse(events.at(-1)!.slice(events.at(-1)!.indexOf("{"))).result,
        "done",
      );
      // Of others' jobs there are no events either.
      const other = await start("nothing", "/begin", by("ann"));
      const refused = await served.get(other, { accept: "text/event-stream" });
      assert.equal(refused.status, 404);
    });

    test("of a job that has made something leads there, once it has", async () => {
      scripts.set("makes", () => ({ path: "/orders/7" }));
      const location = await start("makes", "/begin-making");
      const answer = await eventually(10_000, "it leads there", async () => {
        const each = await served.get(location);
        return each.status === 303 ? each : undefined;
      });
      assert.equal(answer.header("location"), "/api/orders/7");
      scripts.set("makes", () => {
        throw new JobFailure("no", "No.");
      });
      const failed = await until(await start("makes", "/begin-making"), "failed");
      assert.equal(failed.status, 200);
    });

    test("is gone when the time is over for which it is kept", async (t) => {
      const location = await start("nothing");
      await until(location, "succeeded");
      const id = location.slice(-36);
      changeStore(
        served.store,
        "UPDATE posthaste_jobs SET expires_at = ? WHERE id = ?",
        Date.now() - 1,
        id,
      );
      const other = await workshop(t, fixture, { store: served.store });
      await other.service.store.lane.submit({ sweep: 500, now: Date.now() });
      assertProblem(await served.get(location), 404, "not-found");
      assert.deepEqual(look(served.store, "SELECT * FROM posthaste_jobs WHERE id = ?", id), []);
    });

    test("a sweep takes what is over and nothing else, so much of it at a time, with its steps", async (t) => {
      const now = Date.now();
      const { service, sql, store } = await workshop(t, fixture);
      const insert = (number: number, state: string, expiresAt: number | null) =>
        changeStore(
          store,
          `INSERT INTO posthaste_jobs (number, id, kind, input, state, priority, run_at, created_at, expires_at)
           VALUES (?, ?, 'labour', '{}', ?, 0, ?, 0, ?)`,
          number,
          `job ${number}`,
          state,
          now + 3_600_000,
          expiresAt,
        );
      for (let number = 1; number <= 10; number++) insert(number, "done", now - number);
      insert(11, "failed", now + 60_000);
      insert(12, "scheduled", null);
      changeStore(store, "INSERT INTO posthaste_steps VALUES (3, 'one', '1', NULL, 0)");
      changeStore(store, "INSERT INTO posthaste_steps VALUES (12, 'one', '1', NULL, 0)");
      assert.equal(await service.store.lane.submit({ sweep: 4, now }), 4);
      assert.equal(sql("SELECT * FROM posthaste_jobs").length, 8);
      assert.equal(await service.store.lane.submit({ sweep: 500, now }), 6);
      const left = sql("SELECT number FROM posthaste_jobs ORDER BY number");
      assert.deepEqual(
        left.map(({ number }) => number),
        [11, 12],
      );
      assert.deepEqual(
        sql("SELECT job FROM posthaste_steps").map(({ job }) => job),
        [12],
      );
    });
  }
});

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { action, anyone, api, job } from "posthaste";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { changeStore, jobsIn, workshop } from "../support/jobs.ts";
import { eventually } from "../support/time.ts";

/** What this release runs, and what it ran. */
function release() {
  const ran: unknown[] = [];
  const parcel = job("parcel", {
    input: z.object({ weight: z.number(), express: z.boolean().default(false) }),
    run: ({ input }) => {
      ran.push(input);
    },
  });
  const send = action("send", { access: anyone, starts: parcel, run: () => ({ weight: 1 }) });
  return { ran, api: api({ parcel, send }) };
}

/** A store in which another release has left jobs. */
async function storeWith(
  t: TestContext,
  ...jobs: readonly {
    kind: string;
    input: unknown;
    state?: string;
    worker?: string;
    attempt?: number;
  }[]
): Promise<string> {
  const store = join(temporaryFolder(t), "store.db");
  await (await workshop(t, release().api, { store })).close();
  for (const { kind, input, state = "ready", worker = null, attempt = 0 } of jobs) {
    changeStore(
      store,
      `INSERT INTO posthaste_jobs (id, kind, input, state, priority, run_at, worker, attempt, created_at)
       VALUES (?, ?, ?, ?, 0, 0, ?, ?, 0)`,
      randomUUID(),
      kind,
      JSON.stringify(input),
      state,
      worker,
      attempt,
    );
  }
  return store;
}

suite("Jobs that another release has left in the store", () => {
  test("run when their input still fits, with what is new filled in", async (t) => {
    const store = await storeWith(t, { kind: "parcel", input: { weight: 3 } });
    const { ran, api } = release();
    const { finished } = await workshop(t, api, { store });
    assert.equal((await finished("parcel"))[0]?.state, "done");
    assert.deepEqual(ran, [{ weight: 3, express: false }]);
  });

  test("are dead letters when their input does not fit any more: kept, and told clearly", async (t) => {
    const store = await storeWith(t, { kind: "parcel", input: { grams: 3_000 } });
    const { ran, api } = release();
    const { finished, told } = await workshop(t, api, { store });
    const [row] = await finished("parcel");
    assert.equal(row?.state, "failed");
    assert.equal(row?.attempt, 1, "no other attempt would read it");
    assert.match(
      String(row?.error),
      /input of the job "parcel" does not fit its schema\. weight: /,
    );
    assert.match(String(told("job.failed")[0]?.error), /does not fit its schema/);
    assert.equal(row?.input, '{"grams":3000}');
    assert.deepEqual(ran, []);
  });

  test("are left alone when their kind exists no more, and run when it is back", async (t) => {
    const store = await storeWith(
      t,
      { kind: "letter", input: { a: 1 } },
      { kind: "letter", input: { a: 2 }, state: "running", worker: randomUUID(), attempt: 1 },
      { kind: "parcel", input: { weight: 1 } },
    );
    const now = release();
    const { finished, close, sql } = await workshop(t, now.api, { store });
    await finished("parcel");
    // The worker that had one of them is gone for good: it is given back, to nobody yet.
    await eventually(10_000, "it is given back", () =>
      jobsIn(store, "letter").every(({ state }) => state === "ready"),
    );
    await close();
    assert.equal(sql("SELECT * FROM posthaste_jobs WHERE kind = 'letter'").length, 2);
    const ran: unknown[] = [];
    const letter = job("letter", {
      input: z.object({ a: z.int() }),
      run: ({ input, attempt }) => {
        ran.push([input.a, attempt]);
      },
    });
    const back = await workshop(t, api({ letter }), { store });
    await back.finished("letter");
    assert.deepEqual(ran.sort(), [
      [1, 1],
      [2, 2],
    ]);
  });

  test("are left alone by an API without any job", async (t) => {
    const store = await storeWith(t, { kind: "parcel", input: { weight: 1 } });
    const ping = action("ping", { access: anyone, run: () => {} });
    const { service, close } = await workshop(t, api({ ping }), { store });
    assert.deepEqual(service.store.health(), { ok: true });
    await close();
    assert.equal(jobsIn(store, "parcel")[0]?.state, "ready");
  });

  test("whose attempts were all broken off are dead letters, and do not take the process along again", async (t) => {
    const store = await storeWith(t, {
      kind: "parcel",
      input: { weight: 1 },
      state: "running",
      worker: randomUUID(),
      attempt: 10,
    });
    const { ran, api } = release();
    const { finished } = await workshop(t, api, { store });
    const [row] = await finished("parcel");
    assert.equal(row?.state, "failed");
    assert.match(String(row?.error), /broken off/);
    assert.match(String(row?.failure), /Gave up after 10 attempts/);
    assert.deepEqual(ran, []);
  });

  test("of a worker that still lives are left to it", async (t) => {
    const worker = randomUUID();
    const store = await storeWith(t, {
      kind: "parcel",
      input: { weight: 1 },
      state: "running",
      worker,
      attempt: 1,
    });
    const { ran, api } = release();
    changeStore(store, "INSERT INTO posthaste_workers VALUES (?, 1)", worker);
    const beating = setInterval(
      () =>
        changeStore(
          store,
          "UPDATE posthaste_workers SET beat = beat + 1 WHERE instance = ?",
          worker,
        ),
      20,
    );
    t.after(() => clearInterval(beating));
    const { sql } = await workshop(t, api, { store, beatMs: 100 });
    const beats = () =>
      Number(sql("SELECT max(beat) AS n FROM posthaste_workers WHERE instance <> ?", worker)[0]?.n);
    await eventually(20_000, "ours has looked ten times", () => beats() >= 10);
    assert.equal(jobsIn(store, "parcel")[0]?.state, "running");
    assert.equal(jobsIn(store, "parcel")[0]?.worker, worker);
    clearInterval(beating);
    await eventually(
      20_000,
      "it is taken over",
      () => jobsIn(store, "parcel")[0]?.state === "done",
    );
    assert.equal(ran.length, 1);
    assert.deepEqual(sql("SELECT * FROM posthaste_workers WHERE instance = ?", worker), []);
  });
});

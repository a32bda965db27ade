import assert from "node:assert/strict";
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { Observation } from "../../src/kernel/observations.ts";
import { openStore, type StoreOptions } from "../../src/store/open.ts";
import { StoreError } from "../../src/store/port.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually, within } from "../support/time.ts";
import { assertRefused, databaseIn, openTestStore } from "./contract.ts";
import { threadWriter } from "./drivers.ts";

/** Not really endless: a thread inside SQLite can't be ended, and a test's is to end at last. */
const countTo = (rows: number) =>
  sql`WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${sql.lit(rows)}) SELECT max(n) FROM counted`;

/** A store with its writer in a thread, and everything that was observed of it. */
async function open(t: TestContext, options: Partial<StoreOptions> & { obstacle?: string } = {}) {
  const observed: Observation[] = [];
  const opened = await openTestStore(
    t,
    {
      address: databaseIn,
      writer: (address) =>
        threadWriter({
          address,
          ...(options.obstacle === undefined ? {} : { obstacle: options.obstacle }),
        }),
    },
    { observe: (observation) => observed.push(observation), ...options },
  );
  const events = () => observed.map(({ event }) => event);
  return {
    ...opened,
    observed,
    events,
    restarted: () =>
      eventually(3_000, "the writer is restarted", () => events().includes("writer.restarted")),
  };
}

suite("a writer thread that dies", () => {
  test("because of a unit has that one told, and the others done by its successor", async (t) => {
    const { submit, names, observed, restarted } = await open(t);
    await submit({ do: "insert", name: "before" });
    const units = [
      submit({ do: "insert", name: "a" }),
      submit({ do: "exit" }),
      submit({ do: "insert", name: "c" }),
    ];
    await within(3_000, "it is told", assertRefused(units[1]!, "broke-the-writer"));
    assert.deepEqual(await names(), ["before"]);
    await within(3_000, "the others are done", Promise.all([units[0], units[2]]));
    const died = observed.find((observation) => observation.event === "writer.died");
    assert.equal(died?.unitsLost, 1);
    assert.equal(died.unitsHandedOn, 2);
    assert.match(String(died.error), /code 3/);
    await restarted();
    assert.equal(await submit({ do: "insert", name: "d" }), "inserted d");
    assert.deepEqual(await names(), ["before", "a", "c", "d"]);
  });

  test("is replaced again and again", async (t) => {
    const { submit, names, events, store } = await open(t);
    for (let life = 1; life <= 3; life++) {
      const exit = submit({ do: "exit" });
      await assertRefused(within(3_000, "it is told", exit), "broke-the-writer");
      await eventually(
        3_000,
        "it is back",
        () => events().filter((event) => event === "writer.restarted").length === life,
      );
      await submit({ do: "insert", name: `${life}` });
    }
    assert.deepEqual(await names(), ["1", "2", "3"]);
    assert.deepEqual(store.health(), { ok: true });
  });

  test("from an exception that nobody caught, while nobody waits, is told and replaced", async (t) => {
    const { submit, observed, restarted } = await open(t);
    await submit({ do: "throw-later", milliseconds: 20 });
    await restarted();
    const died = observed.find((observation) => observation.event === "writer.died");
    assert.equal(died?.unitsLost, 0);
    assert.match(String(died.error), /thrown while nobody looked/);
    assert.equal(await submit({ do: "insert", name: "a" }), "inserted a");
  });

  test("from an exception that nobody caught, while others wait, costs nobody anything", async (t) => {
    const { submit, names, observed, restarted } = await open(t, { maxBatch: 2 });
    await submit({ do: "throw-later", milliseconds: 0 });
    const all = Array.from({ length: 40 }, (_, index) => `${index}`);
    await within(
      5_000,
      "all are done",
      Promise.all(
        all.map(async (name, index) => {
          await sleep(index / 4);
          // While there is no writer, nothing is taken; that is told, and may be tried again.
          await eventually(3_000, "it is taken", () =>
            submit({ do: "insert", name }).then(
              () => true,
              () => false,
            ),
          );
        }),
      ),
    );
    assert.ok(
      observed.some(({ event }) => event === "writer.died"),
      "the writer died too late for this test",
    );
    assert.deepEqual((await names()).sort(), all.sort());
    await restarted();
  });

  test("in an endless loop is ended and replaced, and the others are done", async (t) => {
    const { submit, names, observed, restarted } = await open(t, { writerTimeoutMs: 200 });
    const others = submit({ do: "insert", name: "a" });
    const loop = submit({ do: "loop" });
    await within(3_000, "it is told", assertRefused(loop, "broke-the-writer"));
    await within(3_000, "the other is done", others);
    const died = observed.find((observation) => observation.event === "writer.died");
    assert.match(String(died?.error), /200 ms/);
    await restarted();
    await submit({ do: "insert", name: "b" });
    assert.deepEqual(await names(), ["a", "b"]);
  });

  test("has what it committed and could not tell told by its successor, where that is safe", async (t) => {
    const { store, names } = await open(t);
    const unit = { do: "answer-with-a-function-once", name: "a" };
    const outcome = await within(
      3_000,
      "it is told",
      store.lane.submit(unit, { repeatable: true }),
    );
    assert.equal(outcome, "told again");
    assert.deepEqual(await names(), ["a"]);
  });

  test("again and again with the same unit has that one told in the end", async (t) => {
    const { submit, names } = await open(t);
    const dying = Array.from({ length: 4 }, () => submit({ do: "exit" }).catch(() => {}));
    const bystander = submit({ do: "insert", name: "a" });
    await within(8_000, "it is told", assertRefused(bystander, "writer-lost"));
    await Promise.all(dying);
    assert.deepEqual(await names(), []);
  });

  test("is not taken for hung while it works its way through a long queue", async (t) => {
    const { submit, events } = await open(t, { writerTimeoutMs: 300, maxBatch: 1 });
    await Promise.all(
      Array.from({ length: 12 }, () => submit({ do: "compute", milliseconds: 60 })),
    );
    assert.deepEqual(events(), []);
  });

  test("in an endless statement is told to everyone in time", async (t) => {
    const { submit, store } = await open(t, { writerTimeoutMs: 200 });
    const hung = submit({ do: "endless-statement", rows: 25_000_000 });
    await assertRefused(within(1_500, "it is told", hung), "broke-the-writer");
    await within(
      1_000,
      "others are told",
      assertRefused(submit({ do: "insert", name: "a" }), "writer-lost"),
    );
    assert.equal(store.health().ok, false);
    await eventually(10_000, "the store is well again", () => store.health().ok);
  });

  test("in an endless statement of an interactive transaction keeps nobody waiting", async (t) => {
    const { store } = await open(t, { writerTimeoutMs: 200, maxHoldMs: 100 });
    const hung = store.lane.transact((tx) => countTo(25_000_000).execute(tx));
    const next = store.lane.transact((tx) => countTo(1).execute(tx));
    await Promise.all([
      assertRefused(within(1_500, "it is told", hung), "held-too-long"),
      assertRefused(within(1_500, "the next is told", next), "writer-lost"),
    ]);
    await eventually(10_000, "the store is well again", () => store.health().ok);
  });

  test("behind its commit and before its answer has its units told as durable", async (t) => {
    const { submit, names, restarted } = await open(t);
    const units = [
      submit({ do: "insert", name: "a" }),
      submit({ do: "answer-with-a-function", name: "b" }),
    ];
    await within(
      3_000,
      "everyone is told",
      Promise.all(units.map((unit) => assertRefused(unit, "outcome-lost"))),
    );
    assert.deepEqual(await names(), ["a", "b"]);
    await restarted();
    await submit({ do: "insert", name: "c" });
    assert.deepEqual(await names(), ["a", "b", "c"]);
  });

  test("tells lost units from durable ones, also after an earlier death", async (t) => {
    const { submit, names, restarted, observed } = await open(t);
    await submit({ do: "insert", name: "a" });
    for (const [death, kind] of [
      [{ do: "exit" }, "broke-the-writer"],
      [{ do: "answer-with-a-function", name: "b" }, "outcome-lost"],
      [{ do: "exit" }, "broke-the-writer"],
    ] as const) {
      observed.length = 0;
      await assertRefused(within(3_000, "it is told", submit(death)), kind);
      await restarted();
    }
    await submit({ do: "insert", name: "c" });
    assert.deepEqual(await names(), ["a", "b", "c"]);
  });

  test("is not told as durable because of what another process wrote to the same file", async (t) => {
    const { submit, names, address } = await open(t);
    const writer = threadWriter({ address });
    const other = await openStore(address, { writer, observe: () => {} }).catch((error) => {
      assert.equal(error.kind, "unusable", "or the second one is refused");
    });
    if (other === undefined) return;
    t.after(() => other.close());
    for (const name of ["a", "b", "c"]) await other.lane.submit({ do: "insert", name });
    const exit = submit({ do: "exit" });
    await assertRefused(within(3_000, "it is told", exit), "broke-the-writer");
    assert.deepEqual(await names(), ["a", "b", "c"]);
  });

  test("takes an interactive transaction with it, and nothing of that is told as committed", async (t) => {
    const { submit, names, store, restarted } = await open(t);
    await submit({ do: "exit-later", milliseconds: 60 });
    const held = store.lane.transact(async (tx) => {
      await tx.insertInto("things").values({ name: "a" }).execute();
      await restarted();
      await sleep(50);
    });
    await assertRefused(within(4_000, "it is told", held), "writer-lost");
    assert.deepEqual(await names(), []);
    await submit({ do: "insert", name: "b" });
  });

  test("behind the commit of an interactive transaction does not have that told as lost", async (t) => {
    const { submit, names, store, restarted } = await open(t);
    // Its answers are to begin, to the insert, and to the end.
    await submit({ do: "die-unanswered", answer: 3 });
    const held = store.lane.transact((tx) =>
      tx.insertInto("things").values({ name: "a" }).execute(),
    );
    await assertRefused(within(3_000, "it is told", held), "outcome-lost");
    assert.deepEqual(await names(), ["a"]);
    await restarted();
  });

  test("before the commit of an interactive transaction has that told as lost", async (t) => {
    const { submit, names, store, restarted } = await open(t);
    await submit({ do: "die-unanswered", answer: 2 });
    const held = store.lane.transact((tx) =>
      tx.insertInto("things").values({ name: "a" }).execute(),
    );
    await assertRefused(within(3_000, "it is told", held), "writer-lost");
    assert.deepEqual(await names(), []);
    await restarted();
  });

  test("leaves no later statement of an interactive transaction behind", async (t) => {
    const { submit, names, store, restarted } = await open(t);
    await submit({ do: "exit-later", milliseconds: 60 });
    const held = store.lane.transact(async (tx) => {
      await tx.insertInto("things").values({ name: "a" }).execute();
      await restarted();
      await sleep(50);
      // The new writer knows nothing of this transaction: alone, this would be one of its own.
      await tx.insertInto("things").values({ name: "b" }).execute();
      throw new Error("and rolled back");
    });
    await assert.rejects(within(4_000, "it is told", held));
    assert.deepEqual(await names(), []);
  });

  test("during an interactive transaction frees the lane for the next", async (t) => {
    const { submit, names, store } = await open(t);
    await submit({ do: "exit-later", milliseconds: 30 });
    const first = store.lane.transact(async (tx) => {
      await sleep(80);
      await tx.insertInto("things").values({ name: "a" }).execute();
    });
    await assert.rejects(within(3_000, "it is told", first), StoreError);
    await eventually(3_000, "the next goes through", () =>
      store.lane
        .transact((tx) => tx.insertInto("things").values({ name: "b" }).execute())
        .then(
          () => true,
          () => false,
        ),
    );
    assert.deepEqual(await names(), ["b"]);
  });
});

suite("the checkpointer", () => {
  test("copies pages into the file while the writer goes on, and is gone when the store is", async (t) => {
    const { submit, names, store, address, events } = await open(t);
    const before = statSync(address).size;
    const name = "x".repeat(2_000);
    for (let turn = 0; turn < 450; turn++) await submit({ do: "insert", name: `${turn}${name}` });
    // A commit of the writer would only do that after 20,000 pages.
    await eventually(5_000, "the file has grown", () => statSync(address).size > before + 400_000);
    assert.equal((await names()).length, 450);
    await within(3_000, "the store closes", store.close());
    assert.equal(existsSync(`${address}-wal`), false);
    assert.deepEqual(events(), []);
  });
});

suite("a writer thread that can't be restarted", () => {
  test("is told as bad health, refuses at once, and is tried again", async (t) => {
    const obstacle = join(temporaryFolder(t), "obstacle");
    const { submit, names, events, observed, store } = await open(t, { obstacle });
    writeFileSync(obstacle, "");
    await assertRefused(submit({ do: "exit" }), "broke-the-writer");
    await eventually(3_000, "it is told", () => events().includes("writer.gave-up"));
    const gaveUp = observed.find((observation) => observation.event === "writer.gave-up");
    assert.match(String(gaveUp?.error), /obstacle/);
    const health = store.health();
    assert.equal(health.ok, false);
    await assertRefused(
      within(2_000, "a write is refused", submit({ do: "insert", name: "a" })),
      "writer-lost",
    );
    await assertRefused(
      within(
        2_000,
        "an interactive one is refused",
        store.lane.transact((tx) => tx.insertInto("things").values({ name: "a" }).execute()),
      ),
      "writer-lost",
    );
    assert.deepEqual(await names(), [], "reads go on");
    rmSync(obstacle);
    await eventually(8_000, "it is back", () => store.health().ok);
    await submit({ do: "insert", name: "b" });
    assert.deepEqual(await names(), ["b"]);
  });

  test("does not keep the store from closing", async (t) => {
    const obstacle = join(temporaryFolder(t), "obstacle");
    const { submit, events, store } = await open(t, { obstacle });
    writeFileSync(obstacle, "");
    await assertRefused(submit({ do: "exit" }), "broke-the-writer");
    await eventually(3_000, "it is told", () => events().includes("writer.gave-up"));
    const late = submit({ do: "insert", name: "a" }).catch((error: unknown) => error);
    await within(3_000, "the store closes", store.close());
    assert.ok((await late) instanceof StoreError);
    rmSync(obstacle);
  });

  test("is not restarted for a store that was closed meanwhile", async (t) => {
    const { submit, events, store } = await open(t);
    await assertRefused(submit({ do: "exit" }), "broke-the-writer");
    await within(3_000, "the store closes", store.close());
    const count = events().length;
    await sleep(400);
    assert.deepEqual(events().slice(count), []);
  });
});

suite("a writer thread that can't be started", () => {
  test("of other declarations is refused with a sentence", async (t) => {
    const { address, store } = await open(t);
    await store.close();
    const writer = { ...threadWriter({ address }), digest: "something else" };
    const error = await assertRefused(
      openStore(address, { writer, observe: () => {} }),
      "unusable",
    );
    assert.match(error.message, /other declarations/);
  });

  test("because its module throws is told with the module's own words", async (t) => {
    const { address, store } = await open(t);
    await store.close();
    const obstacle = join(temporaryFolder(t), "obstacle");
    writeFileSync(obstacle, "");
    const opening = openStore(address, {
      writer: threadWriter({ address, obstacle }),
      observe: () => {},
    });
    await assert.rejects(within(3_000, "it is told", opening), /An obstacle is in the way/);
  });
});

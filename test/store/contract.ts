import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { sql } from "kysely";
import {
  openSchema,
  openStore,
  type StoreOptions,
  type WriterPlace,
} from "../../src/store/open.ts";
import { type Store, StoreError, type StoreErrorKind } from "../../src/store/port.ts";
import { type TestUnit, tables } from "../fixtures/store-units.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually, within } from "../support/time.ts";

/** One way to keep a store, as the contract sees it. */
export interface StoreDriver {
  readonly name: string;
  address(folder: string): string;
  writer(address: string): WriterPlace;
  /** How many things somebody sees who knows nothing of this process. */
  countFromAnotherProcess(address: string): Promise<number>;
  /** How many things are in what a backup of the closed store holds. */
  countInBackup(address: string): number;
  /** Cases that can't hold here, by name, each with its reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

export interface OpenedStore {
  readonly store: Store;
  readonly address: string;
  submit(unit: TestUnit): Promise<unknown>;
  names(): Promise<unknown[]>;
}

/** A new store with the contract's tables; closed and gone after the test. */
export async function openTestStore(
  t: TestContext,
  driver: Pick<StoreDriver, "address" | "writer">,
  options: Partial<StoreOptions> = {},
): Promise<OpenedStore> {
  const address = driver.address(temporaryFolder(t));
  const schema = openSchema(address, "write");
  schema.apply(tables.map((table) => ({ kind: "create-table", table })));
  schema.close();
  const store = await openStore(address, {
    writer: driver.writer(address),
    observe: () => {},
    ...options,
  });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= store.close();
    return closing;
  };
  t.after(() => within(5_000, "the store closes", close()));
  const names = store.engine.compiler.selectFrom("things").select("name").orderBy("id").compile();
  return {
    address,
    store: { ...store, close },
    submit: (unit) => store.lane.submit(unit),
    names: async () =>
      (await store.reader.execute(names.sql, names.parameters)).map(({ name }) => name),
  };
}

/** Asserts that a promise is rejected with a StoreError of this kind, and gives it. */
export async function assertRefused(
  promise: Promise<unknown>,
  kind: StoreErrorKind,
): Promise<StoreError> {
  const error = await promise.then(
    () => assert.fail(`expected a StoreError of kind ${kind}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StoreError, String(error));
  assert.equal(error.kind, kind, error.message);
  return error;
}

/** Words by which a user's statement could end or change what all units share. */
const controlling = [
  "COMMIT",
  "commit",
  "END TRANSACTION",
  "ROLLBACK",
  "ROLLBACK TO unit",
  "RELEASE unit",
  "SAVEPOINT mine",
  "BEGIN",
  "PRAGMA synchronous = OFF",
  "ATTACH DATABASE ':memory:' AS other",
  "DETACH DATABASE other",
  "VACUUM",
  "  \n\tCOMMIT",
  "; COMMIT",
  "-- a comment\nCOMMIT",
  "/* a comment */ COMMIT",
  "/* one */ -- two\n /* three */ COMMIT",
  "; /* a comment */ COMMIT",
  ";;-- a comment\n;COMMIT",
  "\uFEFFCOMMIT",
] as const;

/** What every driver of the port (src/store/port.ts) has to keep. */
export function storeContract(driver: StoreDriver): void {
  const unused = new Set(Object.keys(driver.skip ?? {}));
  const holds = (name: string, run: (t: TestContext) => Promise<void>) => {
    unused.delete(name);
    test(name, { skip: driver.skip?.[name] ?? false, timeout: 20_000 }, run);
  };
  const open = (t: TestContext, options?: Partial<StoreOptions>) =>
    openTestStore(t, driver, options);

  describe(driver.name, () => {
    holds(
      "a submitted unit is durable, and seen by others, once its promise is kept",
      async (t) => {
        const { submit, names, address } = await open(t);
        assert.equal(await submit({ do: "insert", name: "a" }), "inserted a");
        assert.deepEqual(await names(), ["a"]);
        assert.equal(await driver.countFromAnotherProcess(address), 1);
      },
    );

    holds("nothing of a unit is seen before its commit", async (t) => {
      const { submit, address } = await open(t);
      assert.equal(await submit({ do: "insert-and-look", name: "a", file: address }), 0);
      assert.equal(await submit({ do: "insert-and-look", name: "b", file: address }), 1);
    });

    holds("a unit that undoes its work is rolled back alone", async (t) => {
      const { submit, names } = await open(t);
      const outcomes = await Promise.all([
        submit({ do: "insert", name: "a" }),
        submit({ do: "insert", name: "b", undo: true }),
        submit({ do: "insert", name: "c" }),
      ]);
      assert.deepEqual(outcomes, ["inserted a", "inserted b", "inserted c"]);
      assert.deepEqual(await names(), ["a", "c"]);
    });

    holds("what a unit does after it undid its work counts", async (t) => {
      const { submit, names } = await open(t);
      await Promise.all([
        submit({ do: "insert", name: "a" }),
        submit({ do: "insert-after-undo", name: "b" }),
      ]);
      assert.deepEqual(await names(), ["a", "b again"]);
    });

    holds("a unit that throws fails alone", async (t) => {
      const { submit, names } = await open(t);
      const [first, second, third] = await Promise.allSettled([
        submit({ do: "insert", name: "a" }),
        submit({ do: "insert-and-throw", name: "b" }),
        submit({ do: "insert", name: "c" }),
      ]);
      assert.deepEqual([first?.status, third?.status], ["fulfilled", "fulfilled"]);
      assert.equal(second?.status, "rejected");
      const error = await assertRefused(Promise.reject(second.reason), "failed");
      assert.match(error.message, /thrown on purpose/);
      assert.deepEqual(await names(), ["a", "c"]);
    });

    holds("a unit sees what the units before it in its batch did", async (t) => {
      const { submit } = await open(t);
      const [, , , seen] = await Promise.all([
        submit({ do: "insert", name: "a" }),
        submit({ do: "insert", name: "b", undo: true }),
        submit({ do: "insert-and-throw", name: "c" }).catch(() => {}),
        submit({ do: "names" }),
      ]);
      assert.deepEqual(seen, ["a"]);
    });

    holds("units are taken first come, first served", async (t) => {
      const { submit, names } = await open(t, { maxBatch: 7 });
      const order = Array.from({ length: 60 }, (_, index) => `${index}`);
      const answered: string[] = [];
      await Promise.all(
        order.map(async (name, index) => {
          if (index > 40) await sleep(index - 40);
          await submit({ do: "insert", name });
          answered.push(name);
        }),
      );
      assert.deepEqual(await names(), order);
      assert.deepEqual(answered, order);
    });

    holds("interactive transactions have their turn in the order of their calls", async (t) => {
      const { submit, names, store } = await open(t);
      const insert = (name: string) =>
        store.lane.transact(async (tx) => {
          await sleep(5);
          await tx.insertInto("things").values({ name }).execute();
        });
      await Promise.all([
        submit({ do: "insert", name: "a" }),
        insert("b"),
        insert("c"),
        insert("d"),
      ]);
      assert.deepEqual(await names(), ["a", "b", "c", "d"]);
    });

    holds("neither way in starves the other, nor the event loop", async (t) => {
      const { submit, store } = await open(t, { maxBatch: 4 });
      const most = 20_000;
      let over = false;
      let units = 0;
      const stream = async () => {
        while (!over && units < most) {
          await submit({ do: "insert", name: `${units++}` });
        }
      };
      const streams = Array.from({ length: 8 }, stream);
      for (let held = 0; held < 10; held++) {
        const before = units;
        await store.lane.transact((tx) => tx.insertInto("parts").values({ thingId: 1 }).execute());
        assert.ok(units < before + most / 10, "the transaction had its turn in time");
      }
      const before = units;
      await eventually(2_000, "units go on", () => units > before + 8);
      // A server has more to do than its lane: timers, and sockets to read.
      assert.ok(units < most, "the event loop goes on meanwhile");
      over = true;
      await Promise.all(streams);
    });

    holds("a batch has no more units than it may, and is committed before the next", async (t) => {
      const { submit, address } = await open(t, { maxBatch: 3 });
      const seen = await Promise.all(
        ["a", "b", "c", "d", "e", "f", "g"].map((name) =>
          submit({ do: "insert-and-look", name, file: address }),
        ),
      );
      assert.deepEqual(seen, [0, 0, 0, 3, 3, 3, 6]);
    });

    holds("units that come together share commits", async (t) => {
      const { submit, address } = await open(t);
      const seen = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          submit({ do: "insert-and-look", name: `${index}`, file: address }),
        ),
      );
      const commits = new Set(seen).size;
      assert.ok(commits <= 6, `60 units took ${commits} commits`);
    });

    holds("one more than may wait is refused at once, and the others are served", async (t) => {
      const { submit, names } = await open(t, { maxWaiting: 3 });
      const submitted = ["a", "b", "c"].map((name) => submit({ do: "insert", name }));
      await assertRefused(submit({ do: "insert", name: "d" }), "overloaded");
      await Promise.all(submitted);
      await submit({ do: "insert", name: "e" });
      assert.deepEqual(await names(), ["a", "b", "c", "e"]);
    });

    holds("one more interactive transaction than may wait is refused at once", async (t) => {
      const { store } = await open(t, { maxWaiting: 3 });
      const waiting = ["a", "b", "c"].map((name) =>
        store.lane.transact((tx) => tx.insertInto("things").values({ name }).execute()),
      );
      await assertRefused(
        store.lane.transact(async () => {}),
        "overloaded",
      );
      await Promise.all(waiting);
    });

    holds("a unit that can't be put into words is refused, and it alone", async (t) => {
      const { submit, names } = await open(t);
      const unspeakable = { do: "insert", name: 1n } as unknown as TestUnit;
      const [first, second, third] = await Promise.allSettled([
        submit({ do: "insert", name: "a" }),
        submit(unspeakable),
        submit({ do: "insert", name: "c" }),
      ]);
      assert.deepEqual(
        [first?.status, second?.status, third?.status],
        ["fulfilled", "rejected", "fulfilled"],
      );
      assert.deepEqual(await names(), ["a", "c"]);
    });

    holds("an interactive transaction commits, and gives what its closure gave", async (t) => {
      const { names, store } = await open(t);
      const result = await store.lane.transact(async (tx) => {
        const inserted = await tx.insertInto("things").values({ name: "a" }).executeTakeFirst();
        assert.equal(inserted.numInsertedOrUpdatedRows, 1n);
        const seen = await tx.selectFrom("things").select("name").execute();
        return seen.map(({ name }) => name);
      });
      assert.deepEqual(result, ["a"]);
      assert.deepEqual(await names(), ["a"]);
    });

    holds(
      "an interactive transaction that throws is rolled back, and its error kept",
      async (t) => {
        const { names, store, submit } = await open(t);
        class Mine extends Error {}
        await assert.rejects(
          store.lane.transact(async (tx) => {
            await tx.insertInto("things").values({ name: "a" }).execute();
            throw new Mine();
          }),
          Mine,
        );
        await submit({ do: "insert", name: "b" });
        assert.deepEqual(await names(), ["b"]);
      },
    );

    holds("no other write proceeds while an interactive transaction holds the lane", async (t) => {
      const { names, store, submit } = await open(t);
      const events: string[] = [];
      const held = store.lane.transact(async (tx) => {
        await tx.insertInto("things").values({ name: "a" }).execute();
        const others = [
          submit({ do: "insert", name: "b" }).then(() => events.push("b")),
          store.lane
            .transact((other) => other.insertInto("things").values({ name: "c" }).execute())
            .then(() => events.push("c")),
        ];
        await sleep(60);
        events.push("a");
        return { others };
      });
      await Promise.all((await held).others);
      assert.deepEqual(events, ["a", "b", "c"]);
      assert.deepEqual(await names(), ["a", "b", "c"]);
    });

    holds("reads do not wait while an interactive transaction holds the lane", async (t) => {
      const { names, store, submit } = await open(t);
      await submit({ do: "insert", name: "a" });
      await store.lane.transact(async (tx) => {
        await tx.insertInto("things").values({ name: "b" }).execute();
        const began = performance.now();
        assert.deepEqual(await names(), ["a"]);
        assert.ok(performance.now() - began < 1_000);
      });
      assert.deepEqual(await names(), ["a", "b"]);
    });

    holds(
      "who holds the lane for too long is rolled back and told, at once and later",
      async (t) => {
        const { names, store, submit } = await open(t, { maxHoldMs: 80 });
        const next = Promise.withResolvers<unknown>();
        const held = store.lane.transact(async (tx) => {
          await tx.insertInto("things").values({ name: "a" }).execute();
          await sleep(300);
          await tx
            .insertInto("things")
            .values({ name: "b" })
            .execute()
            .then(next.resolve, next.reject);
        });
        const after = sleep(30).then(() => submit({ do: "insert", name: "c" }));
        await Promise.all([
          assertRefused(held, "held-too-long"),
          assertRefused(within(2_000, "the closure goes on", next.promise), "held-too-long"),
        ]);
        assert.equal(await within(2_000, "the lane goes on", after), "inserted c");
        assert.deepEqual(await names(), ["c"]);
      },
    );

    holds("who holds the lane with one long statement is told in time", async (t) => {
      const { store } = await open(t, { maxHoldMs: 100 });
      const held = store.lane.transact(async (tx) => {
        await sql`WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 20000000) SELECT max(n) FROM counted`.execute(
          tx,
        );
      });
      await assertRefused(within(1_500, "the lane is free", held), "held-too-long");
    });

    holds("statements of an interactive transaction may run side by side", async (t) => {
      const { names, store } = await open(t);
      await store.lane.transact(async (tx) => {
        await Promise.all(
          ["a", "b", "c"].map((name) => tx.insertInto("things").values({ name }).execute()),
        );
      });
      assert.deepEqual(await names(), ["a", "b", "c"]);
    });

    holds(
      "a statement that nobody awaited is refused once the transaction has ended",
      async (t) => {
        const { names, store, submit } = await open(t);
        const forgotten = Promise.withResolvers<unknown>();
        await store.lane.transact(async (tx) => {
          await tx.insertInto("things").values({ name: "a" }).execute();
          setTimeout(() => {
            const statement = tx.insertInto("things").values({ name: "b" }).execute();
            statement.then(forgotten.resolve, forgotten.reject);
          }, 20);
        });
        await Promise.all([
          submit({ do: "insert", name: "c" }),
          assertRefused(within(2_000, "an answer to the statement", forgotten.promise), "closed"),
        ]);
        assert.deepEqual(await names(), ["a", "c"]);
      },
    );

    holds("a statement begun and not awaited is in the transaction, or refused", async (t) => {
      const { names, store, submit } = await open(t);
      let fate: Promise<string> | undefined;
      await store.lane.transact(async (tx) => {
        fate = tx
          .insertInto("things")
          .values({ name: "a" })
          .execute()
          .then(
            () => "in",
            (error: StoreError) => error.kind,
          );
      });
      const expected = (await fate) === "in" ? ["a", "b"] : ["b"];
      await submit({ do: "insert", name: "b" });
      assert.match(String(await fate), /^(in|closed)$/);
      assert.deepEqual(await names(), expected);
    });

    holds("a unit that forgets to await a statement does no harm to others", async (t) => {
      const { names, submit } = await open(t);
      const [first, , third] = await Promise.allSettled([
        submit({ do: "insert", name: "a" }),
        submit({ do: "insert-unawaited", name: "b" }),
        submit({ do: "insert", name: "c" }),
      ]);
      assert.deepEqual([first?.status, third?.status], ["fulfilled", "fulfilled"]);
      await sleep(50);
      await within(2_000, "the lane goes on", submit({ do: "insert", name: "d" }));
      const stored = await names();
      assert.deepEqual(
        stored.filter((name) => name !== "b"),
        ["a", "c", "d"],
      );
    });

    holds("a transaction inside the transaction is refused", async (t) => {
      const { names, store, submit } = await open(t);
      await store.lane.transact(async (tx) => {
        const error = await assertRefused(
          tx.transaction().execute(async () => {}),
          "failed",
        );
        assert.match(error.message, /tx\.transaction\(\)/);
        await tx.insertInto("things").values({ name: "a" }).execute();
      });
      assert.equal(await submit({ do: "nest-transaction" }), "failed");
      await submit({ do: "insert", name: "b" });
      assert.deepEqual(await names(), ["a", "b"]);
    });

    holds(
      "no statement of an interactive transaction may end it or change the connection",
      async (t) => {
        const { names, store } = await open(t);
        const refused: string[] = [];
        class Undo extends Error {}
        await assert.rejects(
          store.lane.transact(async (tx) => {
            await tx.insertInto("things").values({ name: "a" }).execute();
            for (const statement of controlling) {
              await sql
                .raw(statement)
                .execute(tx)
                .catch((error: StoreError) => {
                  if (error.kind === "failed") refused.push(statement);
                });
            }
            throw new Undo();
          }),
          Undo,
        );
        assert.deepEqual(refused, [...controlling]);
        assert.deepEqual(await names(), []);
      },
    );

    holds("no statement of a unit may end the turn or change the connection", async (t) => {
      const { names, submit } = await open(t);
      const [, fates] = await Promise.all([
        submit({ do: "insert", name: "a" }),
        submit({ do: "statements", statements: controlling }),
        submit({ do: "insert", name: "b" }),
      ]);
      assert.deepEqual(
        fates,
        controlling.map(() => "failed"),
      );
      assert.deepEqual(await names(), ["a", "b"]);
    });

    holds("what only begins like a word of control is an ordinary statement", async (t) => {
      const { submit } = await open(t);
      const statements = [
        "SELECT 'COMMIT'",
        "WITH committed AS (SELECT 1) SELECT * FROM committed",
        "/* COMMIT */ SELECT 1",
        "REPLACE INTO things (name) VALUES ('a')",
      ];
      assert.deepEqual(
        await submit({ do: "statements", statements }),
        statements.map(() => "ok"),
      );
    });

    holds("a unit whose statement ends the transaction leaves nothing behind", async (t) => {
      const { names, submit } = await open(t);
      await submit({ do: "insert", name: "taken" });
      await submit({
        do: "statements",
        statements: [
          "INSERT INTO things (name) VALUES ('a')",
          "INSERT OR ROLLBACK INTO things (name) VALUES ('taken')",
          // With the transaction gone, this one would be a transaction of its own.
          "INSERT INTO things (name) VALUES ('b')",
        ],
      }).catch(() => {});
      assert.deepEqual(await names(), ["taken"]);
      await submit({ do: "insert", name: "c" });
      assert.deepEqual(await names(), ["taken", "c"]);
    });

    holds(
      "an interactive transaction that the database ended is not told as committed",
      async (t) => {
        const { names, store, submit } = await open(t);
        await submit({ do: "insert", name: "taken" });
        const held = store.lane.transact(async (tx) => {
          await tx.insertInto("things").values({ name: "a" }).execute();
          await sql`INSERT OR ROLLBACK INTO things (name) VALUES ('taken')`
            .execute(tx)
            .catch(() => {});
          await tx.insertInto("things").values({ name: "b" }).execute();
        });
        await assert.rejects(held, StoreError);
        assert.deepEqual(await names(), ["taken"]);
        await submit({ do: "insert", name: "c" });
      },
    );

    holds("a transaction is dead once its unit has ended, whoever kept it", async (t) => {
      const { names, submit } = await open(t);
      await submit({ do: "leave-transaction-behind" });
      assert.deepEqual(await submit({ do: "use-transaction-left-behind" }), ["closed", "closed"]);
      assert.deepEqual(await names(), []);
    });

    holds("a unit that waits for something foreign is refused, and it alone", async (t) => {
      const { names, submit } = await open(t);
      const began = performance.now();
      const [first, second, third] = await Promise.allSettled([
        submit({ do: "insert", name: "a" }),
        submit({ do: "insert-and-wait", name: "b", milliseconds: 400 }),
        submit({ do: "insert", name: "c" }),
      ]);
      assert.ok(performance.now() - began < 350, "nobody waited for the foreign thing");
      assert.deepEqual([first?.status, third?.status], ["fulfilled", "fulfilled"]);
      assert.equal(second?.status, "rejected");
      await assertRefused(Promise.reject(second.reason), "foreign-wait");
      assert.equal(
        await eventually(3_000, "the unit wakes", async () => {
          const met = await submit({ do: "what-the-late-one-met" });
          return met === "still waiting" ? undefined : met;
        }),
        "closed",
      );
      assert.deepEqual(await names(), ["a", "c"]);
    });

    holds("a refused value tells the columns that refused it", async (t) => {
      const { store, submit } = await open(t);
      await submit({ do: "insert", name: "a" });
      await submit({ do: "put", shelf: "x", place: 1 });
      const name = await assertRefused(submit({ do: "insert", name: "a" }), "unique");
      assert.deepEqual(name.columns, ["name"]);
      const pair = await assertRefused(submit({ do: "put", shelf: "x", place: 1 }), "unique");
      assert.deepEqual(pair.columns, ["shelf", "place"]);
      const interactive = await assertRefused(
        store.lane.transact((tx) => tx.insertInto("things").values({ name: "a" }).execute()),
        "unique",
      );
      assert.deepEqual(interactive.columns, ["name"]);
    });

    holds("a reference to nothing is refused as such", async (t) => {
      const { names, store, submit } = await open(t);
      await assertRefused(submit({ do: "insert-part", thingId: 7 }), "reference");
      await assertRefused(
        store.lane.transact((tx) => tx.insertInto("parts").values({ thingId: 7 }).execute()),
        "reference",
      );
      await submit({ do: "insert", name: "a" });
      await submit({ do: "insert-part", thingId: 1 });
      await assertRefused(
        store.lane.transact((tx) => tx.deleteFrom("things").execute()),
        "reference",
      );
      assert.deepEqual(await names(), ["a"]);
    });

    holds(
      "where no space is left, who is told so has nothing stored, and all others have",
      async (t) => {
        const { names, submit } = await open(t);
        await submit({ do: "insert", name: "a" });
        const [before, full, behind] = await Promise.allSettled([
          submit({ do: "insert", name: "before" }),
          submit({ do: "fill", pages: 2 }),
          submit({ do: "insert", name: "behind" }),
        ]);
        assert.equal(full?.status, "rejected");
        await assertRefused(Promise.reject(full.reason), "full");
        const expected = ["a"];
        if (before?.status === "fulfilled") expected.push("before");
        if (behind?.status === "fulfilled") expected.push("behind");
        assert.deepEqual(await names(), expected);
        await submit({ do: "own-statement", statement: "PRAGMA max_page_count = 1073741823" });
        assert.equal(await submit({ do: "insert", name: "space again" }), "inserted space again");
      },
    );

    holds("writes wait for the disk, with the log that readers do not block", async (t) => {
      const { submit } = await open(t);
      // Asked of the writing connection itself: https://sqlite.org/pragma.html#pragma_synchronous
      const read = async (pragma: string) => {
        const rows = await submit({ do: "own-statement", statement: `PRAGMA ${pragma}` });
        return Object.values((rows as Record<string, unknown>[])[0]!)[0];
      };
      assert.equal(await read("synchronous"), 2, "FULL: every commit is synced");
      assert.equal(await read("journal_mode"), "wal");
      assert.equal(await read("foreign_keys"), 1);
    });

    holds("the reader can't write", async (t) => {
      const { names, store } = await open(t);
      await assert.rejects(
        async () => await store.reader.execute("INSERT INTO things (name) VALUES ('a')", []),
        StoreError,
      );
      assert.deepEqual(await names(), []);
    });

    holds("a closing store finishes what was submitted and takes no more", async (t) => {
      const { store, submit, address } = await open(t, { maxBatch: 4 });
      const submitted = Array.from({ length: 30 }, (_, index) =>
        submit({ do: "insert", name: `${index}` }),
      );
      const held = store.lane.transact(async (tx) => {
        await sleep(30);
        await tx.insertInto("things").values({ name: "held" }).execute();
      });
      const closing = store.close();
      await assertRefused(submit({ do: "insert", name: "too late" }), "closed");
      await assertRefused(
        store.lane.transact(async () => {}),
        "closed",
      );
      await Promise.all([...submitted, held, closing]);
      await assertRefused(submit({ do: "insert", name: "much too late" }), "closed");
      assert.equal(driver.countInBackup(address), 31);
    });

    holds("a store is well while its writer is", async (t) => {
      const { store } = await open(t);
      assert.deepEqual(store.health(), { ok: true });
    });

    holds("a store that is opened again has what it had", async (t) => {
      const { store, submit, address } = await open(t);
      await submit({ do: "insert", name: "a" });
      await store.close();
      const again = await openStore(address, { writer: driver.writer(address), observe: () => {} });
      t.after(() => again.close());
      assert.equal(
        await again.lane.submit({ do: "insert", name: "b" } satisfies TestUnit),
        "inserted b",
      );
      assert.deepEqual(await again.lane.submit({ do: "names" } satisfies TestUnit), ["a", "b"]);
    });
  });

  if (unused.size > 0) throw new Error(`No such cases to skip: ${[...unused].join(", ")}`);
}

/** For drivers on a file: `databaseFile` reads it in a process of its own. */
export async function countThingsElsewhere(databaseFile: string): Promise<number> {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const database = new DatabaseSync(process.argv[1], { readOnly: true });
    console.log(database.prepare("SELECT count(*) AS n FROM things").get().n);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, databaseFile]);
  return Number(stdout);
}

export const databaseIn = (folder: string) => join(folder, "store.db");

import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, suite, test } from "node:test";
import { check } from "../../torture/checker.ts";
import { type Rule, rules } from "../../torture/checks/violation.ts";
import type { Entry } from "../../torture/history.ts";
import { Run } from "../../torture/run.ts";
import { temporaryFolder } from "../support/folder.ts";

/** A run that went well, to be doctored. */
class Doctored {
  readonly store: string;
  readonly history: string;
  readonly database: DatabaseSync;
  readonly #entries: readonly Entry[];

  constructor(folder: string, good: { readonly store: string; readonly historyFile: string }) {
    this.store = join(folder, "store.db");
    this.history = join(folder, "history.jsonl");
    copyFileSync(good.store, this.store);
    copyFileSync(good.historyFile, this.history);
    this.database = new DatabaseSync(this.store, { enableForeignKeyConstraints: false });
    const lines = readFileSync(this.history, "utf8").split("\n");
    this.#entries = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Entry);
  }

  /** One value out of the database. */
  value(sql: string): string | number {
    const row = this.database.prepare(sql).get();
    assert.ok(row !== undefined, `nothing to doctor: ${sql}`);
    return Object.values(row)[0] as string | number;
  }

  do(sql: string): void {
    assert.ok(Number(this.database.prepare(sql).run().changes) > 0, `changed nothing: ${sql}`);
  }

  /** An answer that was told with this status to an intent of this kind, and whose intent it was. */
  told(kind: string, status: number): { reference: string; answer: Entry & { event: "answer" } } {
    const references = new Map(
      this.#entries.flatMap((entry) =>
        entry.event === "send" ? [[entry.number, entry.reference]] : [],
      ),
    );
    for (const answer of this.#entries) {
      if (answer.event !== "answer" || answer.status !== status || answer.replayed) continue;
      const reference = references.get(answer.number)!;
      if (reference.startsWith(`${kind}-`)) return { reference, answer };
    }
    throw new Error(`No ${kind} was told ${status}.`);
  }

  /** Puts one more request into the history, and what came of it. */
  append(reference: string, outcome: object): void {
    const entries = [
      { event: "send", number: 1e9, reference },
      { number: 1e9, ...outcome },
    ];
    appendFileSync(this.history, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  }
}

/** The name says what was done; what the checker has to find, and nothing else, stands behind. */
const cases: readonly [string, readonly Rule[], (run: Doctored) => void][] = [
  [
    "a row that is there twice",
    ["twice"],
    (run) => {
      const { reference } = run.told("reading", 201);
      run.do(
        `INSERT INTO readings (reference, _version, _created, _updated) VALUES ('${reference}', 1, 0, 0)`,
      );
    },
  ],
  [
    "an acknowledged row that is missing",
    ["missing"],
    (run) =>
      run.do(`DELETE FROM readings WHERE reference = '${run.told("reading", 201).reference}'`),
  ],
  [
    "an acknowledged record that a GET did not find",
    ["missing"],
    (run) => {
      const { reference } = run.told("reading", 201);
      const entry: Entry = { event: "read", reference, status: 404, body: "" };
      appendFileSync(run.history, `${JSON.stringify(entry)}\n`);
    },
  ],
  [
    "a refused order that is there",
    ["refused", "job-missing"],
    (run) =>
      run.do(
        `INSERT INTO orders (reference, amount, _version, _created, _updated) VALUES ('${run.told("order", 422).reference}', 5, 1, 0, 0)`,
      ),
  ],
  [
    "a row that nobody asked for",
    ["unasked"],
    (run) =>
      run.do(
        "INSERT INTO readings (reference, _version, _created, _updated) VALUES ('x', 1, 0, 0)",
      ),
  ],
  [
    "a record that is stored otherwise than it was told",
    ["other-record"],
    (run) =>
      run.do(
        `UPDATE orders SET amount = amount + 1 WHERE reference = '${run.told("order", 201).reference}'`,
      ),
  ],
  [
    "a replay with another body",
    ["other-answer"],
    (run) => {
      const { reference, answer } = run.told("transfer", 201);
      run.append(reference, { ...answer, number: 1e9, replayed: true, body: `${answer.body} ` });
    },
  ],
  [
    "a key that was done anew",
    ["other-answer"],
    (run) => {
      const { reference, answer } = run.told("transfer", 201);
      run.append(reference, { ...answer, number: 1e9 });
    },
  ],
  [
    "an answer that nobody promised",
    ["wrong-answer"],
    (run) => {
      const { reference, answer } = run.told("transfer", 201);
      run.append(reference, { ...answer, number: 1e9, status: 500 });
    },
  ],
  [
    "a misuse of a key that was obeyed",
    ["wrong-answer"],
    (run) => {
      const { reference, answer } = run.told("order", 201);
      const intent = { kind: "misuse", keyed: true, path: "/api/orders", body: {} };
      const entry = { event: "intend", ...intent, reference: `misuse of ${reference}` };
      appendFileSync(run.history, `${JSON.stringify(entry)}\n`);
      run.append(`misuse of ${reference}`, { ...answer, number: 1e9 });
    },
  ],
  [
    "a request that a living server did not answer",
    ["unanswered"],
    (run) =>
      run.append(run.told("note", 201).reference, { event: "lost", reason: "no answer in time" }),
  ],
  [
    "money from nowhere",
    ["money", "money"],
    (run) => run.do("UPDATE accounts SET balance = balance + 1 WHERE id = 1"),
  ],
  [
    "a transfer that went to another account",
    ["money", "money"],
    (run) => {
      run.do("UPDATE accounts SET balance = balance + 1 WHERE id = 1");
      run.do("UPDATE accounts SET balance = balance - 1 WHERE id = 2");
    },
  ],
  [
    "a job that is lost",
    ["job-missing"],
    (run) =>
      run.do(
        "DELETE FROM posthaste_jobs WHERE number = (SELECT number FROM posthaste_jobs WHERE kind = 'ship' AND state = 'failed')",
      ),
  ],
  [
    "a job that nobody runs",
    ["job-unfinished"],
    (run) =>
      run.do(
        "UPDATE posthaste_jobs SET state = 'ready' WHERE number = (SELECT number FROM posthaste_jobs WHERE kind = 'fulfil')",
      ),
  ],
  [
    "a job that is dead without a reason",
    ["job-failed"],
    (run) =>
      run.do(
        "UPDATE posthaste_jobs SET failure = NULL, error = NULL WHERE number = (SELECT number FROM posthaste_jobs WHERE state = 'failed')",
      ),
  ],
  [
    "an attempt that was committed twice",
    ["attempt-twice"],
    (run) =>
      run.do(
        'INSERT INTO shipments (job, attempt, "order", _version, _created, _updated) SELECT job, attempt, "order", 1, 0, 0 FROM shipments LIMIT 1',
      ),
  ],
  [
    "a job that is done without its effect",
    ["step-missing"],
    (run) => run.do("DELETE FROM shipments WHERE id = (SELECT min(id) FROM shipments)"),
  ],
  [
    "a step that was done twice",
    ["step-twice"],
    (run) => run.do("UPDATE counters SET times = 2 WHERE id = (SELECT min(id) FROM counters)"),
  ],
  [
    "a step that was left out",
    ["step-missing"],
    (run) => run.do("DELETE FROM counters WHERE id = (SELECT min(id) FROM counters)"),
  ],
  [
    "a workflow that was made twice for one key",
    ["twice"],
    (run) => {
      const { reference } = run.told("fulfilment", 202);
      run.do(
        `INSERT INTO posthaste_jobs (id, kind, input, state, priority, run_at, created_at)
         SELECT 'x', kind, input, state, 0, 0, 0 FROM posthaste_jobs WHERE input LIKE '%"${reference}"%'`,
      );
    },
  ],
  [
    "a key without its entry",
    ["ledger"],
    (run) =>
      run.do("DELETE FROM posthaste_keys WHERE number = (SELECT max(number) FROM posthaste_keys)"),
  ],
  [
    "an entry that says something else",
    ["ledger"],
    (run) =>
      run.do(
        "UPDATE posthaste_keys SET body = body || ' ' WHERE number = (SELECT min(number) FROM posthaste_keys)",
      ),
  ],
  [
    "an entry of nobody's",
    ["ledger"],
    (run) =>
      run.do(
        "INSERT INTO posthaste_keys (digest, fingerprint, status, headers, recorded_at, expires_at) VALUES ('x', 'x', 201, '{}', 0, 0)",
      ),
  ],
  [
    "a reference to a row that is not there",
    ["damaged"],
    (run) => run.do("INSERT INTO posthaste_steps (job, name, done_at) VALUES (1000000, 'x', 0)"),
  ],
];

suite("The checker", () => {
  const folder = temporaryFolder({ after });
  const good = new Run({ folder: join(folder, "good"), seed: 20_261_123, connections: 12 });
  after(() => good.abandon());

  before(async () => {
    await good.up();
    await good.load.start();
    await good.load.answersMore(900, 20_000);
    await good.finish();
  });

  test("finds nothing in a run that went well", async () => {
    const verdict = await good.judge();
    assert.deepEqual(verdict.violations, []);
    assert.ok(verdict.told > 400);
  });

  for (const [name, expected, doctor] of cases) {
    test(`finds ${name}, and nothing else`, async (t) => {
      const run = new Doctored(temporaryFolder(t), good);
      try {
        doctor(run);
      } finally {
        run.database.close();
      }
      const { violations } = await check(run.store, run.history);
      assert.deepEqual(
        violations.map(({ rule }) => rule),
        expected,
        JSON.stringify(violations, undefined, 2),
      );
    });
  }

  test("can find every violation that it knows", () => {
    const found = new Set(cases.flatMap(([, expected]) => expected));
    assert.deepEqual(
      Object.keys(rules).filter((rule) => !found.has(rule as Rule)),
      [],
    );
  });
});

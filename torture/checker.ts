import { DatabaseSync } from "node:sqlite";
import { readBooks } from "./books.ts";
import { checkEffects } from "./checks/effects.ts";
import { checkJobs } from "./checks/jobs.ts";
import { checkLedger } from "./checks/ledger.ts";
import type { Report, Violation } from "./checks/violation.ts";

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly requests: number;
  readonly answers: number;
  /** Requests that got no answer. */
  readonly lost: number;
  /** Answers that were given again. */
  readonly replays: number;
  readonly kills: number;
  /** Intents that clients were told the outcome of. */
  readonly told: number;
  /** Rows that intents left. */
  readonly effects: number;
  readonly jobs: number;
}

export interface CheckOptions {
  /** Statuses of 5xx that may have come where the store was made to fail. 503 always may. */
  readonly failures?: readonly number[];
}

/**
 * Judges a run by its whole history and by the database that it left, which is only read. To be
 * called when the last server has stopped, and all jobs have had the time to come to their end.
 */
export async function check(
  store: string,
  historyFile: string,
  { failures = [] }: CheckOptions = {},
): Promise<Verdict> {
  const violations: Violation[] = [];
  const report: Report = (rule, subject, detail) => violations.push({ rule, subject, detail });
  const books = await readBooks(historyFile, failures, report);
  const database = new DatabaseSync(store, { readOnly: true, timeout: 5_000 });
  try {
    // One moment of the database for all checks.
    database.exec("BEGIN");
    checkSoundness(database, report);
    const effects = checkEffects(database, books, report);
    const jobs = checkJobs(database, books, report);
    checkLedger(database, books, report);
    const { requests, answers, lost, replays, kills, accounts } = books;
    const told = [...accounts.values()].filter((account) => account.told !== undefined).length;
    return { violations, requests, answers, lost, replays, kills, told, effects, jobs };
  } finally {
    database.close();
  }
}

function checkSoundness(database: DatabaseSync, report: Report): void {
  for (const row of database.prepare("PRAGMA integrity_check").all()) {
    if (row.integrity_check !== "ok") report("damaged", "database", String(row.integrity_check));
  }
  for (const row of database.prepare("PRAGMA foreign_key_check").all()) {
    report(
      "damaged",
      String(row.table),
      `row ${row.rowid} refers to a ${row.parent} that is not there`,
    );
  }
}

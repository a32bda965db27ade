/** Fills stores by SQL: what a server would need hours for. Only while no server has them open. */

import { randomBytes } from "node:crypto";
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "../src/kernel/clock.ts";
import { uuidv7Generator } from "../src/kernel/ids.ts";
import { Server, type ServerCommand } from "./server.ts";
import { bodyOf, uniqueDigits } from "./unique-request.ts";

const ROWS_IN_TRANSACTION = 100_000;
const MONTH_MS = 30 * 86_400_000;
/** The series of what is filled in, so that no request meets it. */
const FILLED_SERIES = 999;

const newId = uuidv7Generator(systemClock);

/** A store with the tables of the server, as the server makes them, and nothing in them. */
export async function emptyStore(
  command: ServerCommand,
  store: string,
  parentDirectory: string,
): Promise<void> {
  const server = await Server.start(command, { parentDirectory, store });
  await server.stop();
}

/**
 * Does work on a store, syncs nothing meanwhile, and everything at the end.
 * @param journal `OFF` is fast, and leaves a broken file behind where the work is interrupted.
 */
export async function rewrite(
  store: string,
  journal: "OFF" | "DELETE",
  work: (db: DatabaseSync) => Promise<void> | void,
): Promise<void> {
  const db = new DatabaseSync(store);
  try {
    // Left behind by a server that was killed: what is in its log comes into the file.
    db.exec("PRAGMA journal_mode = DELETE");
    db.exec(`
      PRAGMA journal_mode = ${journal};
      PRAGMA synchronous = OFF;
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA cache_size = -1000000;
    `);
    await work(db);
  } finally {
    db.close();
  }
  sync(store);
}

/** A copy, on the disk: what the system writes later would be written while servers are measured. */
export function copyStore(from: string, to: string): void {
  // The log of a server that was killed would be taken for that of the copy.
  for (const suffix of ["-wal", "-shm"]) rmSync(`${to}${suffix}`, { force: true });
  copyFileSync(from, to);
  sync(to);
}

function sync(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

type Progress = (done: number) => void;

/** Answers as creates of users record them, to be kept for another month. */
export function fillAnswers(db: DatabaseSync, rows: number, progress: Progress): Promise<void> {
  const now = Date.now();
  const recordedAt = (number: number) => now - Math.round((rows - number) / 10);
  return insert(db, {
    table: "posthaste_keys",
    columns: "digest, fingerprint, status, headers, body, problem, recorded_at, expires_at",
    rows,
    valuesOf: (number) => {
      const at = recordedAt(number);
      const headers = {
        etag: `"${number.toString(36).padStart(6, "0")}"`,
        "last-modified": new Date(at).toUTCString(),
        location: `/api/users/${number}`,
        "content-type": "application/json",
      };
      const body = `{"id":${number},${bodyOf(FILLED_SERIES, number).slice(1)}`;
      return [digest(), digest(), 201, JSON.stringify(headers), body, null, at, at + MONTH_MS];
    },
    progress,
  });
}

/** Jobs that were done, to be kept for another month. */
export function fillFinishedJobs(
  db: DatabaseSync,
  kind: string,
  rows: number,
  progress: Progress,
): Promise<void> {
  const now = Date.now();
  return insert(db, {
    table: "posthaste_jobs",
    columns:
      "id, kind, input, state, priority, run_at, attempt, result, created_at, started_at, finished_at, expires_at",
    rows,
    valuesOf: (number) => {
      const unique = uniqueDigits(FILLED_SERIES, number);
      const input = { to: `alice${unique}@example.com`, name: `Alice Johnson ${unique}` };
      const at = now - Math.round((rows - number) / 10);
      return [
        ...[newId(), kind, JSON.stringify(input), "done", 0, at, 1, "null"],
        ...[at, at, at, at + MONTH_MS],
      ];
    },
    progress,
  });
}

/** Jobs that wait for a worker. */
export function fillReadyJobs(
  db: DatabaseSync,
  kind: string,
  rows: number,
  progress: Progress,
): Promise<void> {
  const now = Date.now();
  return insert(db, {
    table: "posthaste_jobs",
    columns: "id, kind, input, state, priority, run_at, created_at",
    rows,
    valuesOf: (number) => [newId(), kind, JSON.stringify({ number }), "ready", 0, now, now],
    progress,
  });
}

/** As `src/idempotency/fingerprint.ts` writes them: 128 bits, which come in no order. */
function digest(): string {
  return randomBytes(17).toString("base64url").slice(0, 22);
}

interface Insertion {
  table: string;
  columns: string;
  rows: number;
  /** @param number from 1 to `rows`; also what the row has as its number. */
  valuesOf: (number: number) => SQLInputValue[];
  progress: Progress;
}

async function insert(
  db: DatabaseSync,
  { table, columns, rows, valuesOf, progress }: Insertion,
): Promise<void> {
  const places = columns.replaceAll(/\w+/g, "?");
  const statement = db.prepare(`INSERT INTO ${table} (number, ${columns}) VALUES (?, ${places})`);
  for (let done = 0; done < rows; ) {
    const until = Math.min(rows, done + ROWS_IN_TRANSACTION);
    db.exec("BEGIN");
    while (done < until) {
      done += 1;
      statement.run(done, ...valuesOf(done));
    }
    db.exec("COMMIT");
    progress(done);
    // So that an interruption is heard.
    await nextTurn();
  }
}

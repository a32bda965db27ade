import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Observe } from "../../kernel/observations.ts";
import { type Health, type Perform, type Store, StoreError } from "../port.ts";
import { Checkpointer } from "./checkpointer.ts";
import { SqliteConnection } from "./connection.ts";
import { sqliteEngine } from "./engine.ts";
import { openingError } from "./errors.ts";
import { SqliteLane } from "./lane.ts";
import { FORMAT, ownTables } from "./own-tables.ts";
import { SqliteSchema } from "./schema.ts";
import { connectHere, connectThread } from "./transport.ts";

/** Numbers of last units that a boot leaves: some may be of servers that share the file. */
const KEPT_NUMBERS = 200;
const CHECKED_BYTES = 16 * 1024 * 1024;

export type WriterPlace =
  /** In a thread that loads the module of the API by itself. */
  | {
      readonly place: "thread";
      readonly entry: URL;
      /** What the module of the thread reads with `threadData`. */
      readonly above: unknown;
      readonly digest: string;
    }
  /** In this thread: where an API exists as closures only. */
  | { readonly place: "here"; readonly perform: Perform };

export interface StoreOptions {
  readonly writer: WriterPlace;
  readonly observe: Observe;
  /** Writes that share a commit at the most. Default 256. */
  readonly maxBatch?: number;
  /** Writes that wait at the most; one more is answered 503. Default 10,000. */
  readonly maxWaiting?: number;
  /** Milliseconds that an interactive transaction may hold the lane. Default 2,000. */
  readonly maxHoldMs?: number;
  /** Milliseconds without an answer after which the writer is replaced. Default 10,000. */
  readonly writerTimeoutMs?: number;
}

/**
 * Opens a file to look at (`"read"`: not a byte of it changes, and none is made where there is none)
 * or to migrate (`"write"`: our own tables are made where they are not).
 * @throws StoreError with a sentence for the operator; nothing in the file was touched then.
 */
export function openSqliteSchema(path: string, access: "read" | "write"): SqliteSchema {
  const fresh = !existsSync(path);
  if (fresh && !existsSync(dirname(path))) {
    throw new StoreError(
      "unusable",
      `The folder of the database ${path} does not exist. Create it, or choose another file with --store.`,
    );
  }
  if (!fresh && statSync(path).isDirectory()) {
    throw new StoreError(
      "unusable",
      `The database ${path} is a folder. Name a file in it: --store ${path}/posthaste.db`,
    );
  }
  try {
    if (!fresh) inspectFile(path);
    if (access === "read") return new SqliteSchema(fresh ? ":memory:" : path, { readOnly: !fresh });
    prepareFile(path);
    return new SqliteSchema(path, { readOnly: false });
  } catch (error) {
    throw error instanceof StoreError && error.kind === "unusable"
      ? error
      : openingError(path, cause(error));
  }
}

/** Looks at a file without changing a byte of it. */
function inspectFile(path: string): void {
  const connection = new SqliteConnection(path, { readOnly: true });
  try {
    const format = Number(connection.execute("PRAGMA user_version", [])[0]?.user_version);
    if (format > FORMAT) {
      throw new StoreError(
        "unusable",
        `The database ${path} was made by a newer release of Posthaste (format ${format}, this one knows ${FORMAT}). Nothing was changed. Install that release again.`,
      );
    }
    connection.execute("SELECT count(*) FROM sqlite_schema", []);
    if (statSync(path).size > CHECKED_BYTES) return;
    const [result] = connection.execute("PRAGMA quick_check(1)", []);
    if (result?.quick_check !== "ok") {
      throw Object.assign(new Error("damaged"), { code: "ERR_SQLITE_ERROR", errcode: 11 });
    }
  } finally {
    connection.close();
  }
}

function prepareFile(path: string): void {
  const connection = new SqliteConnection(path, { readOnly: false });
  try {
    // Takes the write lock even where there is nothing to do: a locked file is told at boot.
    connection.execute("BEGIN IMMEDIATE", []);
    connection.database.exec(`
      ${ownTables}
      DELETE FROM posthaste_meta WHERE rowid IN (
        SELECT rowid FROM posthaste_meta
        WHERE name LIKE 'last_unit %' OR name LIKE 'last_hold %'
        ORDER BY rowid DESC LIMIT -1 OFFSET ${KEPT_NUMBERS});
      PRAGMA user_version = ${FORMAT};
      COMMIT`);
  } finally {
    connection.close();
  }
}

const cause = (error: unknown) => (error instanceof StoreError ? (error.cause ?? error) : error);

/** Opens a migrated file for serving. */
export async function openSqliteStore(path: string, options: StoreOptions): Promise<Store> {
  const { writer, observe } = options;
  const reader = new SqliteConnection(path, { readOnly: true });
  const instance = randomUUID();
  const file = { path, maxBatch: options.maxBatch ?? 256, instance };
  // In this thread the writer does it itself: tests make many stores, and small ones.
  const checkpointer =
    writer.place === "here"
      ? undefined
      : new Checkpointer(path, (error) => observe({ event: "checkpointer.failed", error }));
  const lane = new SqliteLane({
    maxWaiting: options.maxWaiting ?? 10_000,
    maxHoldMs: options.maxHoldMs ?? 2_000,
    writerTimeoutMs: options.writerTimeoutMs ?? 10_000,
    lastDurable: (what) => {
      const name = `last_${what} ${instance}`;
      const [row] = reader.execute("SELECT value FROM posthaste_meta WHERE name = ?", [name]);
      return Number(row?.value ?? 0);
    },
    committed: () => checkpointer?.committed(),
    connect: (listener) =>
      writer.place === "here"
        ? connectHere(file, writer.perform, listener)
        : connectThread({ ...file, ...writer }, listener),
    observe,
  });
  try {
    await lane.open();
  } catch (error) {
    reader.close();
    throw error;
  }
  return {
    lane,
    reader,
    engine: sqliteEngine,
    health(): Health {
      if (lane.trouble !== undefined) return { ok: false, reason: lane.trouble };
      try {
        reader.execute("SELECT 1", []);
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: (error as Error).message };
      }
    },
    async close() {
      // Reads may go on until the last write is answered; then the writer, closing last, folds the
      // write-ahead log into the file.
      await lane.close(async () => {
        reader.close();
        await checkpointer?.close();
      });
    },
  };
}

import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Settings } from "./benchmark.ts";
import { emptyStore, fillAnswers, fillFinishedJobs, rewrite } from "./filling.ts";
import { ScratchDirectory } from "./scratch.ts";
import { full } from "./servers/commands.ts";

const DAY_MS = 86_400_000;

/**
 * A store of `bench/apis/full.ts` with recorded answers and finished jobs. It takes minutes to
 * fill, so it may stay for the next run, under a name that says how much is in it.
 */
export class FilledStore {
  readonly path: string;
  readonly #settings: Settings;
  readonly #scratch: ScratchDirectory;

  private constructor(path: string, settings: Settings, scratch: ScratchDirectory) {
    this.path = path;
    this.#settings = settings;
    this.#scratch = scratch;
  }

  static async open(settings: Settings): Promise<FilledStore> {
    const { rows, jobs, directory, keepsFilled } = settings;
    const kept = join(directory, `posthaste-bench-${rows}-answers-${jobs}-jobs.db`);
    const scratch = new ScratchDirectory(directory);
    const filling = join(scratch.path, "filled.db");
    const isReused = keepsFilled && existsSync(kept);
    const store = new FilledStore(keepsFilled ? kept : filling, settings, scratch);
    try {
      if (isReused) await store.trim();
      if (!isReused || !store.#isUsable()) {
        await fill(filling, settings);
        if (keepsFilled) renameSync(filling, kept);
      }
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  /** Takes out what was created since it was filled. */
  async trim(): Promise<void> {
    const { rows, jobs } = this.#settings;
    await rewrite(this.path, "DELETE", (db) => {
      db.exec("BEGIN; DELETE FROM users");
      db.prepare("DELETE FROM posthaste_keys WHERE number > ?").run(rows);
      db.prepare("DELETE FROM posthaste_jobs WHERE number > ?").run(jobs);
      db.exec("COMMIT");
    });
  }

  /** Whether all is still there, and no sweep will find it expired during the run. */
  #isUsable(): boolean {
    const { rows, jobs } = this.#settings;
    const db = new DatabaseSync(this.path, { readOnly: true });
    try {
      const left = (table: string) =>
        Number(
          db
            .prepare(`SELECT count(*) AS n FROM ${table} WHERE expires_at > ?`)
            .get(Date.now() + DAY_MS)?.n,
        );
      return left("posthaste_keys") === rows && left("posthaste_jobs") === jobs;
    } finally {
      db.close();
    }
  }

  /** What stays was moved out of the scratch directory. */
  close(): void {
    this.#scratch.remove();
  }
}

async function fill(store: string, settings: Settings): Promise<void> {
  const { rows, jobs, progress, directory } = settings;
  progress("filling a store");
  await emptyStore(full, store, directory);
  const say = (what: string, all: number) => (done: number) =>
    progress(
      `filling a store: ${done.toLocaleString("en")} of ${all.toLocaleString("en")} ${what}`,
    );
  await rewrite(store, "OFF", async (db) => {
    await fillAnswers(db, rows, say("answers", rows));
    await fillFinishedJobs(db, "welcome", jobs, say("jobs", jobs));
  });
}

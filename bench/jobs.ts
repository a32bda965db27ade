/** How fast jobs that do nothing are enqueued and run, also where very many of them wait. */

import { join } from "node:path";
import { type Outcome, type Settings, UsageError } from "./benchmark.ts";
import { enqueueJobs } from "./enqueue.ts";
import { copyStore, emptyStore, fillReadyJobs, rewrite } from "./filling.ts";
import { JobStore } from "./job-store.ts";
import { jobsOutcome, type Round } from "./jobs-outcome.ts";
import { ScratchDirectory } from "./scratch.ts";
import { Server } from "./server.ts";
import * as servers from "./servers/commands.ts";

/** Run before the clock starts, where a server begins with nothing to do. */
const WARMUP_JOBS = 5_000;
/** The job of `bench/apis/jobs.ts`. */
const KIND = "nothing";
/** One that no API declares: it is left alone. */
const STRANGE_KIND = "something-else";
const LOOK_EVERY_MS = 25;

export async function jobs(settings: Settings): Promise<Outcome> {
  const { count, backlog } = settings;
  if (backlog <= count) {
    throw new UsageError(`A long queue has more jobs than are run: --backlog above ${count}.`);
  }
  const scratch = new ScratchDirectory(settings.directory);
  try {
    const fill = async (kind: string, rows: number) => {
      const store = join(scratch.path, `${kind}-${rows}.db`);
      await fillStore(store, kind, rows, settings);
      return store;
    };
    // What the long queues are compared with has as many jobs as are run.
    const stores = {
      otherShort: await fill(STRANGE_KIND, count),
      otherLong: await fill(STRANGE_KIND, backlog),
      sameShort: await fill(KIND, count),
      sameLong: await fill(KIND, backlog),
    };
    const rounds: Round[] = [];
    for (let number = 1; number <= settings.rounds; number++) {
      const say = (doing: string) =>
        settings.progress(`round ${number} of ${settings.rounds}: ${doing}`);
      const store = join(scratch.path, "served.db");
      const serve = <T>(doing: string, filled: string, measure: Measure<T>) => {
        say(doing);
        copyStore(filled, store);
        return serving(store, settings, measure);
      };
      say("enqueued and run, empty store");
      rounds.push({
        empty: await serving(undefined, settings, (server) => enqueueAndRun(server, count)),
        otherShort: await serve("short queue of another kind", stores.otherShort, (server) =>
          enqueueAndRun(server, count, count),
        ),
        otherLong: await serve("long queue of another kind", stores.otherLong, (server) =>
          enqueueAndRun(server, count, backlog),
        ),
        sameShort: await serve("short queue", stores.sameShort, (server) =>
          runFirst(server, count, count),
        ),
        sameLong: await serve("long queue", stores.sameLong, (server) =>
          runFirst(server, count, backlog),
        ),
      });
    }
    return jobsOutcome(rounds, settings);
  } finally {
    scratch.remove();
  }
}

type Measure<T> = (server: Server) => Promise<T>;

async function serving<T>(
  store: string | undefined,
  { directory }: Settings,
  measure: Measure<T>,
): Promise<T> {
  const place = { parentDirectory: directory, ...(store === undefined ? {} : { store }) };
  const server = await Server.start(servers.jobs, place);
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}

async function fillStore(
  store: string,
  kind: string,
  rows: number,
  { directory, progress }: Settings,
): Promise<void> {
  await emptyStore(servers.jobs, store, directory);
  await rewrite(store, "OFF", (db) =>
    fillReadyJobs(db, kind, rows, (done) =>
      progress(
        `filling a store: ${done.toLocaleString("en")} of ${rows.toLocaleString("en")} jobs`,
      ),
    ),
  );
}

/**
 * @param strangers Jobs of the other kind that wait in the store.
 * @returns Milliseconds from the first POST until every job was done.
 */
async function enqueueAndRun(server: Server, count: number, strangers = 0): Promise<number> {
  const store = new JobStore(server);
  try {
    await enqueueJobs(server.url, WARMUP_JOBS);
    await store.untilEnded(WARMUP_JOBS, LOOK_EVERY_MS);
    const began = performance.now();
    await enqueueJobs(server.url, count);
    await store.untilEnded(WARMUP_JOBS + count, LOOK_EVERY_MS);
    const took = performance.now() - began;
    store.assertDoneOnce(KIND, WARMUP_JOBS + count);
    store.assertKept(KIND, null, WARMUP_JOBS + count);
    store.assertKept(STRANGE_KIND, "ready", strangers);
    return took;
  } finally {
    store.close();
  }
}

/**
 * Of a server that finds its jobs when it starts.
 * @returns Milliseconds until so many were done.
 */
async function runFirst(server: Server, count: number, backlog: number): Promise<number> {
  const store = new JobStore(server);
  try {
    await store.untilEnded(count, 4 * LOOK_EVERY_MS);
    if (count === backlog) store.assertDoneOnce(KIND, count);
    store.assertKept(KIND, null, backlog);
    return store.millisecondsOfFirst(count);
  } finally {
    store.close();
  }
}

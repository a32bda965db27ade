import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Api } from "posthaste";
import type { Observation } from "../../src/kernel/observations.ts";
import { type Service, type ServiceOptions, startService } from "../../src/pipeline/service.ts";
import { temporaryFolder } from "./folder.ts";
import { eventually } from "./time.ts";

type Cleaner = { after(clean: () => unknown): void };
export type StoredRow = Record<string, unknown>;

/** Rows of a store, as they are in its file. */
export function look(store: string, sql: string, ...values: SQLInputValue[]): StoredRow[] {
  const database = new DatabaseSync(store, { readOnly: true, timeout: 5_000 });
  try {
    return database
      .prepare(sql)
      .all(...values)
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

/** Changes a store behind its server's back, as another release or a crash would leave it. */
export function changeStore(store: string, sql: string, ...values: SQLInputValue[]): void {
  const database = new DatabaseSync(store, { timeout: 5_000 });
  try {
    database.prepare(sql).run(...values);
  } finally {
    database.close();
  }
}

/** The jobs of a kind, oldest first. */
export function jobsIn(store: string, kind: string): StoredRow[] {
  return look(store, "SELECT * FROM posthaste_jobs WHERE kind = ? ORDER BY number", kind);
}

/** An API at work without HTTP, with what it observed of itself. */
export interface Workshop {
  readonly service: Service;
  readonly store: string;
  readonly observed: Observation[];
  /** Observations of this event. */
  told(event: Observation["event"]): readonly StoredRow[];
  /** Puts rows into the queue in a transaction, as whoever writes to the store could. */
  sql(statement: string, ...values: SQLInputValue[]): StoredRow[];
  /** Resolves when all jobs of a kind have ended. */
  finished(kind: string, milliseconds?: number): Promise<StoredRow[]>;
  close(): Promise<void>;
}

/** Opens a service on a store of its own, or on one that is given; a beat is 50 ms. */
export async function workshop(
  t: Cleaner,
  api: Api,
  options: Partial<ServiceOptions> = {},
): Promise<Workshop> {
  const store = options.store ?? join(temporaryFolder(t as never), "store.db");
  const observed: Observation[] = [];
  const service = await startService(
    api,
    { base: "/api", pages: "" },
    { observe: (each) => observed.push(each), beatMs: 50, jobGraceMs: 0, ...options, store },
  );
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= service.close();
    return closing;
  };
  t.after(close);
  return {
    service,
    store,
    observed,
    told: (event) => observed.filter((each) => each.event === event).map((each) => ({ ...each })),
    sql: (statement, ...values) => look(store, statement, ...values),
    finished: (kind, milliseconds = 20_000) =>
      eventually(milliseconds, `the jobs of ${kind} have ended`, () => {
        const jobs = jobsIn(store, kind);
        const ended = ({ state }: StoredRow) =>
          state === "done" || state === "failed" || state === "cancelled";
        return jobs.length > 0 && jobs.every(ended) ? jobs : undefined;
      }),
    close,
  };
}

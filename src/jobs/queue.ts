import { type RawBuilder, sql } from "kysely";
import type { Engine, Executor, SqlRow } from "../store/port.ts";

export type JobState = "scheduled" | "ready" | "running" | "done" | "failed" | "cancelled";

/** A job to be put into the queue. Times are milliseconds since the Unix epoch. */
export interface NewJob {
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly priority: number;
  /** No attempt before. */
  readonly runAt: number;
  readonly unique: string | undefined;
  /** Id of the principal who caused it; only that one may see it. */
  readonly owner: string | undefined;
  /** Id of the operation that answered 202 with it; without one it has no status monitor. */
  readonly operation: string | undefined;
  readonly now: number;
}

/** A job that a worker has taken. */
export interface ClaimedJob {
  readonly number: number;
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly attempt: number;
  readonly priority: number;
}

/** A job as it stands in the queue. */
export interface StoredJob extends ClaimedJob {
  readonly state: JobState;
  readonly runAt: number;
  readonly owner: string | undefined;
  readonly operation: string | undefined;
  readonly progress: unknown;
  readonly result: unknown;
  /** What went wrong at the last attempt; for the operator, never for clients. */
  readonly error: string | undefined;
  /** What clients may know of the failure. */
  readonly failure: PublicFailure | undefined;
  readonly cancelling: boolean;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
}

export interface PublicFailure {
  readonly code: string;
  readonly detail: string;
}

/** Proof that a worker still has a job: another attempt has another number. */
export interface Hold {
  readonly number: number;
  readonly attempt: number;
  readonly worker: string;
}

/** How an attempt ended. */
export type Ending =
  | { readonly as: "done"; readonly result: unknown; readonly keepMs: number }
  | { readonly as: "retry"; readonly runAt: number; readonly error: string }
  /** Not counted as an attempt: a workflow that sleeps, a server that stops. */
  | { readonly as: "suspended"; readonly runAt: number; readonly error?: string }
  | {
      readonly as: "failed";
      readonly error: string;
      readonly failure: PublicFailure;
      readonly keepMs: number;
    }
  | { readonly as: "cancelled"; readonly keepMs: number };

/** How long it is known of a job that it was cancelled. */
const KEEP_CANCELLED_MS = 86_400_000;

const MINE = sql`number = ${0} AND worker = ${""} AND attempt = ${0} AND state = 'running'`;

/** The statements of the queue, compiled once for an engine. */
export class Queue {
  readonly #insert: string;
  readonly #findUnique: string;
  readonly #promote: string;
  readonly #nextDue: string;
  readonly #claim: string;
  readonly #hold: string;
  readonly #done: string;
  readonly #again: string;
  readonly #failed: string;
  readonly #cancelWaiting: string;
  readonly #cancelRunning: string;
  readonly #retry: string;
  readonly #reclaim: string;
  readonly #progress: string;
  readonly #find: string;
  readonly #list: string;
  readonly #held: string;
  readonly #replan: string;
  readonly #cancelling: string;
  readonly #sweep: string;
  readonly #steps: string;
  readonly #checkpoint: string;
  readonly #beat: string;
  readonly #beats: string;
  readonly #leave: string;

  constructor({ compiler }: Engine) {
    const text = (query: RawBuilder<unknown>) => query.compile(compiler).sql;
    this.#insert = text(sql`
      INSERT INTO posthaste_jobs
        (id, kind, input, state, priority, run_at, unique_key, owner, operation, created_at)
      VALUES (${""}, ${""}, ${""}, ${""}, ${0}, ${0}, ${""}, ${""}, ${""}, ${0})
      ON CONFLICT DO NOTHING RETURNING number`);
    this.#findUnique = text(sql`
      SELECT id FROM posthaste_jobs
      WHERE kind = ${""} AND unique_key = ${""} AND state IN ('ready', 'scheduled', 'running')`);
    this.#promote = text(sql`
      UPDATE posthaste_jobs SET state = 'ready' WHERE number IN (
        SELECT number FROM posthaste_jobs
        WHERE state = 'scheduled' AND run_at <= ${0} ORDER BY run_at LIMIT ${0})
      RETURNING kind`);
    this.#nextDue = text(sql`
      SELECT min(run_at) AS due FROM posthaste_jobs WHERE state = 'scheduled'`);
    this.#claim = text(sql`
      UPDATE posthaste_jobs
      SET state = 'running', worker = ${""}, attempt = attempt + 1, started_at = ${0}
      WHERE number IN (
        SELECT number FROM posthaste_jobs
        WHERE state = 'ready' AND kind = ${""} ORDER BY priority DESC, number LIMIT ${0})
      RETURNING number, id, kind, input, attempt, priority`);
    this.#hold = text(sql`SELECT 1 FROM posthaste_jobs WHERE ${MINE}`);
    this.#done = text(sql`
      UPDATE posthaste_jobs
      SET state = 'done', worker = NULL, result = ${""}, error = NULL,
        finished_at = ${0}, expires_at = ${0}
      WHERE ${MINE} RETURNING number`);
    this.#again = text(sql`
      UPDATE posthaste_jobs
      SET state = CASE cancelling WHEN 1 THEN 'cancelled' ELSE 'scheduled' END, worker = NULL,
        run_at = ${0}, error = ${""}, attempt = attempt - ${0},
        finished_at = CASE cancelling WHEN 1 THEN ${0} END,
        expires_at = CASE cancelling WHEN 1 THEN ${0} END
      WHERE ${MINE} RETURNING number`);
    this.#failed = text(sql`
      UPDATE posthaste_jobs
      SET state = ${""}, worker = NULL, error = ${""}, failure = ${""},
        finished_at = ${0}, expires_at = ${0}
      WHERE ${MINE} RETURNING number`);
    this.#cancelWaiting = text(sql`
      UPDATE posthaste_jobs
      SET state = 'cancelled', finished_at = ${0}, expires_at = ${0}
      WHERE id = ${""} AND state IN ('ready', 'scheduled') RETURNING number`);
    this.#cancelRunning = text(sql`
      UPDATE posthaste_jobs SET cancelling = 1
      WHERE id = ${""} AND state = 'running' RETURNING number`);
    this.#retry = text(sql`
      UPDATE posthaste_jobs
      SET state = 'ready', attempt = 0, run_at = ${0}, finished_at = NULL, expires_at = NULL,
        failure = NULL, cancelling = 0
      WHERE id = ${""} AND state IN ('failed', 'cancelled') RETURNING kind`);
    this.#reclaim = text(sql`
      UPDATE posthaste_jobs
      SET state = CASE cancelling WHEN 1 THEN 'cancelled' ELSE 'ready' END, worker = NULL,
        finished_at = CASE cancelling WHEN 1 THEN ${0} END,
        expires_at = CASE cancelling WHEN 1 THEN ${0} END
      WHERE worker = ${""} AND state = 'running' RETURNING kind`);
    this.#progress = text(sql`
      UPDATE posthaste_jobs SET progress = ${""} WHERE ${MINE} RETURNING number`);
    this.#find = text(sql`SELECT * FROM posthaste_jobs WHERE id = ${""}`);
    this.#list = text(sql`
      SELECT * FROM posthaste_jobs
      WHERE (${""} IS NULL OR state = ${""}) AND (${""} IS NULL OR kind = ${""})
      ORDER BY number DESC LIMIT ${0}`);
    this.#held = text(sql`
      SELECT number, attempt, kind, id FROM posthaste_jobs
      WHERE worker = ${""} AND state = 'running'`);
    this.#replan = text(sql`
      UPDATE posthaste_jobs SET id = ${""}, run_at = ${0}
      WHERE kind = ${""} AND unique_key = ${""} AND state = 'scheduled' AND started_at IS NULL
        -- In the words of the unique index, by which it is found.
        AND unique_key IS NOT NULL AND state IN ('ready', 'scheduled', 'running')
        AND run_at > ${0} AND NOT EXISTS (SELECT 1 FROM posthaste_jobs WHERE id = ${""})`);
    this.#cancelling = text(sql`
      SELECT number FROM posthaste_jobs
      WHERE worker = ${""} AND state = 'running' AND cancelling = 1`);
    this.#sweep = text(sql`
      DELETE FROM posthaste_jobs WHERE number IN (
        SELECT number FROM posthaste_jobs
        WHERE expires_at <= ${0} ORDER BY expires_at LIMIT ${0})
      RETURNING number`);
    this.#steps = text(sql`SELECT name, result, wake_at FROM posthaste_steps WHERE job = ${0}`);
    this.#checkpoint = text(sql`
      INSERT INTO posthaste_steps (job, name, result, wake_at, done_at)
      VALUES (${0}, ${""}, ${""}, ${0}, ${0})`);
    this.#beat = text(sql`
      INSERT INTO posthaste_workers (instance, beat) VALUES (${""}, 1)
      ON CONFLICT (instance) DO UPDATE SET beat = posthaste_workers.beat + 1`);
    this.#beats = text(sql`
      SELECT instance, beat FROM posthaste_workers
      UNION
      SELECT DISTINCT worker, 0 FROM posthaste_jobs
      WHERE state = 'running' AND worker NOT IN (SELECT instance FROM posthaste_workers)`);
    this.#leave = text(sql`DELETE FROM posthaste_workers WHERE instance = ${""}`);
  }

  /** @returns the id of the job: a new one's, or that of the one with the same unique key */
  async insert(on: Executor, job: NewJob): Promise<string> {
    const inserted = await on.execute(this.#insert, [
      job.id,
      job.kind,
      JSON.stringify(job.input ?? null),
      job.runAt > job.now ? "scheduled" : "ready",
      job.priority,
      job.runAt,
      job.unique ?? null,
      job.owner ?? null,
      job.operation ?? null,
      job.now,
    ]);
    if (inserted.length > 0 || job.unique === undefined) return job.id;
    const [other] = await on.execute(this.#findUnique, [job.kind, job.unique]);
    return other === undefined ? job.id : String(other.id);
  }

  /**
   * Puts in the next occurrence of a schedule. One that waits for a later time is from a schedule
   * that was another one then: it is moved.
   */
  async plan(on: Executor, job: NewJob): Promise<void> {
    const { id, kind, runAt, unique } = job;
    await on.execute(this.#replan, [id, runAt, kind, unique ?? null, runAt, id]);
    await this.insert(on, job);
  }

  /** Makes jobs ready whose time has come, this many at the most. @returns their kinds */
  async promote(on: Executor, now: number, limit: number): Promise<string[]> {
    const rows = await on.execute(this.#promote, [now, limit]);
    return rows.map(({ kind }) => String(kind));
  }

  /** When the next job is due that is not ready yet. */
  async nextDue(on: Executor): Promise<number | undefined> {
    const [row] = await on.execute(this.#nextDue, []);
    return row?.due === null || row === undefined ? undefined : Number(row.due);
  }

  /** Takes ready jobs of a kind for a worker, the most urgent first. */
  async claim(
    on: Executor,
    { worker, kind, limit, now }: { worker: string; kind: string; limit: number; now: number },
  ): Promise<ClaimedJob[]> {
    const rows = await on.execute(this.#claim, [worker, now, kind, limit]);
    return rows.map(claimedOf).sort((a, b) => b.priority - a.priority || a.number - b.number);
  }

  /** Whether the worker still has the job. */
  async holds(on: Executor, hold: Hold): Promise<boolean> {
    return (await on.execute(this.#hold, mine(hold))).length > 0;
  }

  /** @returns false where the job is somebody else's by now; nothing was changed then */
  async end(on: Executor, hold: Hold, ending: Ending, now: number): Promise<boolean> {
    const cancelled = [now, now + KEEP_CANCELLED_MS];
    const rows = await (() => {
      switch (ending.as) {
        case "done":
          return on.execute(this.#done, [
            JSON.stringify(ending.result ?? null),
            now,
            now + ending.keepMs,
            ...mine(hold),
          ]);
        case "retry":
          return on.execute(this.#again, [
            ending.runAt,
            ending.error,
            0,
            ...cancelled,
            ...mine(hold),
          ]);
        case "suspended":
          return on.execute(this.#again, [
            ending.runAt,
            ending.error ?? null,
            1,
            ...cancelled,
            ...mine(hold),
          ]);
        case "failed":
          return on.execute(this.#failed, [
            "failed",
            ending.error,
            JSON.stringify(ending.failure),
            now,
            now + ending.keepMs,
            ...mine(hold),
          ]);
        case "cancelled":
          return on.execute(this.#failed, [
            "cancelled",
            null,
            null,
            now,
            now + ending.keepMs,
            ...mine(hold),
          ]);
      }
    })();
    return rows.length > 0;
  }

  /** Cancels a job that waits at once; one that runs is marked, and its worker ends it. */
  async cancel(
    on: Executor,
    id: string,
    now: number,
    keepMs: number,
  ): Promise<"cancelled" | "cancelling" | "finished"> {
    const waiting = await on.execute(this.#cancelWaiting, [now, now + keepMs, id]);
    if (waiting.length > 0) return "cancelled";
    const running = await on.execute(this.#cancelRunning, [id]);
    return running.length > 0 ? "cancelling" : "finished";
  }

  /** Makes a failed or cancelled job ready again, with all its attempts. @returns its kind */
  async retry(on: Executor, id: string, now: number): Promise<string | undefined> {
    const [row] = await on.execute(this.#retry, [now, id]);
    return row === undefined ? undefined : String(row.kind);
  }

  /** Gives back what a worker had that is gone. @returns the kinds of those jobs */
  async reclaim(on: Executor, worker: string, now: number): Promise<string[]> {
    const rows = await on.execute(this.#reclaim, [now, now + KEEP_CANCELLED_MS, worker]);
    await on.execute(this.#leave, [worker]);
    return rows.map(({ kind }) => String(kind));
  }

  async progress(on: Executor, hold: Hold, value: unknown): Promise<void> {
    await on.execute(this.#progress, [JSON.stringify(value ?? null), ...mine(hold)]);
  }

  async find(on: Executor, id: string): Promise<StoredJob | undefined> {
    const [row] = await on.execute(this.#find, [id]);
    return row === undefined ? undefined : storedOf(row);
  }

  /** The newest first. */
  async list(
    on: Executor,
    wanted: {
      readonly state: JobState | undefined;
      readonly kind: string | undefined;
      readonly limit: number;
    },
  ): Promise<StoredJob[]> {
    const { state = null, kind = null, limit } = wanted;
    return (await on.execute(this.#list, [state, state, kind, kind, limit])).map(storedOf);
  }

  /** What a worker has. */
  async held(
    on: Executor,
    worker: string,
  ): Promise<Pick<ClaimedJob, "number" | "attempt" | "kind" | "id">[]> {
    const rows = await on.execute(this.#held, [worker]);
    return rows.map(({ number, attempt, kind, id }) => ({
      number: Number(number),
      attempt: Number(attempt),
      kind: String(kind),
      id: String(id),
    }));
  }

  /** Numbers of the worker's jobs that somebody wants cancelled. */
  async cancelling(on: Executor, worker: string): Promise<number[]> {
    return (await on.execute(this.#cancelling, [worker])).map(({ number }) => Number(number));
  }

  /** Removes finished jobs whose time is over. @returns how many */
  async sweep(on: Executor, now: number, limit: number): Promise<number> {
    return (await on.execute(this.#sweep, [now, limit])).length;
  }

  async steps(on: Executor, job: number): Promise<Map<string, StoredStep>> {
    const rows = await on.execute(this.#steps, [job]);
    return new Map(
      rows.map(({ name, result, wake_at }) => [
        String(name),
        {
          result: result === null ? undefined : JSON.parse(String(result)),
          wakeAt: wake_at === null ? undefined : Number(wake_at),
        },
      ]),
    );
  }

  /** Remembers a step as done. The database refuses a second one of the name. */
  async checkpoint(
    on: Executor,
    job: number,
    step: { readonly name: string; readonly result: unknown; readonly wakeAt: number | undefined },
    now: number,
  ): Promise<void> {
    const { name, result, wakeAt } = step;
    const text = result === undefined ? null : JSON.stringify(result);
    await on.execute(this.#checkpoint, [job, name, text, wakeAt ?? null, now]);
  }

  /** Says that a worker lives. */
  async beat(on: Executor, worker: string): Promise<void> {
    await on.execute(this.#beat, [worker]);
  }

  /** Every worker that is known, or has jobs, and how often it has said that it lives. */
  async beats(on: Executor): Promise<{ worker: string; beat: number }[]> {
    const rows = await on.execute(this.#beats, []);
    return rows.map(({ instance, beat }) => ({ worker: String(instance), beat: Number(beat) }));
  }
}

export interface StoredStep {
  readonly result: unknown;
  /** Of a sleep: when it ends. */
  readonly wakeAt: number | undefined;
}

function mine({ number, worker, attempt }: Hold): unknown[] {
  return [number, worker, attempt];
}

function claimedOf(row: SqlRow): ClaimedJob {
  return {
    number: Number(row.number),
    id: String(row.id),
    kind: String(row.kind),
    input: JSON.parse(String(row.input)),
    attempt: Number(row.attempt),
    priority: Number(row.priority),
  };
}

export function storedOf(row: SqlRow): StoredJob {
  const json = (value: unknown) => (value === null ? undefined : JSON.parse(String(value)));
  const text = (value: unknown) => (value === null ? undefined : String(value));
  const time = (value: unknown) => (value === null ? undefined : Number(value));
  return {
    ...claimedOf(row),
    state: row.state as JobState,
    runAt: Number(row.run_at),
    owner: text(row.owner),
    operation: text(row.operation),
    progress: json(row.progress),
    result: json(row.result),
    error: text(row.error),
    failure: json(row.failure),
    cancelling: Number(row.cancelling) === 1,
    createdAt: Number(row.created_at),
    startedAt: time(row.started_at),
    finishedAt: time(row.finished_at),
  };
}

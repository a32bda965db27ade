import { existsSync } from "node:fs";
import { type JobCommand, performJobCommand } from "../jobs/commands.ts";
import { type JobState, Queue, type StoredJob } from "../jobs/queue.ts";
import { systemClock } from "../kernel/clock.ts";
import { engineOf, openSchema, openStore } from "../store/open.ts";
import { type Store, StoreError } from "../store/port.ts";
import { CommandError, painter } from "./terminal.ts";

export interface JobsOptions {
  readonly store: string;
  readonly json: boolean;
}

export interface JobsListOptions extends JobsOptions {
  readonly state?: string;
  readonly kind?: string;
  readonly limit: string;
}

const states: readonly JobState[] = [
  "scheduled",
  "ready",
  "running",
  "done",
  "failed",
  "cancelled",
];

/** `posthaste jobs list`: the newest first. */
export async function listJobs(options: JobsListOptions): Promise<void> {
  const { state, kind } = options;
  const limit = Number(options.limit);
  if (state !== undefined && !states.includes(state as JobState))
    throw new CommandError(`There is no state "${state}": the states are ${states.join(", ")}.`);
  if (!Number.isInteger(limit) || limit < 1)
    throw new CommandError(`--limit takes a whole number of jobs, and got "${options.limit}".`);
  await withQueue(options, async (queue, store) => {
    const jobs = await queue.list(store.reader, { state: state as JobState, kind, limit });
    if (options.json) return print(JSON.stringify(jobs, null, 2));
    if (jobs.length === 0) return print("There is no such job.");
    print(table(jobs));
    if (jobs.length === limit) print(`The newest ${limit}; --limit shows more.`);
  });
}

/** `posthaste jobs show ID`: everything that is known of one. */
export async function showJob(id: string, options: JobsOptions): Promise<void> {
  await withQueue(options, async (queue, store) => {
    const job = await find(queue, store, id);
    const steps = [...(await queue.steps(store.reader, job.number)).keys()];
    print(options.json ? JSON.stringify({ ...job, steps }, null, 2) : details(job, steps));
  });
}

/** `posthaste jobs retry ID`: a dead letter, or a cancelled job, gets all its attempts again. */
export async function retryJob(id: string, options: JobsOptions): Promise<void> {
  await withQueue(options, async (queue, store) => {
    const job = await find(queue, store, id);
    const retry = { job: "retry", id: job.id, now: systemClock.now() } as const;
    const kind = await command(store, retry).catch((error: unknown) => {
      if (!(error instanceof StoreError && error.kind === "unique")) throw error;
      throw new CommandError(
        `Another ${job.kind} with the same unique key waits or runs. Try again when that has ended.`,
      );
    });
    if (kind === undefined || kind === null)
      throw new CommandError(
        `Only what failed or was cancelled can be tried again; this job is ${job.state}.`,
      );
    print(`${job.kind} ${job.id} is ready again.`);
  });
}

/** `posthaste jobs cancel ID`. */
export async function cancelJob(id: string, options: JobsOptions): Promise<void> {
  await withQueue(options, async (queue, store) => {
    const job = await find(queue, store, id);
    const keepMs = 86_400_000;
    const now = systemClock.now();
    const outcome = await command(store, { job: "cancel", id: job.id, now, keepMs });
    if (outcome === "finished")
      throw new CommandError(`There is nothing to cancel: the job is ${job.state}.`);
    print(
      outcome === "cancelled"
        ? `${job.kind} ${job.id} is cancelled.`
        : `${job.kind} ${job.id} runs; the server that runs it is told to end it.`,
    );
  });
}

async function withQueue(
  { store: address }: JobsOptions,
  work: (queue: Queue, store: Store) => Promise<void>,
): Promise<void> {
  const queue = new Queue(engineOf(address));
  assertHasJobs(address);
  const store = await openStore(address, {
    observe: () => {},
    writer: {
      place: "here",
      perform: (unit, transaction) => performJobCommand(queue, unit as JobCommand, transaction),
    },
  });
  try {
    await work(queue, store);
  } finally {
    await store.close();
  }
}

/** Looks without changing anything: a name that was mistyped must not become a database. */
function assertHasJobs(address: string): void {
  const file = /^file:/i.test(address) ? new URL(address) : address.replace(/^sqlite:(\/\/)?/i, "");
  if (!existsSync(file))
    throw new CommandError(`There is no database ${address}. Name it with --store.`);
  const schema = openSchema(address, "read");
  try {
    schema.hasRows("posthaste_jobs");
  } catch (error) {
    if (!/no such table/.test((error as Error).message)) throw error;
    throw new CommandError(`The database ${address} has no jobs yet: serve the API with it once.`);
  } finally {
    schema.close();
  }
}

function command(store: Store, unit: JobCommand): Promise<unknown> {
  return store.lane.submit(unit);
}

async function find(queue: Queue, store: Store, id: string): Promise<StoredJob> {
  const job = await queue.find(store.reader, id);
  if (job === undefined)
    throw new CommandError(`There is no job ${id}. posthaste jobs list shows them.`);
  return job;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const colours = {
  scheduled: "blue",
  ready: "cyan",
  running: "yellow",
  done: "green",
  failed: "red",
  cancelled: "dim",
} as const;

function table(jobs: readonly StoredJob[]): string {
  const paint = painter(process.stdout);
  const kindWidth = Math.max(4, ...jobs.map(({ kind }) => kind.length));
  const idWidth = Math.max(2, ...jobs.map(({ id }) => id.length));
  const head = `${"id".padEnd(idWidth)}  ${"kind".padEnd(kindWidth)}  ${"state".padEnd(9)}  tries  made`;
  const rows = jobs.map(({ id, kind, state, attempt, createdAt, error }) => {
    const why = state === "failed" || (state === "scheduled" && error !== undefined);
    return [
      printable(id).padEnd(idWidth),
      printable(kind).padEnd(kindWidth),
      paint(colours[state], state.padEnd(9)),
      String(attempt).padStart(5),
      new Date(createdAt).toISOString(),
      ...(why ? [paint("dim", printable(firstLine(error ?? "").slice(0, 60)))] : []),
    ].join("  ");
  });
  return [paint("bold", head), ...rows].join("\n");
}

function details(job: StoredJob, steps: readonly string[]): string {
  const paint = painter(process.stdout);
  const time = (value: number | undefined) =>
    value === undefined ? undefined : new Date(value).toISOString();
  const text = (value: string | undefined) => (value === undefined ? undefined : printable(value));
  const json = (value: unknown) =>
    value === undefined ? undefined : printable(JSON.stringify(value));
  const facts: [string, string | undefined][] = [
    ["id", text(job.id)],
    ["kind", text(job.kind)],
    ["state", paint(colours[job.state], job.state)],
    ["attempts", String(job.attempt)],
    ["priority", String(job.priority)],
    ["made", time(job.createdAt)],
    ["due", job.state === "scheduled" ? time(job.runAt) : undefined],
    ["started", time(job.startedAt)],
    ["finished", time(job.finishedAt)],
    ["owner", text(job.owner)],
    ["operation", text(job.operation)],
    ["input", json(job.input)],
    ["progress", json(job.progress)],
    ["steps done", steps.length === 0 ? undefined : text(steps.join(", "))],
    ["result", json(job.result)],
    ["failure", json(job.failure)],
    ["error", text(job.error)],
  ];
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${paint("bold", name.padEnd(10))}  ${value}`)
    .join("\n");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

/** Errors and inputs have strangers' words in them, which must not speak to the terminal. */
function printable(text: string): string {
  return text.replace(
    /[^\P{Cc}\n]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

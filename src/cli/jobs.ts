import { existsSync } from "node:fs";
import { type JobCommand, performJobCommand } from "../jobs/commands.ts";
import { type JobState, Queue, type StoredJob } from "../jobs/queue.ts";
import { engineOf, openStore } from "../store/open.ts";
import type { Store } from "../store/port.ts";
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
    if (options.json) return print(JSON.stringify(job, null, 2));
    const steps = await queue.steps(store.reader, job.number);
    print(details(job, [...steps.keys()]));
  });
}

/** `posthaste jobs retry ID`: a dead letter, or a cancelled job, gets all its attempts again. */
export async function retryJob(id: string, options: JobsOptions): Promise<void> {
  await withQueue(options, async (queue, store) => {
    const job = await find(queue, store, id);
    const kind = await command(store, { job: "retry", id: job.id, now: Date.now() });
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
    const outcome = await command(store, { job: "cancel", id: job.id, now: Date.now(), keepMs });
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
  const engine = engineOf(address);
  if (!existsSync(address.replace(/^sqlite:(\/\/)?/, ""))) {
    throw new CommandError(`There is no database ${address}. Name it with --store.`);
  }
  const queue = new Queue(engine);
  const store = await openStore(address, {
    observe: () => {},
    writer: {
      place: "here",
      perform: (unit, transaction) => performJobCommand(queue, unit as JobCommand, transaction),
    },
  });
  try {
    await work(queue, store);
  } catch (error) {
    if (/no such table/.test((error as Error).message)) {
      throw new CommandError(
        `The database ${address} has no jobs yet: serve the API with it once.`,
      );
    }
    throw error;
  } finally {
    await store.close();
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
      id.padEnd(idWidth),
      kind.padEnd(kindWidth),
      paint(colours[state], state.padEnd(9)),
      String(attempt).padStart(5),
      new Date(createdAt).toISOString(),
      ...(why ? [paint("dim", firstLine(error ?? "").slice(0, 60))] : []),
    ].join("  ");
  });
  return [paint("bold", head), ...rows].join("\n");
}

function details(job: StoredJob, steps: readonly string[]): string {
  const paint = painter(process.stdout);
  const time = (value: number | undefined) =>
    value === undefined ? undefined : new Date(value).toISOString();
  const json = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  const facts: [string, string | undefined][] = [
    ["id", job.id],
    ["kind", job.kind],
    ["state", paint(colours[job.state], job.state)],
    ["attempts", String(job.attempt)],
    ["priority", String(job.priority)],
    ["made", time(job.createdAt)],
    ["due", job.state === "scheduled" ? time(job.runAt) : undefined],
    ["started", time(job.startedAt)],
    ["finished", time(job.finishedAt)],
    ["owner", job.owner],
    ["operation", job.operation],
    ["input", json(job.input)],
    ["progress", json(job.progress)],
    ["steps done", steps.length === 0 ? undefined : steps.join(", ")],
    ["result", json(job.result)],
    ["failure", json(job.failure)],
    ["error", job.error],
  ];
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${paint("bold", name.padEnd(10))}  ${value}`)
    .join("\n");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

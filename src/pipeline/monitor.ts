import type { Preferences } from "../content/preferences.ts";
import type { Principal } from "../declare/access.ts";
import type { JobState, StoredJob } from "../jobs/queue.ts";
import { Problem } from "../kernel/problems.ts";
import type { Answer } from "./answer.ts";
import type { Negotiated } from "./exchange.ts";
import { locationPath } from "./location.ts";
import { EVENT_STREAM } from "./negotiate.ts";
import { caching } from "./read.ts";
import type { Serving } from "./serving.ts";

/** What clients see of a job. */
export interface JobDocument {
  readonly id: string;
  readonly state: PublicState;
  readonly progress?: unknown;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly result?: unknown;
  /** Why it failed: a type of the API's own, and a sentence. */
  readonly failure?: { readonly code: string; readonly detail: string };
  readonly links: { readonly self: string };
}

type PublicState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

const publicStates: Readonly<Record<JobState, PublicState>> = {
  scheduled: "waiting",
  ready: "waiting",
  running: "running",
  done: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

const RETRY_AFTER_SECONDS = "1";

export function jobPath({ place }: Serving, id: string): string {
  return `${place.base}/jobs/${id}`;
}

/** The answer to a request whose work has only been put down: 202 (RFC 9110 section 15.3.3). */
export function acceptedAnswer(
  serving: Serving,
  id: string,
  now: number,
  { respondAsync }: Preferences,
): Answer {
  const path = jobPath(serving, id);
  const document: JobDocument = {
    id,
    state: "waiting",
    createdAt: new Date(now).toISOString(),
    links: { self: path },
  };
  return {
    status: 202,
    headers: {
      "content-type": "application/json",
      location: path,
      "retry-after": RETRY_AFTER_SECONDS,
      ...(respondAsync ? { "preference-applied": "respond-async" } : {}),
    },
    body: JSON.stringify(document),
    problem: undefined,
  };
}

/**
 * Finds a job for whoever may know of it: who caused it, or, where nobody was known, who has its
 * id, which nobody guesses. Jobs that no answer named have no monitor.
 * @throws Problem not-found
 */
export async function findJob(
  { serving, reader }: Negotiated,
  id: string,
  principal: Principal | null,
): Promise<StoredJob> {
  const job = await serving.queue.find(reader, id.toLowerCase());
  const visible = job?.operation !== undefined && job.owner === principal?.id;
  if (job === undefined || !visible) throw new Problem("not-found");
  return job;
}

export function isFinished({ state }: StoredJob): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

export function jobDocument(serving: Serving, job: StoredJob): JobDocument {
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  const { startedAt, finishedAt } = job;
  return {
    id: job.id,
    state: publicStates[job.state],
    ...(job.progress === undefined ? {} : { progress: job.progress }),
    createdAt: time(job.createdAt),
    ...(startedAt === undefined ? {} : { startedAt: time(startedAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: time(finishedAt) }),
    ...(job.state === "done" ? { result: job.result } : {}),
    ...(job.failure === undefined ? {} : { failure: job.failure }),
    links: { self: jobPath(serving, job.id) },
  };
}

/** `GET /jobs/{id}`: how far a job is, and what came of it. */
export async function readJob(exchange: Negotiated): Promise<Answer> {
  const job = await findJob(exchange, exchange.params.id ?? "", exchange.principal);
  if (exchange.accepted === EVENT_STREAM) {
    const headers = { "content-type": EVENT_STREAM, "cache-control": "no-store" };
    const events = jobEvents(exchange, job.id);
    return { status: 200, headers, body: undefined, events, problem: undefined };
  }
  const location = exchange.serving.api.jobs.get(job.kind)?.location;
  if (job.state !== "done" || location === undefined) return jobAnswer(exchange, job);
  // RFC 9110 section 15.4.4: what the job has made is elsewhere.
  const path = locationPath(`the job "${job.kind}"`, location(job.result));
  const headers = { location: `${exchange.serving.place.base}${path}` };
  return { status: 303, headers, body: undefined, problem: undefined };
}

/** Milliseconds of silence after which a proxy might take the connection for dead. */
const QUIET_MS = 15_000;

/** Every change of a job, as server-sent events, until it has ended. */
async function* jobEvents(exchange: Negotiated, id: string): AsyncGenerator<string> {
  let last = "";
  let spoken = performance.now();
  for (;;) {
    const changed = exchange.work.change(id, QUIET_MS);
    const job = await exchange.serving.queue.find(exchange.reader, id);
    if (job === undefined) return;
    const data = JSON.stringify(jobDocument(exchange.serving, job));
    const quiet = performance.now() - spoken > QUIET_MS;
    if (data !== last || quiet) spoken = performance.now();
    if (data !== last) yield `event: job\ndata: ${data}\n\n`;
    else yield quiet ? ":\n\n" : "";
    last = data;
    if (isFinished(job)) return;
    await changed;
  }
}

export function jobAnswer(exchange: Negotiated, job: StoredJob): Answer {
  const { serving } = exchange;
  return {
    status: 200,
    headers: {
      "content-type": "application/json",
      ...caching(exchange),
      ...(isFinished(job) ? {} : { "retry-after": RETRY_AFTER_SECONDS }),
    },
    body: JSON.stringify(jobDocument(serving, job)),
    problem: undefined,
  };
}

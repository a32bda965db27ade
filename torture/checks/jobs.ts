import type { DatabaseSync } from "node:sqlite";
import type { Books } from "../books.ts";
import type { Report } from "./violation.ts";

interface JobRow {
  readonly number: number;
  readonly id: string;
  readonly kind: string;
  readonly input: string;
  readonly state: string;
  readonly attempt: number;
  readonly error: string | null;
  readonly failure: string | null;
}

const STEPS = ["quote", "reserve", "rest", "settle"];
const COUNTED = ["reserve", "settle"];

/**
 * No job is lost: what asked for one has exactly one, and that came to its end. Each attempt was
 * committed once at the most, and each transactional step of a workflow exactly once.
 */
export function checkJobs(database: DatabaseSync, books: Books, report: Report): number {
  const jobs = new Map<string, JobRow>();
  const shipOf = new Map<number, string>();
  const fulfilOf = new Map<string, string>();
  for (const row of database.prepare("SELECT * FROM posthaste_jobs ORDER BY number").iterate()) {
    const job = row as unknown as JobRow;
    jobs.set(job.id, job);
    const { order, reference } = JSON.parse(job.input) as { order: number; reference: string };
    if (job.kind === "ship") {
      if (shipOf.has(order)) report("twice", job.id, `order ${order} has two jobs`);
      else shipOf.set(order, job.id);
    } else {
      if (fulfilOf.has(reference)) report("twice", reference, "has two workflows");
      else fulfilOf.set(reference, job.id);
    }
  }
  checkShipments(database, jobs, shipOf, report);
  checkWorkflows(database, jobs, fulfilOf, books, report);
  return jobs.size;
}

function checkShipments(
  database: DatabaseSync,
  jobs: ReadonlyMap<string, JobRow>,
  shipOf: Map<number, string>,
  report: Report,
): void {
  const shipped = new Map<string, Set<number>>();
  for (const row of database.prepare("SELECT * FROM shipments").iterate()) {
    const id = String(row.job);
    const attempt = Number(row.attempt);
    const attempts = shipped.get(id) ?? new Set();
    if (attempts.has(attempt)) report("attempt-twice", id, `attempt ${attempt}`);
    shipped.set(id, attempts.add(attempt));
    const job = jobs.get(id);
    if (job === undefined || JSON.parse(job.input).order !== row.order || attempt > job.attempt)
      report("unasked", id, `shipment ${row.id}`);
  }
  for (const { id: order } of database.prepare("SELECT id FROM orders").iterate()) {
    const id = shipOf.get(Number(order));
    shipOf.delete(Number(order));
    const job = jobs.get(id ?? "");
    if (job === undefined) {
      report("job-missing", `order ${order}`, "no shipment is in the queue, nor was");
      continue;
    }
    checkEnd(job, Number(order) % 13 === 0 ? "out-of-stock" : undefined, report);
    if (job.state === "done" && !shipped.has(job.id))
      report("step-missing", job.id, `order ${order} was not shipped`);
  }
  for (const [order, id] of shipOf) report("unasked", id, `there is no order ${order}`);
}

function checkWorkflows(
  database: DatabaseSync,
  jobs: ReadonlyMap<string, JobRow>,
  fulfilOf: ReadonlyMap<string, string>,
  { accounts }: Books,
  report: Report,
): void {
  const times = new Map<string, Map<string, number>>();
  for (const row of database.prepare("SELECT * FROM counters").iterate()) {
    const id = String(row.workflow);
    if (jobs.get(id)?.kind !== "fulfil") report("unasked", id, `counter ${row.id}`);
    if (row.times !== 1) report("step-twice", id, `${row.step} was done ${row.times} times`);
    times.set(id, (times.get(id) ?? new Map()).set(String(row.step), Number(row.times)));
  }
  const steps = database.prepare("SELECT name FROM posthaste_steps WHERE job = ?");
  for (const [reference, id] of fulfilOf) {
    const job = jobs.get(id)!;
    if (accounts.get(reference)?.intent.kind !== "fulfilment")
      report("unasked", id, `a workflow for ${reference}`);
    checkEnd(job, undefined, report);
    if (job.state !== "done") continue;
    const remembered = steps.all(job.number).map(({ name }) => String(name));
    for (const step of STEPS) {
      const counted = COUNTED.includes(step) ? times.get(id)?.has(step) : true;
      if (!remembered.includes(step) || !counted) report("step-missing", id, step);
    }
  }
  for (const { intent, told } of accounts.values()) {
    if (intent.kind !== "fulfilment" || told === undefined) continue;
    const id = fulfilOf.get(intent.reference);
    if (id === undefined) report("job-missing", intent.reference, `told was ${told.location}`);
    else if (told.location !== `/api/jobs/${id}`)
      report("other-record", intent.reference, `is ${id}, told was ${told.location}`);
  }
}

/** @param fails Code that the job has to fail with; `undefined` where it has to succeed */
function checkEnd(job: JobRow, fails: string | undefined, report: Report): void {
  if (job.state === "ready" || job.state === "scheduled" || job.state === "running") {
    report("job-unfinished", job.id, `${job.kind} is ${job.state} at attempt ${job.attempt}`);
    return;
  }
  const code = job.failure === null ? undefined : JSON.parse(job.failure).code;
  const expected =
    fails === undefined ? job.state === "done" : job.state === "failed" && code === fails;
  if (!expected) report("job-failed", job.id, `${job.state}: ${job.error ?? "no reason"}`);
}

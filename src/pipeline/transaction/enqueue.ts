import type { AnyJob, Enqueue, EnqueueOptions } from "../../declare/job.ts";
import { systemClock } from "../../kernel/clock.ts";
import { uuidv7Generator } from "../../kernel/ids.ts";
import type { Executor } from "../../store/port.ts";
import { keptJobInput, readDuration } from "../job-input.ts";
import type { Serving } from "../serving.ts";
import type { Wake } from "./unit.ts";

const newId = uuidv7Generator(systemClock);

/** Whose jobs are made, and when. */
export interface Cause {
  readonly owner: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** Jobs that one transaction makes at the most: more would keep all others waiting. */
const MAX_JOBS = 10_000;

/** Collects the jobs that one transaction makes. */
export class Enqueuing {
  readonly #serving: Serving;
  readonly #on: Executor;
  readonly #cause: Cause;
  readonly #kinds = new Set<string>();
  #due = Number.POSITIVE_INFINITY;
  #count = 0;

  constructor(serving: Serving, on: Executor, cause: Cause) {
    this.#serving = serving;
    this.#on = on;
    this.#cause = cause;
  }

  /** For users' functions. */
  readonly enqueue: Enqueue = async (job, input, options = {}) => ({
    id: await this.add(job, input, options, undefined),
  });

  /** @param operation Id of the operation that answers 202 with it */
  async add(
    job: AnyJob,
    input: unknown,
    options: EnqueueOptions,
    operation: string | undefined,
  ): Promise<string> {
    const model = this.#serving.api.jobs.get(job.name);
    if (model === undefined) {
      throw new Error(
        `The job "${job.name}" is not part of the API: put it beside the resources in api({ … }).`,
      );
    }
    const { priority = model.priority, unique } = options;
    if (!Number.isSafeInteger(priority))
      throw new Error(`The priority of the job "${job.name}" is not a whole number.`);
    const delayMs = options.delay === undefined ? 0 : readDuration(options.delay);
    if (++this.#count > MAX_JOBS) {
      throw new Error(
        `One transaction made more than ${MAX_JOBS} jobs: make one that makes the others.`,
      );
    }
    const kept = await keptJobInput(model, input);
    const { now, owner } = this.#cause;
    const runAt = now + delayMs;
    const id = await this.#serving.queue.insert(this.#on, {
      id: newId(),
      kind: model.name,
      input: kept,
      priority,
      runAt,
      unique,
      owner,
      operation,
      now,
    });
    if (runAt > now) this.#due = Math.min(this.#due, runAt);
    else this.#kinds.add(model.name);
    return id;
  }

  /** What the workers have to know once all is durable. */
  get wake(): Wake | undefined {
    if (this.#kinds.size === 0 && this.#due === Number.POSITIVE_INFINITY) return undefined;
    return {
      kinds: [...this.#kinds],
      due: this.#due === Number.POSITIVE_INFINITY ? undefined : this.#due,
    };
  }
}

import type { ActionOperation, ResourceOperation } from "../../declare/operation.ts";
import { isJobCommand, performJobCommand } from "../../jobs/commands.ts";
import { Problem } from "../../kernel/problems.ts";
import { type Perform, StoreError, type Transaction } from "../../store/port.ts";
import type { Answer } from "../answer.ts";
import { problemAnswer } from "../problem-answer.ts";
import type { Serving } from "../serving.ts";
import { act } from "./act.ts";
import { patch, replace } from "./change.ts";
import { create } from "./create.ts";
import { Enqueuing } from "./enqueue.ts";
import { recall } from "./recall.ts";
import { remove } from "./remove.ts";
import { isSweep, sweep } from "./sweep.ts";
import { type Task, taskOf } from "./task.ts";
import type { WriteInput, WriteOutcome, WriteUnit } from "./unit.ts";

type ResourceInput = Exclude<WriteInput, { kind: "action" }>;

type Work<Kind extends ResourceInput["kind"]> = (
  task: Task<Extract<WriteInput, { kind: Kind }>>,
) => Promise<Answer>;

/** The work of a unit on a resource, by what it has to do. */
const works: { readonly [Kind in ResourceInput["kind"]]: Work<Kind> } = {
  create,
  replace,
  "merge-patch": patch,
  "json-patch": patch,
  delete: remove,
};

/** What the writer does, whatever asked for it: a request, a worker, or the housekeeping. */
export function performer(serving: Serving): Perform {
  return (unit, transaction) => {
    if (isJobCommand(unit)) return performJobCommand(serving.queue, unit, transaction);
    if (isSweep(unit)) return sweep(serving, unit, transaction);
    return performWrite(serving, unit as WriteUnit, transaction);
  };
}

/**
 * A write inside its transaction: the claim, the work and the recorded answer, together or not at
 * all. What it decides is an answer, also where that is a problem; only a store that fails goes up
 * to the lane, because there it concerns the whole turn.
 */
async function performWrite(
  serving: Serving,
  unit: WriteUnit,
  transaction: Transaction,
): Promise<WriteOutcome> {
  const { claim } = unit;
  if (claim === undefined) return outcomeOf(serving, unit, transaction);
  const known = await recall(serving, transaction, unit, claim);
  if (known !== undefined) return { answer: known, wake: undefined, error: undefined };
  const outcome = await outcomeOf(serving, unit, transaction);
  if (isRecorded(outcome.answer))
    await serving.ledger.record(transaction, claim, outcome.answer, unit.now);
  return outcome;
}

/**
 * A failure of ours is not recorded: the work was undone, and a retry may succeed. Nor is what was
 * wrong with header fields or credentials, which are no part of the fingerprint.
 */
function isRecorded({ status }: Answer): boolean {
  return status < 500 && status !== 400 && status !== 401 && status !== 403 && status !== 412;
}

async function outcomeOf(
  serving: Serving,
  unit: WriteUnit,
  transaction: Transaction,
): Promise<WriteOutcome> {
  const { now, principal } = unit;
  const enqueuing = new Enqueuing(serving, transaction, { owner: principal?.id, now });
  try {
    const answer = await work(serving, unit, transaction, enqueuing);
    return { answer, wake: enqueuing.wake, error: undefined };
  } catch (error) {
    if (error instanceof StoreError && concernsTheTurn(error)) throw error;
    transaction.undo();
    const expected = error instanceof Problem;
    const problem = expected ? error : new Problem("internal-error", {}, error);
    const { dialect } = serving.api;
    return {
      answer: problemAnswer(problem, dialect, serving.place.pages, unit.requestId),
      wake: undefined,
      error: expected ? undefined : describe(error),
    };
  }
}

function work(
  serving: Serving,
  unit: WriteUnit,
  transaction: Transaction,
  enqueuing: Enqueuing,
): Promise<Answer> {
  const operation = serving.api.operations[unit.operation] as ResourceOperation | ActionOperation;
  if (operation.kind === "action") return act(serving, operation, unit, transaction, enqueuing);
  const task = taskOf(serving, operation, unit, transaction, enqueuing);
  return (works[unit.input.kind as ResourceInput["kind"]] as (task: Task) => Promise<Answer>)(task);
}

function concernsTheTurn({ kind }: StoreError): boolean {
  return kind === "full" || kind === "busy" || kind === "io";
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

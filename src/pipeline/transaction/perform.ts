import { Problem } from "../../kernel/problems.ts";
import { type Perform, StoreError, type Transaction } from "../../store/port.ts";
import type { Answer } from "../answer.ts";
import { problemAnswer } from "../problem-answer.ts";
import type { Serving } from "../serving.ts";
import { patch, replace } from "./change.ts";
import { create } from "./create.ts";
import { recall } from "./recall.ts";
import { remove } from "./remove.ts";
import { type Task, taskOf } from "./task.ts";
import type { WriteInput, WriteOutcome, WriteUnit } from "./unit.ts";

type Work<Kind extends WriteInput["kind"]> = (
  task: Task<Extract<WriteInput, { kind: Kind }>>,
) => Promise<Answer>;

/** The work of a unit, by what it has to do. */
const works: { readonly [Kind in WriteInput["kind"]]: Work<Kind> } = {
  create,
  replace,
  "merge-patch": patch,
  "json-patch": patch,
  delete: remove,
};

/**
 * One unit inside its transaction: the claim, the work and the recorded answer, together or not at
 * all. What it decides is an answer, also where that is a problem; only a store that fails goes up
 * to the lane, because there it concerns the whole turn.
 */
export function performer(serving: Serving): Perform {
  return async (given, transaction): Promise<WriteOutcome> => {
    const unit = given as WriteUnit;
    const { claim } = unit;
    if (claim === undefined) return outcomeOf(serving, unit, transaction);
    const known = await recall(serving, transaction, unit, claim);
    if (known !== undefined) return { answer: known, error: undefined };
    const outcome = await outcomeOf(serving, unit, transaction);
    // A failure of ours is not recorded: the work was undone, and a retry may succeed.
    if (outcome.answer.status < 500)
      await serving.ledger.record(transaction, claim, outcome.answer, unit.now);
    return outcome;
  };
}

async function outcomeOf(
  serving: Serving,
  unit: WriteUnit,
  transaction: Transaction,
): Promise<WriteOutcome> {
  const task = taskOf(serving, unit, transaction);
  try {
    const work = works[unit.input.kind] as (task: Task) => Promise<Answer>;
    return { answer: await work(task), error: undefined };
  } catch (error) {
    if (error instanceof StoreError && concernsTheTurn(error)) throw error;
    transaction.undo();
    const expected = error instanceof Problem;
    const problem = expected ? error : new Problem("internal-error", {}, error);
    const { dialect } = serving.api;
    return {
      answer: problemAnswer(problem, dialect, serving.place.pages, unit.requestId),
      error: expected ? undefined : describe(error),
    };
  }
}

function concernsTheTurn({ kind }: StoreError): boolean {
  return kind === "full" || kind === "busy";
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

import { Problem } from "../../kernel/problems.ts";
import { type Perform, type Performed, StoreError, type Transaction } from "../../store/port.ts";
import type { Answer } from "../answer.ts";
import { problemAnswer } from "../problem-answer.ts";
import type { Serving } from "../serving.ts";
import { patch, replace } from "./change.ts";
import { create } from "./create.ts";
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
 * One unit inside its transaction. What it decides is an answer, also where that is a problem; only
 * a store that fails goes up to the lane, because there it concerns the whole turn.
 */
export function performer(serving: Serving): Perform {
  return async (unit, transaction): Promise<Performed> => {
    const { answer, error, commit } = await outcomeOf(serving, unit as WriteUnit, transaction);
    return { outcome: { answer, error } satisfies WriteOutcome, commit };
  };
}

async function outcomeOf(
  serving: Serving,
  unit: WriteUnit,
  transaction: Transaction,
): Promise<WriteOutcome & { readonly commit: boolean }> {
  const task = taskOf(serving, unit, transaction);
  try {
    const work = works[unit.input.kind] as (task: Task) => Promise<Answer>;
    return { answer: await work(task), error: undefined, commit: true };
  } catch (error) {
    if (error instanceof StoreError && concernsTheTurn(error)) throw error;
    const expected = error instanceof Problem;
    const problem = expected ? error : new Problem("internal-error", {}, error);
    const { dialect } = serving.api;
    return {
      answer: problemAnswer(problem, dialect, serving.place.pages, unit.requestId),
      error: expected ? undefined : describe(error),
      commit: false,
    };
  }
}

function concernsTheTurn({ kind }: StoreError): boolean {
  return kind === "full" || kind === "busy";
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

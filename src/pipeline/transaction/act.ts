import type { ActionModel, SchemaModel } from "../../declare/action-model.ts";
import type { ActionOperation } from "../../declare/operation.ts";
import { type Json, pointer } from "../../kernel/json.ts";
import { Problem } from "../../kernel/problems.ts";
import type { Transaction } from "../../store/port.ts";
import type { Answer } from "../answer.ts";
import { locationPath } from "../location.ts";
import { acceptedAnswer } from "../monitor.ts";
import { assertParents, belongs } from "../parents.ts";
import { rowsOf, type Serving } from "../serving.ts";
import type { Enqueuing } from "./enqueue.ts";
import { collecting } from "./rules.ts";
import { assertConditions } from "./task.ts";
import type { WriteInput, WriteUnit } from "./unit.ts";

/** Bytes of an action's result at the most: it is kept with its key. */
const MAX_RESULT_BYTES = 1_048_576;

/** An action inside its transaction: finds the record that it is on, runs, and answers. */
export async function act(
  serving: Serving,
  operation: ActionOperation,
  unit: WriteUnit,
  transaction: Transaction,
  enqueuing: Enqueuing,
): Promise<Answer> {
  const { action } = operation;
  const { values, params } = unit.input as Extract<WriteInput, { kind: "action" }>;
  const row = await recordOf(serving, operation, unit, transaction);
  let returned: unknown;
  await collecting(
    (name) => name,
    async (fail) => {
      const working = action.run({
        input: values,
        params,
        row,
        principal: unit.principal,
        now: unit.now,
        get tx() {
          return transaction.sql;
        },
        enqueue: enqueuing.enqueue,
        fail,
        conflict,
      });
      returned = working instanceof Promise ? await working : working;
    },
  );
  if (action.starts !== undefined) {
    const job = { kind: action.starts.kind, name: action.starts.name, config: {} as never };
    const id = await enqueuing.add(job, returned, {}, operation.id);
    return acceptedAnswer(serving, id, unit.now, unit.preferences);
  }
  return resultAnswer(serving, action, returned);
}

function conflict(code: string, detail: string): never {
  throw new Problem("conflict", { detail, errors: [{ detail, code }] });
}

async function recordOf(
  serving: Serving,
  operation: ActionOperation,
  unit: WriteUnit,
  transaction: Transaction,
): Promise<unknown> {
  const { on } = operation.action;
  const { parentIds, id, conditions } = unit;
  if (on === undefined) {
    if (conditions?.["if-match"] === undefined) return undefined;
    throw new Problem("precondition-failed", {
      detail: "This action is on no record, so there is no ETag that could match.",
    });
  }
  if (on.parents.length > 1) await assertParents(serving, on, parentIds, transaction);
  const row = await rowsOf(serving, on).find(transaction, id!);
  if (row === undefined || !belongs(on, row, parentIds.at(-1))) throw new Problem("not-found");
  assertConditions({ operation, unit }, row);
  return row.values;
}

async function resultAnswer(
  { place, api }: Serving,
  { name, output, status, location }: ActionModel,
  returned: unknown,
): Promise<Answer> {
  if (output === undefined) return { status, headers: {}, body: undefined, problem: undefined };
  const result = await fitting(name, output, returned);
  const body = JSON.stringify(result ?? null);
  if (body.length > MAX_RESULT_BYTES) {
    throw new Error(
      `The result of the action "${name}" has more than ${MAX_RESULT_BYTES} characters as JSON: make a record of it, and answer with its path.`,
    );
  }
  const headers: Record<string, string> = { "content-type": api.dialect.mediaType };
  if (location !== undefined) {
    // Checked while it can still be undone.
    const path = locationPath(`the action "${name}"`, location(result));
    headers.location = `${place.base}${path}`;
  }
  return { status, headers, body, problem: undefined };
}

/** What the output's schema makes of a result; one that does not fit is our fault, and undone. */
async function fitting(name: string, output: SchemaModel, returned: unknown): Promise<unknown> {
  const judged = await output.schema["~standard"].validate(returned);
  if (judged.issues === undefined) return judged.value as Json;
  const faults = judged.issues.map(({ message, path = [] }) => {
    const steps = path.map((step) => (typeof step === "object" ? step.key : step));
    return `${pointer(steps.map(String))} ${message}`;
  });
  throw new Error(
    `The result of the action "${name}" does not fit its output schema: ${faults.join("; ")}`,
  );
}

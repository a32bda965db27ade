import { evaluateConditions } from "../../content/conditions.ts";
import type { ResourceModel } from "../../declare/model.ts";
import type { Operation, ResourceOperation } from "../../declare/operation.ts";
import { Problem } from "../../kernel/problems.ts";
import type { Transaction } from "../../store/port.ts";
import type { RowId, Rows, StoredRow } from "../../store/rows.ts";
import { assertParents, belongs } from "../parents.ts";
import { entityTag } from "../representation.ts";
import { rowsOf, type Serving } from "../serving.ts";
import type { Enqueuing } from "./enqueue.ts";
import type { WriteInput, WriteUnit } from "./unit.ts";

/** A unit at work: what it has to do, and the transaction to do it in. */
export interface Task<Input extends WriteInput = WriteInput> {
  readonly serving: Serving;
  readonly operation: ResourceOperation;
  readonly resource: ResourceModel;
  readonly rows: Rows;
  readonly transaction: Transaction;
  readonly enqueuing: Enqueuing;
  readonly unit: WriteUnit;
  readonly input: Input;
}

export function taskOf(
  serving: Serving,
  operation: ResourceOperation,
  unit: WriteUnit,
  transaction: Transaction,
  enqueuing: Enqueuing,
): Task {
  const { resource } = operation;
  return {
    serving,
    operation,
    resource,
    rows: rowsOf(serving, resource),
    transaction,
    enqueuing,
    unit,
    input: unit.input,
  };
}

export function parentIdOf({ unit }: Task): RowId | undefined {
  return unit.parentIds.at(-1);
}

export function assertTaskParents({ serving, resource, transaction, unit }: Task): Promise<void> {
  return assertParents(serving, resource, unit.parentIds, transaction);
}

/** The record that the path names, as it is now. */
export async function findCurrent(task: Task): Promise<StoredRow | undefined> {
  // One level needs no look at the parent: the record itself says whom it belongs to.
  if (task.resource.parents.length > 1) await assertTaskParents(task);
  const row = await task.rows.find(task.transaction, task.unit.id!);
  return row !== undefined && belongs(task.resource, row, parentIdOf(task)) ? row : undefined;
}

/** RFC 9110 section 13: decided inside the transaction, so that nobody writes in between. */
export function assertConditions(
  { operation, unit }: { readonly operation: Operation; readonly unit: WriteUnit },
  current: StoredRow | undefined,
): void {
  if (unit.conditions === undefined) return;
  const state =
    current === undefined
      ? undefined
      : { etag: entityTag(current), lastModified: current.updatedAt };
  if (evaluateConditions(operation.method, unit.conditions, state) === "precondition-failed") {
    throw new Problem("precondition-failed", {
      detail:
        current === undefined
          ? "The record does not exist, and the request requires that it does."
          : `The record has the ETag ${entityTag(current)} now.`,
      ...(current === undefined ? {} : { headers: { etag: entityTag(current) } }),
    });
  }
}

/** A collection exists and has no ETag: `If-Match: "x"` can't hold there, nor can `If-None-Match: *`. */
export function assertCollectionConditions({ operation, unit }: Task): void {
  if (unit.conditions === undefined) return;
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = unit.conditions;
  const conditions = { "if-match": ifMatch, "if-none-match": ifNoneMatch };
  const collection = { etag: "none", lastModified: unit.now };
  if (evaluateConditions(operation.method, conditions, collection) === "precondition-failed") {
    throw new Problem("precondition-failed", {
      detail: "A collection has no ETag that could match.",
    });
  }
}

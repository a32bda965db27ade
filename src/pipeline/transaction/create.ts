import type { RecordValues } from "../../declare/model.ts";
import { systemClock } from "../../kernel/clock.ts";
import { uuidv7Generator } from "../../kernel/ids.ts";
import type { Answer } from "../answer.ts";
import { recordAnswer, recordPath } from "../representation.ts";
import { orConflict } from "./conflicts.ts";
import { applyRules, runHook } from "./rules.ts";
import { assertCollectionConditions, assertTaskParents, parentIdOf, type Task } from "./task.ts";
import type { WriteInput } from "./unit.ts";

const newId = uuidv7Generator(systemClock);

export async function create(task: Task<Extract<WriteInput, { kind: "create" }>>): Promise<Answer> {
  assertCollectionConditions(task);
  // One level needs no look: the foreign key refuses a parent that does not exist.
  if (task.resource.parents.length > 1) await assertTaskParents(task);
  const id = task.resource.idKind === "integer" ? undefined : newId();
  return insert(task, task.input.values, id);
}

/** The end of every create, by POST or by PUT at an id that the client chose. */
export async function insert(
  task: Task,
  values: RecordValues,
  id: string | undefined,
): Promise<Answer> {
  const { resource, rows, transaction, unit, serving } = task;
  await applyRules(task, values, undefined);
  const inserted = await orConflict(task, values, () =>
    rows.insert(transaction, values, { id, parentId: parentIdOf(task), now: unit.now }),
  );
  const row = await runHook(task, resource.created, inserted, {});
  const location = recordPath(
    serving.place,
    resource,
    unit.parentIds,
    row.values.id as string | number,
  );
  return recordAnswer(serving, {
    status: 201,
    resource,
    row,
    location,
    returns: unit.preferences.return,
    // Who makes a record may see what was made of it.
    shown: true,
  });
}

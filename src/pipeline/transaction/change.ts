import { isDeepStrictEqual } from "node:util";
import { applyJsonPatch } from "../../content/json-patch.ts";
import { mergePatch } from "../../content/merge-patch.ts";
import { mayRead, type RecordValues } from "../../declare/model.ts";
import type { UpdateHookContext } from "../../declare/resource.ts";
import { isJsonObject, type Json, type JsonObject, pointer } from "../../kernel/json.ts";
import { type Fault, Problem } from "../../kernel/problems.ts";
import type { StoredRow } from "../../store/rows.ts";
import type { Answer } from "../answer.ts";
import { recordAnswer, visibleRecord } from "../representation.ts";
import { serverValues } from "../server-values.ts";
import { type Reading, readFields, validateRecord } from "../validation.ts";
import { orConflict } from "./conflicts.ts";
import { insert } from "./create.ts";
import { applyRules, runHook } from "./rules.ts";
import { assertConditions, assertTaskParents, findCurrent, type Task } from "./task.ts";
import type { WriteInput } from "./unit.ts";

const PATCH_OPERATIONS = 1_000;

/** PUT: the record becomes what the body says, save for what clients can't write. */
export async function replace(
  task: Task<Extract<WriteInput, { kind: "replace" }>>,
): Promise<Answer> {
  const { resource, serving, unit, input } = task;
  const current = await findCurrent(task);
  // RFC 9110 section 13.2.1: conditions count only where the answer would be a success without.
  if (current === undefined && resource.idKind !== "client") throw new Problem("not-found");
  assertConditions(task, current);
  const { dialect } = serving.api;
  if (current === undefined) {
    if (resource.parents.length > 0) await assertTaskParents(task);
    const shown = { [dialect.fieldName("id")]: unit.id! };
    const reading = withServerValues(task, readFields(resource, dialect, input.body, shown));
    return insert(task, await validateRecord(resource, reading), String(unit.id));
  }
  const reading = readFields(resource, dialect, input.body, knownRecord(task, current));
  return write(task, current, reading, undefined);
}

/** PATCH: the patch is applied to what clients see, and the result is judged like any body. */
export async function patch(
  task: Task<Extract<WriteInput, { kind: "merge-patch" | "json-patch" }>>,
): Promise<Answer> {
  const { resource, serving, unit, input } = task;
  const current = await findCurrent(task);
  if (current === undefined) throw new Problem("not-found");
  assertConditions(task, current);
  // A test operation would tell what the caller may not read.
  if (input.kind === "json-patch" && !mayRead(resource, unit.principal)) {
    throw new Problem("forbidden", {
      detail: "A JSON Patch needs read access; send a merge patch.",
    });
  }
  const { dialect } = serving.api;
  const before = knownRecord(task, current);
  const shown = dialect.record(before, resource.name);
  const after =
    input.kind === "merge-patch"
      ? mergePatch(shown, input.patch)
      : applyJsonPatch(shown, input.patch, {
          maxOperations: PATCH_OPERATIONS,
          // What was stored may stand above the limit of a body; it can always be patched.
          maxBytes: resource.maxBodyBytes + JSON.stringify(shown).length,
        });
  const reading = readFields(resource, dialect, after, before);
  reading.faults.push(...removedServerValues(task, before, dialect.input(after, resource.name)));
  // Unseen, so a patch that does not name it can't mean to remove it.
  for (const { name, visible, writable } of resource.fields) {
    if (writable && !visible && !(name in reading.candidate))
      reading.candidate[name] = current.values[name];
  }
  return write(task, current, reading, before);
}

/**
 * The record as far as the caller may know it. To whoever may not read, a field that only the
 * server writes must not tell by its refusal whether the value that was sent is the right one.
 */
function knownRecord({ resource, serving, unit }: Task, current: StoredRow): JsonObject {
  const record = visibleRecord(resource, serving.api.dialect, current);
  if (mayRead(resource, unit.principal)) return record;
  const id = serving.api.dialect.fieldName("id");
  return Object.fromEntries(
    Object.entries(record).filter(
      ([name]) => name === id || resource.fieldsByWireName.get(name)?.writable,
    ),
  );
}

/** A patch may not remove what only the server writes; giving it another value is a fault already. */
function removedServerValues({ resource }: Task, before: JsonObject, after: Json): Fault[] {
  if (!isJsonObject(after)) return [];
  return Object.keys(before)
    .filter((name) => !Object.hasOwn(after, name) && !resource.fieldsByWireName.get(name)?.writable)
    .map((name) => ({
      pointer: pointer([name]),
      detail: "is set by the server and can't be removed",
      code: "read_only",
    }));
}

async function write(
  task: Task,
  current: StoredRow,
  reading: Reading,
  before: JsonObject | undefined,
): Promise<Answer> {
  const { resource, rows, transaction, unit, serving } = task;
  const kept = new Set<string>();
  for (const { name, wireName, writable, visible } of resource.fields) {
    if (!writable) {
      reading.candidate[name] = current.values[name];
      kept.add(name);
    } else if (
      before !== undefined &&
      isDeepStrictEqual(reading.candidate[name], visible ? before[wireName] : current.values[name])
    ) {
      kept.add(name);
    }
    if (reading.candidate[name] === undefined) delete reading.candidate[name];
  }
  const validated = await validateRecord(resource, reading);
  // A schema may transform; what nobody touched must not be transformed twice.
  const values: RecordValues = Object.fromEntries(
    resource.fields.map(({ name }) => [
      name,
      kept.has(name) ? current.values[name] : validated[name],
    ]),
  );
  await applyRules(task, values, current);
  const written = await orConflict(task, values, () =>
    rows.update(transaction, current, values, unit.now),
  );
  const row = await runHook<UpdateHookContext<RecordValues>>(task, resource.updated, written, {
    before: current.values,
  });
  return recordAnswer(serving, {
    status: 200,
    resource,
    row,
    location: undefined,
    returns: unit.preferences.return,
    shown: mayRead(resource, unit.principal),
  });
}

function withServerValues({ resource, unit }: Task, reading: Reading): Reading {
  return { ...reading, candidate: { ...reading.candidate, ...serverValues(resource.set, unit) } };
}

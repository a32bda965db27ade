import { mayRead, type RecordValues } from "../../declare/model.ts";
import { pointer } from "../../kernel/json.ts";
import { type Fault, Problem } from "../../kernel/problems.ts";
import { StoreError } from "../../store/port.ts";
import { recordPath } from "../representation.ts";
import { parentIdOf, type Task } from "./task.ts";

/**
 * Runs a write, and turns what the database's constraints say into an answer. Constraints decide,
 * not a look beforehand: between a look and the write somebody else may write.
 */
export async function orConflict<T>(
  task: Task,
  values: RecordValues,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.kind === "unique") throw await uniqueConflict(task, values, error);
    // The only reference of a record is its parent, and the path names that.
    if (error.kind === "reference") throw new Problem("not-found");
    throw error;
  }
}

/** The database names the first constraint that refused; clients get every one of them. */
async function uniqueConflict(
  task: Task,
  values: RecordValues,
  error: StoreError,
): Promise<Problem> {
  const { resource, rows, transaction, unit, serving } = task;
  const complete = { ...values };
  const parent = resource.parents.at(-1);
  if (parent !== undefined) complete[parent.field] = parentIdOf(task);
  const errors: Fault[] = [];
  let existing: string | undefined;
  for (const names of resource.unique) {
    const id = await rows.findUnique(transaction, names, complete);
    if (id === undefined || id === unit.id) continue;
    // A name that clients don't know would tell them of a field that is hidden from them.
    const known = resource.fields.filter(
      ({ name, visible, writable }) => names.includes(name) && (visible || writable),
    );
    for (const { wireName } of known) {
      const others = known
        .filter((field) => field.wireName !== wireName)
        .map((field) => field.wireName);
      const together = others.length > 0 ? ` together with ${others.join(" and ")}` : "";
      errors.push({
        pointer: pointer([wireName]),
        detail: `is taken already${together}`,
        code: "unique",
      });
    }
    if (known.length === 0)
      errors.push({ pointer: "#", detail: "is there already", code: "unique" });
    const secret = known.some(({ visible }) => !visible);
    if (parent === undefined && !secret && mayRead(resource, unit.principal)) {
      existing ??= recordPath(serving.place, resource, [], id);
    }
  }
  // A client-chosen id that was taken between the look and the write ends here, too.
  if (errors.length === 0 && !error.columns.includes("id")) throw error;
  return new Problem("unique-conflict", {
    detail: `Another record of ${resource.name} has the same ${errors.map(({ pointer: at }) => at?.slice(2)).join(" and ") || "id"} already.`,
    errors,
    ...(existing === undefined
      ? {}
      : { headers: { link: `<${existing}>; rel="related"` }, extensions: { existing } }),
  });
}

import type { RecordValues } from "../../declare/model.ts";
import type { Fail, HookContext, RuleContext } from "../../declare/resource.ts";
import type { Fault } from "../../kernel/problems.ts";
import type { RowId, StoredRow } from "../../store/rows.ts";
import { validationFailed } from "../validation.ts";
import type { Task } from "./task.ts";

/** Runs the business rules; what they mark is answered at once. */
export async function applyRules(
  task: Task,
  input: RecordValues,
  row: StoredRow | undefined,
): Promise<void> {
  const { rules } = task.resource;
  if (rules.length === 0) return;
  await collecting(wireNames(task), async (fail) => {
    const context: RuleContext<RecordValues, RecordValues> = {
      input,
      row: row?.values,
      principal: task.unit.principal,
      get tx() {
        return task.transaction.sql;
      },
      fail,
    };
    for (const rule of rules) {
      const working = rule(context);
      if (working instanceof Promise) await working;
    }
  });
}

/**
 * Runs a hook, if there is one; what it marks rolls the write back. A hook that has used the database
 * may have written to the record itself, so what was stored is read again behind it.
 */
export async function runHook<Context extends HookContext<RecordValues>>(
  task: Task,
  hook: ((context: Context) => unknown) | undefined,
  row: StoredRow,
  about: Omit<Context, keyof HookContext<RecordValues>>,
): Promise<StoredRow> {
  if (hook === undefined) return row;
  let touched = false;
  await collecting(wireNames(task), async (fail) => {
    const context = {
      ...about,
      row: row.values,
      principal: task.unit.principal,
      get tx() {
        touched = true;
        return task.transaction.sql;
      },
      enqueue: task.enqueuing.enqueue,
      fail,
    };
    const working = hook(context as unknown as Context);
    if (working instanceof Promise) await working;
  });
  if (!touched) return row;
  return (await task.rows.find(task.transaction, row.values.id as RowId)) ?? row;
}

function wireNames({ resource }: Task): (name: string) => string {
  return (name) => resource.fields.find((field) => field.name === name)?.wireName ?? name;
}

/** Runs code of users, and answers what it marked: all faults at once. */
export async function collecting(
  wireNameOf: (name: string) => string,
  work: (fail: Fail) => Promise<void>,
): Promise<void> {
  const faults: Fault[] = [];
  await work((at, code, detail) => {
    const [name = "", ...rest] = at.slice(1).split("/");
    const wireName = wireNameOf(name);
    faults.push({
      pointer: at === "" ? "#" : `#${["", wireName, ...rest].join("/")}`,
      detail: detail ?? code.replaceAll(/[-_]/g, " "),
      code,
    });
  });
  if (faults.length > 0) throw validationFailed(faults);
}

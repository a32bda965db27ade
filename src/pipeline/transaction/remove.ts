import { Problem } from "../../kernel/problems.ts";
import { StoreError } from "../../store/port.ts";
import type { Answer } from "../answer.ts";
import { runHook } from "./rules.ts";
import { assertConditions, findCurrent, type Task } from "./task.ts";

export async function remove(task: Task): Promise<Answer> {
  const { resource, rows, transaction, unit } = task;
  const current = await findCurrent(task);
  if (current === undefined) throw new Problem("not-found");
  assertConditions(task, current);
  try {
    await rows.delete(transaction, unit.id!);
  } catch (error) {
    if (error instanceof StoreError && error.kind === "reference")
      throw new Problem("still-referenced");
    throw error;
  }
  await runHook(task, resource.deleted, current, {});
  return { status: 204, headers: {}, body: undefined, problem: undefined };
}

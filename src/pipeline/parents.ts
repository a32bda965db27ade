import { directParent, type ResourceModel } from "../declare/model.ts";
import { Problem } from "../kernel/problems.ts";
import type { Executor } from "../store/port.ts";
import type { RowId, StoredRow } from "../store/rows.ts";
import { rowsOf, type Serving } from "./serving.ts";

/**
 * Every parent in the path must exist and belong to the one before it: `/posts/2/comments/7` is
 * nothing where comment 7 belongs to post 1.
 * @param on The transaction of a write, or the reader
 */
export async function assertParents(
  serving: Serving,
  resource: ResourceModel,
  parentIds: readonly RowId[],
  on: Executor,
): Promise<void> {
  for (const [index, { resource: parent }] of resource.parents.entries()) {
    const row = await rowsOf(serving, parent).find(on, parentIds[index]!);
    if (row === undefined || !belongs(parent, row, parentIds[index - 1]))
      throw new Problem("not-found");
  }
}

export function belongs(
  resource: ResourceModel,
  row: StoredRow,
  parentId: RowId | undefined,
): boolean {
  const parent = directParent(resource);
  return parent === undefined || row.values[parent.field] === parentId;
}

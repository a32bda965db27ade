import type { Dialect } from "../declare/dialect.ts";
import { collectionPath, directParent, type ResourceModel } from "../declare/model.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { RowId, StoredRow } from "../store/rows.ts";
import type { Answer } from "./answer.ts";
import type { Place, Serving } from "./serving.ts";

/** What clients see of a record, by the dialect's field names: what is hidden never leaves. */
export function visibleRecord(
  resource: ResourceModel,
  dialect: Dialect,
  { values }: StoredRow,
): JsonObject {
  const record: Record<string, unknown> = { [dialect.fieldName("id")]: values.id };
  const parent = directParent(resource);
  if (parent !== undefined) record[parent.wireName] = values[parent.field];
  for (const { name, wireName, visible } of resource.fields) {
    if (visible && values[name] !== undefined) record[wireName] = values[name];
  }
  if (resource.timestamps) {
    record[dialect.fieldName("createdAt")] = values.createdAt;
    record[dialect.fieldName("updatedAt")] = values.updatedAt;
  }
  return record as JsonObject;
}

/** Names that the server gives by itself, in the same order as `visibleRecord`. */
export function serverNames(resource: ResourceModel, dialect: Dialect): string[] {
  const parent = directParent(resource);
  return [
    dialect.fieldName("id"),
    ...(parent === undefined ? [] : [parent.wireName]),
    ...(resource.timestamps
      ? [dialect.fieldName("createdAt"), dialect.fieldName("updatedAt")]
      : []),
  ];
}

/** A strong validator (RFC 9110 section 8.8.3) of the JSON representation. */
export function entityTag({ version }: StoredRow): string {
  return `"${version.toString(36)}"`;
}

export function recordPath(
  place: Place,
  resource: ResourceModel,
  parentIds: readonly RowId[],
  id: RowId,
): string {
  return `${place.base}${collectionPath(resource, parentIds)}/${encodeURIComponent(id)}`;
}

export function validators(row: StoredRow): { etag: string; "last-modified": string } {
  return { etag: entityTag(row), "last-modified": httpDate(row.updatedAt) };
}

let lastSecond = Number.NaN;
let lastDate = "";

/** RFC 9110 section 5.6.7. Most writes of a turn share a second, and formatting one costs. */
function httpDate(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1_000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(milliseconds).toUTCString();
  }
  return lastDate;
}

export interface RecordAnswer {
  readonly status: 200 | 201;
  readonly resource: ResourceModel;
  readonly row: StoredRow;
  /** Path of the record, for `Location`. */
  readonly location: string | undefined;
  /** `Prefer: return=minimal` (RFC 7240 section 4.2). */
  readonly returns: "minimal" | "representation" | undefined;
  /** Whether the caller may see the record. */
  readonly shown: boolean;
}

export function recordAnswer({ api }: Serving, answer: RecordAnswer): Answer {
  const { resource, row, location, returns } = answer;
  const headers: Record<string, string> = validators(row);
  if (location !== undefined) headers.location = location;
  const minimal = returns === "minimal" || !answer.shown;
  if (returns !== undefined && (returns === "minimal") === minimal) {
    headers["preference-applied"] = `return=${returns}`;
  }
  if (minimal) {
    // 201 says that something was made, so it stays; 200 with nothing to show is 204.
    return {
      status: answer.status === 201 ? 201 : 204,
      headers,
      body: undefined,
      problem: undefined,
    };
  }
  headers["content-type"] = api.dialect.mediaType;
  const record = api.dialect.record(visibleRecord(resource, api.dialect, row), resource.name);
  return { status: answer.status, headers, body: JSON.stringify(record), problem: undefined };
}

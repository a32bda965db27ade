import type { QueryParameter } from "../content/query.ts";
import type { Dialect } from "../declare/dialect.ts";
import type { FieldKind } from "../declare/fields.ts";
import type { ResourceModel } from "../declare/model.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { type Fault, Problem } from "../kernel/problems.ts";
import {
  type Comparison,
  comparisons,
  type Filter,
  type PageRequest,
  type SortKey,
} from "../store/pages.ts";

export interface ListQuery extends Omit<PageRequest, "parentId"> {
  /** As given, for the link to the next page. */
  readonly parameters: readonly QueryParameter[];
}

const MAX_IN_VALUES = 100;

/** A time with its offset: without one it would mean another moment on every machine. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

interface Comparable {
  readonly field: string;
  readonly kind: FieldKind;
  readonly optional: boolean;
}

/** The fields that a list can be filtered or sorted by, by their names on the wire. */
export function comparableFields(
  resource: ResourceModel,
  dialect: Dialect,
  names: readonly string[],
): Map<string, Comparable> {
  const found = new Map<string, Comparable>();
  for (const name of names) {
    const field = resource.fields.find((each) => each.name === name);
    found.set(dialect.fieldName(name), {
      field: name,
      // `createdAt` and `updatedAt` are compared as the milliseconds that they are stored as.
      kind: field?.kind ?? "integer",
      optional: field !== undefined && (!field.required || field.nullable),
    });
  }
  return found;
}

/** @throws Problem invalid-query with every parameter that is not understood */
export function readListQuery(
  resource: ResourceModel,
  dialect: Dialect,
  parameters: readonly QueryParameter[],
): ListQuery {
  const faults: Fault[] = [];
  const filterable = comparableFields(resource, dialect, resource.filter);
  const sortable = comparableFields(resource, dialect, resource.sort);
  const id = dialect.fieldName("id");
  const idKey: SortKey = {
    field: "id",
    kind: resource.idKind === "integer" ? "integer" : "string",
    descending: false,
    optional: false,
  };
  const seen = new Set<string>();
  const filters: Filter[] = [];
  let limit = resource.limit;
  let sort: readonly SortKey[] = [idKey];
  let cursor: string | undefined;

  for (const { name, value } of parameters) {
    const fault = (detail: string, code: string) => faults.push({ parameter: name, detail, code });
    if (seen.has(name)) {
      fault("is given twice", "repeated");
      continue;
    }
    seen.add(name);
    if (name === "limit") {
      limit = Number(value);
      if (!/^\d{1,6}$/.test(value) || limit < 1 || limit > resource.maxLimit) {
        fault(`must be a whole number from 1 to ${resource.maxLimit}`, "out_of_range");
      }
    } else if (name === "sort") {
      sort = readSort(value, sortable, id, idKey, fault);
    } else if (name === "cursor") {
      cursor = value;
    } else {
      const [, wireName = name, comparison = "eq"] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(name) ?? [];
      const target = filterable.get(wireName);
      if (target === undefined) {
        const known = ["limit", "sort", "cursor", ...filterable.keys()];
        fault(
          `is not a parameter of this list.${didYouMean(wireName, known)}`,
          "unknown_parameter",
        );
      } else if (!comparisons.includes(comparison as Comparison)) {
        fault(
          `"${comparison}" is not a comparison.${didYouMean(comparison, comparisons)} There are ${comparisons.join(", ")}.`,
          "unknown_comparison",
        );
      } else {
        const values = comparison === "in" ? value.split(",") : [value];
        const read = values.map((each) => readValue(each, target));
        const wrong = read.find((each) => each.expected !== undefined);
        if (values.length > MAX_IN_VALUES)
          fault(`takes at most ${MAX_IN_VALUES} values`, "too_many");
        else if (wrong !== undefined) fault(`must be ${wrong.expected}`, "invalid_value");
        else {
          filters.push({
            field: target.field,
            kind: target.kind,
            comparison: comparison as Comparison,
            values: read.map((each) => each.value),
          });
        }
      }
    }
  }
  const after = cursor === undefined ? undefined : decodeCursor(cursor, sort);
  if (after === null) {
    faults.push({
      parameter: "cursor",
      detail: "is not a cursor of a list with this sort; take the link to the next page as it is",
      code: "invalid_cursor",
    });
  }
  if (faults.length > 0) {
    throw new Problem("invalid-query", {
      detail: "The query is not understood; see errors.",
      errors: faults,
    });
  }
  return { filters, sort, limit, after: after ?? undefined, parameters };
}

function readSort(
  text: string,
  sortable: ReadonlyMap<string, Comparable>,
  id: string,
  idKey: SortKey,
  fault: (detail: string, code: string) => void,
): SortKey[] {
  const keys: SortKey[] = [];
  for (const part of text.split(",")) {
    const descending = part.startsWith("-");
    const wireName = descending ? part.slice(1) : part;
    const target = sortable.get(wireName);
    if (wireName === id) {
      // Ids are unique: whatever comes behind them can't matter.
      keys.push({ ...idKey, descending });
      return keys;
    }
    if (target === undefined) {
      const known = [...sortable.keys(), id];
      const suggestion = didYouMean(wireName, known);
      fault(
        `can't sort by "${wireName.slice(0, 60)}".${suggestion} It can by ${known.join(", ")}.`,
        "unknown_field",
      );
    } else if (keys.some(({ field }) => field === target.field)) {
      fault(`names "${wireName}" twice`, "repeated");
    } else {
      keys.push({ ...target, descending });
    }
  }
  return [...keys, idKey];
}

function readValue(
  text: string,
  { field, kind }: Comparable,
): { value?: unknown; expected?: string } {
  if (field === "createdAt" || field === "updatedAt") {
    const time = readTime(text);
    return Number.isNaN(time)
      ? { expected: "a time such as 2026-01-31T12:00:00Z" }
      : { value: time };
  }
  switch (kind) {
    case "integer": {
      const value = Number(text);
      return /^-?\d+$/.test(text) && Number.isSafeInteger(value)
        ? { value }
        : { expected: "a whole number" };
    }
    case "number": {
      const value = Number(text);
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) && Number.isFinite(value)
        ? { value }
        : { expected: "a number" };
    }
    case "boolean":
      return text === "true" || text === "false"
        ? { value: text === "true" }
        : { expected: "true or false" };
    default:
      return { value: text };
  }
}

/** Milliseconds since the epoch; NaN for what is no time, the 30th of February included. */
function readTime(text: string): number {
  const day = text.slice(0, 10);
  const midnight = RFC_3339.test(text) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day))
    return Number.NaN;
  return Date.parse(text);
}

/** Opaque to clients; bound to the sort that it was made with. */
export function encodeCursor(sort: readonly SortKey[], values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([sortName(sort), ...values])).toString("base64url");
}

/** `null` where the text is not a cursor of this sort. */
function decodeCursor(text: string, sort: readonly SortKey[]): readonly unknown[] | null {
  try {
    const [name, ...values] = JSON.parse(
      Buffer.from(text, "base64url").toString("utf8"),
    ) as unknown[];
    const fits =
      name === sortName(sort) &&
      values.length === sort.length &&
      values.every((value, index) => isPosition(value, sort[index]!));
    return fits ? values : null;
  } catch {
    return null;
  }
}

function isPosition(value: unknown, { kind, optional }: SortKey): boolean {
  if (value === null) return optional;
  if (kind === "string") return typeof value === "string";
  return typeof value === "number" || (kind === "boolean" && typeof value === "boolean");
}

function sortName(sort: readonly SortKey[]): string {
  return sort.map(({ field, descending }) => (descending ? `-${field}` : field)).join(",");
}

import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from "kysely";
import type { FieldKind } from "../declare/fields.ts";
import { directParent } from "../declare/model.ts";
import type { Executor } from "./port.ts";
import type { RowId, Rows, StoredRow } from "./rows.ts";
import { stampColumn } from "./tables.ts";

export const comparisons = ["eq", "ne", "gt", "gte", "lt", "lte", "in"] as const;
export type Comparison = (typeof comparisons)[number];

export interface Filter {
  readonly field: string;
  readonly kind: FieldKind;
  readonly comparison: Comparison;
  /** Several for `in`, one otherwise. */
  readonly values: readonly unknown[];
}

export interface SortKey {
  readonly field: string;
  readonly kind: FieldKind;
  readonly descending: boolean;
  /** Whether records may lack it. */
  readonly optional: boolean;
}

export interface PageRequest {
  readonly parentId: RowId | undefined;
  readonly filters: readonly Filter[];
  /** Always ends in `id`, so that the order is total. */
  readonly sort: readonly SortKey[];
  readonly limit: number;
  /** Values of the sort keys of the last record of the page before, encoded for the store. */
  readonly after: readonly unknown[] | undefined;
}

export interface Page {
  readonly rows: readonly StoredRow[];
  /** Where the next page begins; `undefined` on the last one. */
  readonly next: readonly unknown[] | undefined;
}

type Database = Record<string, Record<string, unknown>>;
type Build = ExpressionBuilder<Database, string>;
type Condition = ExpressionWrapper<Database, string, SqlBool>;

/**
 * One page by keyset: the position is the last record seen, not a number of records to skip, so
 * records that come and go shift nothing, and page 10,000 costs what page 1 does.
 */
export async function readPage(on: Executor, rows: Rows, request: PageRequest): Promise<Page> {
  const { resource, engine } = rows;
  const parent = directParent(resource);
  let query = engine.compiler.selectFrom(resource.table).selectAll();
  if (parent !== undefined) query = query.where(parent.field, "=", request.parentId);
  for (const { field, kind, comparison, values } of request.filters) {
    const encoded = values.map((value) => engine.encode(kind, value));
    query = query.where(
      stampColumn(field),
      sqlOperators[comparison],
      comparison === "in" ? encoded : encoded[0],
    );
  }
  const { after } = request;
  if (after !== undefined) query = query.where((eb) => behind(eb, request.sort, after));
  for (const { field, descending, optional } of request.sort) {
    const direction = descending ? "desc" : "asc";
    const column = stampColumn(field);
    // Missing values come last in ascending order and first in descending order, on every engine.
    if (optional) query = query.orderBy(sql`${sql.ref(column)} is null`, direction);
    query = query.orderBy(column, direction);
  }
  // One more than asked for tells whether there is another page.
  const { sql: text, parameters } = query.limit(request.limit + 1).compile();
  const found = await on.execute(text, parameters);
  const page = found.slice(0, request.limit);
  const last = page.at(-1);
  return {
    rows: page.map((row) => rows.decode(row)),
    next:
      found.length > request.limit && last !== undefined
        ? request.sort.map(({ field }) => last[stampColumn(field)])
        : undefined,
  };
}

const sqlOperators = {
  eq: "=",
  ne: "!=",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  in: "in",
} as const;

/** (a, b, id) behind (x, y, z), written out, because directions may differ and values be missing. */
function behind(eb: Build, sort: readonly SortKey[], after: readonly unknown[]): Condition {
  const [key, ...rest] = sort;
  const [value, ...values] = after;
  const column = stampColumn(key!.field);
  const same = eb(column, value === null ? "is" : "=", value);
  const alternatives: Condition[] = [];
  if (key!.descending) {
    alternatives.push(value === null ? eb(column, "is not", null) : eb(column, "<", value));
  } else if (value !== null) {
    alternatives.push(eb(column, ">", value));
    if (key!.optional) alternatives.push(eb(column, "is", null));
  }
  if (rest.length > 0) alternatives.push(eb.and([same, behind(eb, rest, values)]));
  return eb.or(alternatives);
}

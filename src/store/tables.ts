import type { FieldKind } from "../declare/fields.ts";
import { directParent, type ResourceModel } from "../declare/model.ts";
import type { JsonSchema } from "../declare/standard-schema.ts";

/** The framework's own columns, in every table of a resource. No field can begin with `_`. */
export const VERSION = "_version";
export const CREATED = "_created";
export const UPDATED = "_updated";

export interface Column {
  readonly name: string;
  readonly kind: FieldKind;
  /** Whether every row must have a value, by the declaration. */
  readonly required: boolean;
  /** What rows get that were there before the column was, if the schema names a default. */
  readonly default: unknown;
  /** The framework's own, or a key: NOT NULL in the database too. */
  readonly system: boolean;
}

export interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

/** What a resource wants of the database. */
export interface Table {
  readonly name: string;
  readonly idKind: "integer" | "text";
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
  readonly reference:
    | { readonly column: string; readonly table: string; readonly onDelete: "restrict" | "cascade" }
    | undefined;
}

export function tableOf(resource: ResourceModel): Table {
  const parent = directParent(resource);
  const system = (name: string, kind: FieldKind): Column => ({
    name,
    kind,
    required: true,
    default: undefined,
    system: true,
  });
  const columns: Column[] = resource.fields.map((field) => ({
    name: field.name,
    kind: field.kind,
    required: field.required && !field.nullable,
    default: (field.schema as JsonSchema).default,
    system: false,
  }));
  if (parent !== undefined) columns.push(system(parent.field, keyKind(parent.resource)));
  columns.push(system(VERSION, "integer"), system(CREATED, "integer"), system(UPDATED, "integer"));

  const indexes = new Map<string, Index>();
  const index = (names: readonly string[], unique: boolean) => {
    // Punctuation keeps the parts apart: no other table and columns give the same name.
    const name = `posthaste_${resource.table}(${names.join(",")})${unique ? "_unique" : ""}`;
    indexes.set(name, { name, columns: names, unique });
  };
  for (const names of resource.unique) index(names, true);
  const single = new Set(resource.unique.filter((names) => names.length === 1).flat());
  if (parent !== undefined) index([parent.field], false);
  for (const name of new Set([...resource.filter, ...resource.sort])) {
    if (!single.has(name)) index([stampColumn(name)], false);
  }
  return {
    name: resource.table,
    idKind: keyKind(resource) === "integer" ? "integer" : "text",
    columns,
    indexes: [...indexes.values()],
    reference:
      parent === undefined
        ? undefined
        : {
            column: parent.field,
            table: parent.resource.table,
            onDelete: resource.onParentDelete === "cascade" ? "cascade" : "restrict",
          },
  };
}

/** The column that stands behind `createdAt` and `updatedAt`; every other field is its own. */
export function stampColumn(field: string): string {
  if (field === "createdAt") return CREATED;
  if (field === "updatedAt") return UPDATED;
  return field;
}

export function keyKind(resource: ResourceModel): "integer" | "string" {
  return resource.idKind === "integer" ? "integer" : "string";
}

import type { FieldKind } from "../declare/fields.ts";
import type { Column, Index, Table } from "./tables.ts";

/** A table as the database has it. */
export interface ActualTable {
  readonly name: string;
  readonly idKind: "integer" | "text" | undefined;
  readonly columns: readonly {
    readonly name: string;
    readonly kind: FieldKind | undefined;
    readonly type: string;
  }[];
  /** Only those that the framework made. */
  readonly indexes: readonly string[];
  readonly reference: Table["reference"];
}

export type MigrationStep =
  | { readonly kind: "create-table"; readonly table: Table }
  | { readonly kind: "replace-empty-table"; readonly table: Table }
  | { readonly kind: "add-column"; readonly table: string; readonly column: Column }
  | { readonly kind: "create-index"; readonly table: string; readonly index: Index }
  | { readonly kind: "drop-index"; readonly table: string; readonly index: string }
  | { readonly kind: "drop-column"; readonly table: string; readonly column: string }
  | { readonly kind: "drop-table"; readonly table: string };

/** What migrating needs of an engine. */
export interface SchemaPort {
  inspect(): ActualTable[];
  /** Whether a table has any row, or any that the condition is true of. */
  hasRows(table: string, condition?: RowCondition): boolean;
  /** The statements that a step will run. */
  render(step: MigrationStep): string[];
  /** Runs all steps, or none. */
  apply(steps: readonly MigrationStep[]): void;
  close(): void;
}

export type RowCondition =
  | { readonly kind: "filled" | "empty"; readonly column: string }
  /** Rows that share the values of these columns; without columns, any two rows do. */
  | { readonly kind: "duplicates"; readonly columns: readonly string[] };

/** A change that would lose or break data, and what the operator can do. */
export interface Refusal {
  readonly where: string;
  readonly reason: string;
  readonly wayOut: string;
}

export interface MigrationPlan {
  readonly steps: readonly MigrationStep[];
  readonly refusals: readonly Refusal[];
  /** Things in the database that nothing declares any more; they are left alone. */
  readonly notes: readonly string[];
}

/**
 * Compares what is declared with what is there. What only adds is planned; what could lose data is
 * refused, unless `drop` names it (`users.age`, `users`).
 */
export function planMigration(
  wanted: readonly Table[],
  database: SchemaPort,
  drop: ReadonlySet<string> = new Set(),
): MigrationPlan {
  const actual = new Map(database.inspect().map((table) => [table.name, table]));
  const steps: MigrationStep[] = [];
  const refusals: Refusal[] = [];
  const notes: string[] = [];
  for (const table of wanted) {
    const found = actual.get(table.name);
    if (found === undefined) {
      steps.push({ kind: "create-table", table });
    } else if (!database.hasRows(table.name) && differs(table, found)) {
      steps.push({ kind: "replace-empty-table", table });
    } else {
      planTable(table, found, database, drop, { steps, refusals });
    }
  }
  const declared = new Set(wanted.map(({ name }) => name));
  for (const name of drop) {
    if (name.includes(".") || !actual.has(name) || declared.has(name)) continue;
    const referrers = [...actual.values()].filter(
      (table) => table.reference?.table === name && !drop.has(table.name),
    );
    if (referrers.length === 0) {
      steps.push({ kind: "drop-table", table: name });
    } else {
      const others = referrers.map((table) => table.name);
      refusals.push({
        where: name,
        reason: `records of ${others.join(" and ")} belong to records of it.`,
        wayOut: `Drop those too: posthaste migrate --drop ${[...others, name].join(" ")}.`,
      });
    }
  }
  for (const [name, { columns }] of actual) {
    const ours = columns.some((column) => column.name === "_version");
    if (ours && !declared.has(name) && !drop.has(name)) {
      notes.push(
        `The table "${name}" is no longer declared; it is left alone. posthaste migrate --drop ${name} removes it.`,
      );
    }
  }
  return { steps, refusals, notes };
}

function differs(table: Table, found: ActualTable): boolean {
  const columns = new Map(found.columns.map((column) => [column.name, column.kind]));
  columns.delete("id");
  return (
    found.idKind !== table.idKind ||
    !sameReference(table, found) ||
    columns.size !== table.columns.length ||
    table.columns.some((column) => columns.get(column.name) !== column.kind)
  );
}

function sameReference({ reference: a }: Table, { reference: b }: ActualTable): boolean {
  return a?.column === b?.column && a?.table === b?.table && a?.onDelete === b?.onDelete;
}

function planTable(
  table: Table,
  found: ActualTable,
  database: SchemaPort,
  drop: ReadonlySet<string>,
  plan: { readonly steps: MigrationStep[]; readonly refusals: Refusal[] },
): void {
  const refuse = (where: string, reason: string, wayOut: string) =>
    plan.refusals.push({ where, reason, wayOut });
  if (found.idKind !== table.idKind) {
    refuse(
      `${table.name}.id`,
      `records have ids of type ${found.idKind ?? "unknown"}, and the declaration wants ${table.idKind}.`,
      "Keep the id option as it was, or declare the resource under another name.",
    );
    return;
  }
  if (!sameReference(table, found)) {
    refuse(
      table.name,
      "the parent, or what happens to records when the parent is deleted, has changed.",
      "Keep parent and onParentDelete as they were, or declare the resource under another name.",
    );
    return;
  }
  const present = new Map(found.columns.map((column) => [column.name, column]));
  for (const column of table.columns)
    planColumn(table, column, present.get(column.name), database, drop, plan);

  const declared = new Set(["id", ...table.columns.map(({ name }) => name)]);
  for (const { name } of found.columns) {
    const where = `${table.name}.${name}`;
    if (declared.has(name)) continue;
    if (drop.has(where)) {
      plan.steps.push({ kind: "drop-column", table: table.name, column: name });
    } else if (database.hasRows(table.name, { kind: "filled", column: name })) {
      refuse(
        where,
        "the column holds data, and the declaration no longer has the field.",
        `Keep the data: put the field back, in hidden: ["${name}"] if clients should not see it. Lose it: posthaste migrate --drop ${where}.`,
      );
    }
  }
  const dropped = new Set(
    plan.steps.flatMap((step) =>
      step.kind === "drop-column" && step.table === table.name ? [step.column] : [],
    ),
  );
  planIndexes(table, found, dropped, database, plan);
}

function planColumn(
  table: Table,
  column: Column,
  found: ActualTable["columns"][number] | undefined,
  database: SchemaPort,
  drop: ReadonlySet<string>,
  plan: { readonly steps: MigrationStep[]; readonly refusals: Refusal[] },
): void {
  const where = `${table.name}.${column.name}`;
  const replaced = found !== undefined && drop.has(where) && found.kind !== column.kind;
  if (replaced) plan.steps.push({ kind: "drop-column", table: table.name, column: column.name });
  if (found === undefined || replaced) {
    if (column.required && column.default === undefined) {
      plan.refusals.push({
        where,
        reason: "the field is required, and the records that are there have no value for it.",
        wayOut: "Give the field a default in the schema, or make it optional.",
      });
      return;
    }
    plan.steps.push({ kind: "add-column", table: table.name, column });
    return;
  }
  if (found.kind !== column.kind) {
    plan.refusals.push({
      where,
      reason: `the column holds ${found.type}, and the declaration wants ${column.kind}.`,
      wayOut: `Give the field another name and copy the values over, or lose them: posthaste migrate --drop ${where}.`,
    });
    return;
  }
  if (
    column.required &&
    !column.system &&
    database.hasRows(table.name, { kind: "empty", column: column.name })
  ) {
    plan.refusals.push({
      where,
      reason: "the field is required now, and some records have no value for it.",
      wayOut: "Fill the values first, or leave the field optional.",
    });
  }
}

function planIndexes(
  table: Table,
  found: ActualTable,
  dropped: ReadonlySet<string>,
  database: SchemaPort,
  plan: { readonly steps: MigrationStep[]; readonly refusals: Refusal[] },
): void {
  const present = new Set(found.indexes);
  const existing = new Set(
    found.columns.map(({ name }) => name).filter((name) => !dropped.has(name)),
  );
  for (const index of table.indexes) {
    // An index goes with its column.
    const goes = index.columns.some((name) => dropped.has(name));
    if (present.delete(index.name) && !goes) continue;
    if (index.unique && sharesValues(table, index, existing, database)) {
      plan.refusals.push({
        where: `${table.name}.unique`,
        reason: `records share the same ${index.columns.join(" and ")} already.`,
        wayOut: "Make the values differ first, or leave the field out of unique.",
      });
      continue;
    }
    plan.steps.push({ kind: "create-index", table: table.name, index });
  }
  for (const name of present)
    plan.steps.push({ kind: "drop-index", table: table.name, index: name });
}

/** Whether records would have the same values in a unique index, its new columns included. */
function sharesValues(
  { name, columns }: Table,
  index: Index,
  existing: ReadonlySet<string>,
  database: SchemaPort,
): boolean {
  const added = index.columns.filter((column) => !existing.has(column));
  // A new column without a default is empty in every record, and what is empty collides with nothing.
  const filled = added.every((column) => {
    const value = columns.find((each) => each.name === column)?.default;
    return value !== undefined && value !== null;
  });
  const shared = index.columns.filter((column) => existing.has(column));
  return filled && database.hasRows(name, { kind: "duplicates", columns: shared });
}

import type { FieldKind } from "../../declare/fields.ts";
import type { ActualTable, MigrationStep, RowCondition, SchemaPort } from "../migration.ts";
import { type Column, CREATED, type Index, type Table, UPDATED, VERSION } from "../tables.ts";
import { SqliteConnection } from "./connection.ts";
import { sqliteEngine } from "./engine.ts";

/**
 * Declared types of columns. SQLite keeps the words, so they tell a boolean from an integer and
 * JSON from a string; the affinities that it derives from them are what we store (datatype3.html).
 */
const types: Readonly<Record<FieldKind, string>> = {
  integer: "INTEGER",
  number: "REAL",
  string: "TEXT",
  boolean: "BOOLEAN",
  json: "JSON_TEXT",
};

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

export class SqliteSchema implements SchemaPort {
  readonly #connection: SqliteConnection;

  constructor(path: string, options: { readonly readOnly: boolean }) {
    this.#connection = new SqliteConnection(path, options);
  }

  inspect(): ActualTable[] {
    const names = this.#rows(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'posthaste\\_%' ESCAPE '\\'",
    );
    return names.map(({ name }) => this.#table(String(name)));
  }

  hasRows(table: string, condition?: RowCondition): boolean {
    const from = `FROM ${quote(table)}`;
    const sql = (() => {
      switch (condition?.kind) {
        case undefined:
          return `SELECT 1 ${from} LIMIT 1`;
        case "filled":
          return `SELECT 1 ${from} WHERE ${quote(condition.column)} IS NOT NULL LIMIT 1`;
        case "empty":
          return `SELECT 1 ${from} WHERE ${quote(condition.column)} IS NULL LIMIT 1`;
        case "duplicates": {
          if (condition.columns.length === 0) return `SELECT 1 ${from} LIMIT 1 OFFSET 1`;
          const columns = condition.columns.map(quote);
          const filled = columns.map((column) => `${column} IS NOT NULL`).join(" AND ");
          return `SELECT 1 ${from} WHERE ${filled} GROUP BY ${columns.join(", ")} HAVING count(*) > 1 LIMIT 1`;
        }
      }
    })();
    return this.#rows(sql).length > 0;
  }

  render(step: MigrationStep): string[] {
    switch (step.kind) {
      case "create-table":
        return createTable(step.table);
      case "replace-empty-table":
        return replaceTable(step.table);
      case "add-column":
        return [`ALTER TABLE ${quote(step.table)} ADD COLUMN ${columnSql(step.column, true)}`];
      case "create-index":
        return [createIndex(step.table, step.index)];
      case "drop-index":
        return [`DROP INDEX IF EXISTS ${quote(step.index)}`];
      case "drop-column":
        return [
          ...this.#indexesOver(step.table, step.column).map(
            (name) => `DROP INDEX IF EXISTS ${quote(name)}`,
          ),
          `ALTER TABLE ${quote(step.table)} DROP COLUMN ${quote(step.column)}`,
        ];
      case "drop-table":
        return [`DROP TABLE ${quote(step.table)}`];
    }
  }

  /** All steps, or none: SQLite's schema changes are transactional. */
  apply(steps: readonly MigrationStep[]): void {
    this.#connection.execute("BEGIN IMMEDIATE", []);
    try {
      for (const step of steps) {
        for (const sql of this.render(step)) this.#connection.database.exec(sql);
      }
      this.#connection.execute("COMMIT", []);
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.execute("ROLLBACK", []);
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }

  #rows(sql: string, ...parameters: unknown[]) {
    return this.#connection.execute(sql, parameters);
  }

  #table(name: string): ActualTable {
    const kinds = new Map(Object.entries(types).map(([kind, type]) => [type, kind as FieldKind]));
    const columns = this.#rows("SELECT name, type FROM pragma_table_info(?)", name).map(
      (column) => ({
        name: String(column.name),
        type: String(column.type),
        kind: kinds.get(String(column.type).toUpperCase()),
      }),
    );
    const id = columns.find((column) => column.name === "id")?.kind;
    const [reference] = this.#rows(
      'SELECT "from", "table", on_delete FROM pragma_foreign_key_list(?)',
      name,
    );
    return {
      name,
      idKind: id === "integer" ? "integer" : id === "string" ? "text" : undefined,
      columns,
      indexes: this.#rows(
        "SELECT name FROM pragma_index_list(?) WHERE name LIKE 'posthaste\\_%' ESCAPE '\\'",
        name,
      ).map((index) => String(index.name)),
      reference:
        reference === undefined
          ? undefined
          : {
              column: String(reference.from),
              table: String(reference.table),
              onDelete: reference.on_delete === "CASCADE" ? "cascade" : "restrict",
            },
    };
  }

  #indexesOver(table: string, column: string): string[] {
    return this.#rows(
      "SELECT DISTINCT list.name AS name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info WHERE info.name = ? AND list.origin = 'c'",
      table,
      column,
    ).map(({ name }) => String(name));
  }
}

function createTable({ name, idKind, columns, reference, indexes }: Table): string[] {
  // AUTOINCREMENT: the id of a deleted record must never name another one.
  const id =
    idKind === "integer"
      ? '"id" INTEGER PRIMARY KEY AUTOINCREMENT'
      : '"id" TEXT PRIMARY KEY NOT NULL';
  const lines = [id, ...columns.map((column) => columnSql(column, false))];
  if (reference !== undefined) {
    lines.push(
      `FOREIGN KEY (${quote(reference.column)}) REFERENCES ${quote(reference.table)} ("id") ON DELETE ${reference.onDelete.toUpperCase()}`,
    );
  }
  return [
    `CREATE TABLE ${quote(name)} (\n  ${lines.join(",\n  ")}\n)`,
    ...indexes.map((index) => createIndex(name, index)),
    touchTrigger(name),
  ];
}

/** Numbers that were given stay given, also when the table is made anew. */
function replaceTable(table: Table): string[] {
  const anew = [`DROP TABLE ${quote(table.name)}`, ...createTable(table)];
  if (table.idKind !== "integer") return anew;
  const name = `'${table.name}'`;
  return [
    `CREATE TEMP TABLE posthaste_sequence AS SELECT seq FROM sqlite_sequence WHERE name = ${name}`,
    ...anew,
    `INSERT INTO sqlite_sequence (name, seq) SELECT ${name}, seq FROM posthaste_sequence`,
    "DROP TABLE posthaste_sequence",
  ];
}

function createIndex(table: string, { name, columns, unique }: Index): string {
  return `CREATE ${unique ? "UNIQUE " : ""}INDEX ${quote(name)} ON ${quote(table)} (${columns.map(quote).join(", ")})`;
}

/** Milliseconds since the epoch, in words that SQLite 3.0 knows: the tools of others are older. */
const NOW = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";

/** So that a hook, or any SQL tool, can make a record by its declared fields alone. */
const ownDefaults: Readonly<Record<string, string>> = {
  [VERSION]: " DEFAULT (abs(random() % 1073741824) + 1)",
  [CREATED]: ` DEFAULT (${NOW})`,
  [UPDATED]: ` DEFAULT (${NOW})`,
};

/** Whoever changes a record changes its ETag, also past the framework, as a hook's tx does. */
function touchTrigger(table: string): string {
  return `CREATE TRIGGER ${quote(`posthaste_${table}_touch`)} AFTER UPDATE ON ${quote(table)}
WHEN NEW.${VERSION} = OLD.${VERSION}
BEGIN
  UPDATE ${quote(table)}
  SET ${VERSION} = OLD.${VERSION} + 1, ${UPDATED} = ${NOW}
  WHERE "id" = NEW."id";
END`;
}

function columnSql({ name, kind, default: value, system }: Column, added: boolean): string {
  const type = `${quote(name)} ${types[kind]}`;
  if (system) return `${type} NOT NULL${ownDefaults[name] ?? ""}`;
  // Rows that are there already get the default; new ones always bring a value of their own.
  return added && value !== undefined
    ? `${type} DEFAULT ${literal(sqliteEngine.encode(kind, value))}`
    : type;
}

/** A value in a schema statement, where SQLite takes no parameters. */
function literal(value: unknown): string {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : `'${String(value).replaceAll("'", "''")}'`;
}

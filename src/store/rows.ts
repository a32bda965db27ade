import { sql } from "kysely";
import { directParent, type RecordValues, type ResourceModel } from "../declare/model.ts";
import type { Engine, Executor, SqlRow } from "./port.ts";
import { CREATED, UPDATED, VERSION } from "./tables.ts";

/** A stored record: its values by field name, and what the framework keeps beside them. */
export interface StoredRow {
  readonly values: RecordValues;
  /** Changes with every write, and is never the same for two lives of one id. */
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type RowId = string | number;

/** Values of the first version: random, so that a record made anew under an old id differs from the old one. */
const MAX_FIRST_VERSION = 2 ** 30;

/**
 * The statements of one resource, compiled once for an engine. Values are always parameters.
 */
export class Rows {
  readonly resource: ResourceModel;
  readonly engine: Engine;
  readonly #insert: string;
  readonly #insertWithId: string;
  readonly #find: string;
  readonly #update: string;
  readonly #delete: string;
  readonly #findUnique: ReadonlyMap<readonly string[], string>;
  readonly #parentField: string | undefined;

  constructor(resource: ResourceModel, engine: Engine) {
    this.resource = resource;
    this.engine = engine;
    this.#parentField = directParent(resource)?.field;
    const { compiler } = engine;
    const { table, fields } = resource;
    const own = [
      ...fields.map(({ name }) => name),
      ...(this.#parentField === undefined ? [] : [this.#parentField]),
    ];
    const placeholders = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, 0]));
    const insert = (names: readonly string[]) =>
      compiler.insertInto(table).values(placeholders(names)).returning("id").compile().sql;
    this.#insert = insert([...own, VERSION, CREATED, UPDATED]);
    this.#insertWithId = insert([...own, VERSION, CREATED, UPDATED, "id"]);
    this.#find = compiler.selectFrom(table).selectAll().where("id", "=", 0).compile().sql;
    this.#update = compiler
      .updateTable(table)
      .set(placeholders([...fields.map(({ name }) => name), VERSION, UPDATED]))
      .where("id", "=", 0)
      .compile().sql;
    this.#delete = compiler.deleteFrom(table).where("id", "=", 0).compile().sql;
    this.#findUnique = new Map(
      resource.unique.map((names) => {
        let query = compiler.selectFrom(table).select("id");
        for (const name of names) query = query.where(name, "=", 0);
        return [names, query.limit(sql.lit(1)).compile().sql];
      }),
    );
  }

  /** @throws StoreError of kind unique or reference */
  async insert(
    on: Executor,
    values: RecordValues,
    given: {
      readonly id: string | undefined;
      readonly parentId: RowId | undefined;
      readonly now: number;
    },
  ): Promise<StoredRow> {
    const version = Math.floor(Math.random() * MAX_FIRST_VERSION) + 1;
    const parameters = this.#encode(values);
    if (this.#parentField !== undefined) parameters.push(given.parentId);
    parameters.push(version, given.now, given.now);
    if (given.id !== undefined) parameters.push(given.id);
    const [row] = await on.execute(
      given.id === undefined ? this.#insert : this.#insertWithId,
      parameters,
    );
    const stored = this.#asRead({ id: row?.id }, values);
    if (this.#parentField !== undefined) stored[this.#parentField] = given.parentId;
    return {
      values: this.#stamped(stored, given.now, given.now),
      version,
      createdAt: given.now,
      updatedAt: given.now,
    };
  }

  async find(on: Executor, id: RowId): Promise<StoredRow | undefined> {
    const [row] = await on.execute(this.#find, [id]);
    return row === undefined ? undefined : this.decode(row);
  }

  async update(
    on: Executor,
    current: StoredRow,
    values: RecordValues,
    now: number,
  ): Promise<StoredRow> {
    const version = current.version + 1;
    const id = current.values.id;
    await on.execute(this.#update, [...this.#encode(values), version, now, id]);
    const stored = this.#asRead({ ...current.values }, values);
    return {
      values: this.#stamped(stored, current.createdAt, now),
      version,
      createdAt: current.createdAt,
      updatedAt: now,
    };
  }

  /** @throws StoreError of kind reference where other records belong to it */
  async delete(on: Executor, id: RowId): Promise<void> {
    await on.execute(this.#delete, [id]);
  }

  /** The id of another record with the same values in fields that are unique together. */
  async findUnique(
    on: Executor,
    names: readonly string[],
    values: RecordValues,
  ): Promise<RowId | undefined> {
    const statement = this.#findUnique.get(names);
    const wanted = names.map((name) => values[name] ?? null);
    // NULLs never collide (SQL), so a record without one of the values has no twin.
    if (statement === undefined || wanted.includes(null)) return undefined;
    const kinds = new Map(this.resource.fields.map(({ name, kind }) => [name, kind]));
    const parameters = names.map((name, index) => {
      const kind = kinds.get(name);
      return kind === undefined ? wanted[index] : this.engine.encode(kind, wanted[index]);
    });
    const [row] = await on.execute(statement, parameters);
    return row?.id as RowId | undefined;
  }

  decode(row: SqlRow): StoredRow {
    const values: Record<string, unknown> = { id: row.id };
    for (const { name, kind, nullable } of this.resource.fields) {
      const value = this.engine.decode(kind, row[name]);
      if (value !== null || nullable) values[name] = value;
    }
    if (this.#parentField !== undefined) values[this.#parentField] = row[this.#parentField];
    const createdAt = Number(row[CREATED]);
    const updatedAt = Number(row[UPDATED]);
    return {
      values: this.#stamped(values, createdAt, updatedAt),
      version: Number(row[VERSION]),
      createdAt,
      updatedAt,
    };
  }

  /** Written values as a later read will give them: what may be missing or null is null. */
  #asRead(row: Record<string, unknown>, values: RecordValues): Record<string, unknown> {
    for (const { name, nullable } of this.resource.fields) {
      row[name] = values[name] ?? (nullable ? null : undefined);
    }
    return row;
  }

  #encode(values: RecordValues): unknown[] {
    return this.resource.fields.map(({ name, kind }) => this.engine.encode(kind, values[name]));
  }

  #stamped(values: Record<string, unknown>, createdAt: number, updatedAt: number): RecordValues {
    if (this.resource.timestamps) {
      values.createdAt = new Date(createdAt).toISOString();
      values.updatedAt = new Date(updatedAt).toISOString();
    }
    return values;
  }
}

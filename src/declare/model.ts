import { type AccessRule, judge, type Principal } from "./access.ts";
import type { Dialect } from "./dialect.ts";
import { type Field, fieldsOf } from "./fields.ts";
import { type Idempotency, type IdempotencyPolicy, idempotencyPolicy } from "./idempotency.ts";
import type {
  AnyResource,
  HookContext,
  IdKind,
  RuleContext,
  UpdateHookContext,
} from "./resource.ts";
import { type JsonSchema, jsonSchemaOf, type StandardSchema } from "./standard-schema.ts";

/** A stored record by field name, `id` and parent keys included. */
export type RecordValues = Readonly<Record<string, unknown>>;

export interface ParentModel {
  readonly name: string;
  /** The field that holds the parent's id: `postId`. */
  readonly field: string;
  readonly wireName: string;
  readonly resource: ResourceModel;
}

/** A resource in its normal form: every default filled in, everything looked up once. */
export interface ResourceModel {
  readonly name: string;
  readonly table: string;
  readonly schema: StandardSchema;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly fields: readonly Field[];
  readonly fieldsByWireName: ReadonlyMap<string, Field>;
  readonly idKind: IdKind;
  /** The parents, outermost first, as in the path. Only the last one is a column. */
  readonly parents: readonly ParentModel[];
  readonly unique: readonly (readonly string[])[];
  readonly set: ReadonlyMap<string, unknown>;
  readonly rules: readonly ((context: RuleContext<RecordValues, RecordValues>) => unknown)[];
  readonly created: ((context: HookContext<RecordValues>) => unknown) | undefined;
  readonly updated: ((context: UpdateHookContext<RecordValues>) => unknown) | undefined;
  readonly deleted: ((context: HookContext<RecordValues>) => unknown) | undefined;
  readonly access: Readonly<Record<"create" | "read" | "update" | "delete", AccessRule>>;
  readonly filter: readonly string[];
  readonly sort: readonly string[];
  readonly limit: number;
  readonly maxLimit: number;
  readonly timestamps: boolean;
  readonly onParentDelete: "refuse" | "cascade";
  readonly maxBodyBytes: number;
  readonly idempotency: Readonly<Partial<Record<string, IdempotencyPolicy>>>;
  /** Whether PUT, PATCH and DELETE need `If-Match`. */
  readonly ifMatch: "optional" | "required";
  readonly description: string | undefined;
  readonly example: unknown;
}

export const DEFAULT_MAX_BODY_BYTES = 262_144;

/** Compiles a verified declaration. `parentOf` finds the model of an already compiled parent. */
export function modelOf(
  { name, config }: AnyResource,
  dialect: Dialect,
  parentOf: (resource: AnyResource) => ResourceModel,
): ResourceModel {
  const schema = config.schema as StandardSchema;
  const outputSchema = jsonSchemaOf(schema, "output");
  const fields = fieldsOf(config, outputSchema, dialect.fieldName);
  const parents = Object.entries((config.parent as Record<string, AnyResource>) ?? {}).flatMap(
    ([parentName, parent]): ParentModel[] => {
      const resource = parentOf(parent);
      const field = `${parentName}Id`;
      const wireName = dialect.fieldName(field);
      return [...resource.parents, { name: parentName, field, wireName, resource }];
    },
  );
  const list = (config.list ?? {}) as Partial<
    Pick<ResourceModel, "filter" | "sort" | "limit" | "maxLimit">
  >;
  const maxLimit = list.maxLimit ?? 100;
  const idempotency = (config.idempotency ?? {}) as { create?: Idempotency; patch?: Idempotency };
  const unique = ((config.unique ?? []) as (string | string[])[]).map((entry) =>
    typeof entry === "string" ? [entry] : entry,
  );
  const visible = new Set(fields.filter((field) => field.visible).map(({ name: field }) => field));
  const visibleUnique = unique
    .flatMap((entry) => (entry.length === 1 ? entry : []))
    .filter(
      (field) =>
        visible.has(field) && !["limit", "sort", "cursor"].includes(dialect.fieldName(field)),
    );
  return Object.freeze<ResourceModel>({
    name,
    table: name.replaceAll("-", "_"),
    schema,
    inputSchema: jsonSchemaOf(schema, "input"),
    outputSchema,
    fields,
    fieldsByWireName: new Map(fields.map((field) => [field.wireName, field])),
    idKind: (config.id ?? "integer") as IdKind,
    parents,
    unique,
    set: new Map(Object.entries((config.set as object) ?? {})),
    rules: (config.rules ?? []) as ResourceModel["rules"],
    created: config.created as ResourceModel["created"],
    updated: config.updated as ResourceModel["updated"],
    deleted: config.deleted as ResourceModel["deleted"],
    access: config.access as ResourceModel["access"],
    filter: [...new Set([...visibleUnique, ...(list.filter ?? [])])],
    sort: [...(list.sort ?? [])],
    limit: Math.min(list.limit ?? 20, maxLimit),
    maxLimit,
    timestamps: config.timestamps === true,
    onParentDelete: (config.onParentDelete ?? "refuse") as "refuse" | "cascade",
    maxBodyBytes: (config.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES) as number,
    idempotency: {
      create: idempotencyPolicy(idempotency.create, "accepted"),
      patch: idempotencyPolicy(idempotency.patch, "ignored"),
    },
    ifMatch: (config.ifMatch ?? "optional") as "optional" | "required",
    description: config.description as string | undefined,
    example: config.example,
  });
}

/** The parent whose key is a column of the resource. */
export function directParent(resource: ResourceModel): ParentModel | undefined {
  return resource.parents.at(-1);
}

/** Whether the caller may read records of the resource; decides what an answer may link to. */
export function mayRead(resource: ResourceModel, principal: Principal | null): boolean {
  return judge(resource.access.read, principal) === "allowed";
}

/** Path of the collection, from the ids of the parents, outermost first. */
export function collectionPath(
  resource: ResourceModel,
  parentIds: readonly (string | number)[],
): string {
  let path = "";
  resource.parents.forEach((parent, index) => {
    path += `/${parent.resource.name}/${encodeURIComponent(parentIds[index] ?? "")}`;
  });
  return `${path}/${resource.name}`;
}

import type { Dialect } from "../declare/dialect.ts";
import { directParent, type ResourceModel } from "../declare/model.ts";
import { isJsonObject, type Json, type JsonObject } from "../kernel/json.ts";

/** The declared example, by the names that fields have on the wire. */
export function exampleInput({ example, fields }: ResourceModel): JsonObject | undefined {
  if (!isJsonObject(example)) return undefined;
  return Object.fromEntries(
    fields
      .filter(({ name, writable }) => writable && Object.hasOwn(example, name))
      .map(({ name, wireName }) => [wireName, example[name] as Json]),
  );
}

/** The record that comes of the example, where the declaration says enough to tell. */
export function exampleRecord(
  resource: ResourceModel,
  { fieldName }: Dialect,
): JsonObject | undefined {
  const { example, fields, timestamps } = resource;
  if (!isJsonObject(example)) return undefined;
  const record: Record<string, Json> = { [fieldName("id")]: exampleId(resource) };
  const parent = directParent(resource);
  if (parent !== undefined) record[parent.wireName] = exampleId(parent.resource);
  for (const { name, wireName, visible, required, schema } of fields) {
    if (!visible) continue;
    const value = Object.hasOwn(example, name)
      ? example[name]
      : (schema.default as Json | undefined);
    if (value === undefined && required) return undefined;
    if (value !== undefined) record[wireName] = value;
  }
  for (const stamp of timestamps ? ["createdAt", "updatedAt"] : [])
    record[fieldName(stamp)] = "2026-01-31T12:00:00.000Z";
  return record;
}

/** A merge patch that sets a field of the example to the value that it has there. */
export function examplePatch(resource: ResourceModel): JsonObject | undefined {
  const [field] = Object.entries(exampleInput(resource) ?? {});
  return field === undefined ? undefined : { [field[0]]: field[1] };
}

/** The same as a JSON Patch. */
export function exampleJsonPatch(resource: ResourceModel, dialect: Dialect): Json | undefined {
  const patch = examplePatch(resource);
  if (patch === undefined) return undefined;
  const shown = dialect.record(patch, resource.name);
  // In another shape the place is the dialect's to know.
  if (!isJsonObject(shown)) return undefined;
  const [field] = Object.entries(patch).filter(([name]) => Object.hasOwn(shown, name));
  return field && [{ op: "replace", path: `/${field[0]}`, value: field[1] }];
}

function exampleId({ idKind }: ResourceModel): Json {
  if (idKind === "integer") return 1;
  return idKind === "uuid" ? "01890a5d-ac96-774b-bcce-b302099a8057" : "an-id";
}

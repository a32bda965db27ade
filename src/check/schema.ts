import { isJsonObject, type JsonObject } from "../kernel/json.ts";

/** A JSON Schema as OpenAPI 3.0 and 3.1 write it. */
export type Schema = JsonObject;

/** Follows `$ref` within one document. */
export class References {
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** The object behind a reference, or the object itself; `{}` where it leads nowhere. */
  follow(value: unknown): JsonObject {
    let found = value;
    for (let hops = 0; isJsonObject(found) && typeof found.$ref === "string"; hops++) {
      if (hops > 20) return {};
      found = this.#at(found.$ref);
    }
    return isJsonObject(found) ? found : {};
  }

  /** A schema without `$ref` and `allOf` at its top. */
  schema(value: unknown, depth = 0): Schema {
    const schema = this.follow(value);
    if (!Array.isArray(schema.allOf) || depth > 10) return schema;
    const { allOf, ...own } = schema;
    return [...allOf.map((part) => this.schema(part, depth + 1)), own].reduce(merge, {});
  }

  #at(reference: string): unknown {
    if (!reference.startsWith("#/")) return undefined;
    return reference
      .slice(2)
      .split("/")
      .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<unknown>((at, step) => (isJsonObject(at) ? at[step] : undefined), this.#root);
  }
}

function merge(a: Schema, b: Schema): Schema {
  const properties = { ...objectIn(a, "properties"), ...objectIn(b, "properties") };
  const required = [...requiredOf(a), ...requiredOf(b)];
  return { ...a, ...b, properties, required };
}

function objectIn(schema: Schema, name: string): JsonObject {
  const value = schema[name];
  return isJsonObject(value) ? value : {};
}

export function propertiesOf(schema: Schema): JsonObject {
  return objectIn(schema, "properties");
}

export function requiredOf(schema: Schema): string[] {
  const { required } = schema;
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}

/** The types that it allows, without `null`; empty where it names none. */
export function typesOf(schema: Schema): string[] {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.filter((type): type is string => typeof type === "string" && type !== "null");
}

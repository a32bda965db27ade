import type { AnyResourceConfig } from "./resource.ts";
import { dereference, type JsonSchema } from "./standard-schema.ts";

/** What a column holds. Structures are stored as JSON, and so is what may be of several types. */
export type FieldKind = "integer" | "number" | "string" | "boolean" | "json";

/** A field of a resource: the one source for its column, its representation and its document. */
export interface Field {
  readonly name: string;
  /** Its name on the wire, which the dialect gives. */
  readonly wireName: string;
  readonly kind: FieldKind;
  /** Whether JSON null is a value of it. */
  readonly nullable: boolean;
  /** Whether every record has it. */
  readonly required: boolean;
  /** Whether clients may write it. */
  readonly writable: boolean;
  /** Whether clients see it. */
  readonly visible: boolean;
  readonly schema: JsonSchema;
}

export function fieldsOf(
  config: AnyResourceConfig,
  output: JsonSchema,
  wireName: (name: string) => string,
): Field[] {
  const named = (option: unknown) => new Set(Array.isArray(option) ? (option as string[]) : []);
  const readOnly = named(config.readOnly);
  const writeOnly = named(config.writeOnly);
  const hidden = named(config.hidden);
  const set = new Set(Object.keys((config.set as object | undefined) ?? {}));
  const required = new Set(output.required);
  return Object.entries(output.properties ?? {}).map(([name, schema]) => ({
    name,
    wireName: wireName(name),
    ...kindOf(schema, output),
    required: required.has(name),
    writable: !readOnly.has(name) && !hidden.has(name) && !set.has(name),
    visible: !writeOnly.has(name) && !hidden.has(name),
    schema,
  }));
}

/** The column that can hold every value of a JSON Schema. */
export function kindOf(
  declared: JsonSchema,
  root: JsonSchema,
): { readonly kind: FieldKind; readonly nullable: boolean } {
  const schema = dereference(declared, root);
  const types = new Set(typesOf(schema, root));
  const nullable = types.delete("null");
  if (types.has("integer") && types.has("number")) types.delete("integer");
  const [only, ...others] = types;
  if (others.length > 0) return { kind: "json", nullable };
  switch (only) {
    case "integer":
    case "number":
    case "string":
    case "boolean":
      return { kind: only, nullable };
    default:
      return { kind: "json", nullable };
  }
}

function typesOf(declared: JsonSchema, root: JsonSchema): string[] {
  const schema = dereference(declared, root);
  if (schema.type !== undefined) {
    return typeof schema.type === "string" ? [schema.type] : [...schema.type];
  }
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.flatMap((each) => typesOf(each, root));
  if (schema.enum !== undefined) return schema.enum.map(typeOfValue);
  if (schema.const !== undefined) return [typeOfValue(schema.const)];
  return ["null", "object"];
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

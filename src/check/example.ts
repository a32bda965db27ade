import { isJsonObject, type Json, type JsonObject } from "../kernel/json.ts";
import type { InvalidBody } from "./operation.ts";
import { propertiesOf, type References, requiredOf, type Schema, typesOf } from "./schema.ts";

/** Nothing can be made up: a pattern, a format or a reference that only the API's authors know. */
export class NoExample extends Error {}

/**
 * A body of an OpenAPI media type object: its own example, that of its schema, or one that is made
 * up from the required members.
 *
 * @throws {NoExample} where none can be made up.
 */
export function exampleBody(media: JsonObject, references: References): JsonObject {
  const named = Object.values(isJsonObject(media.examples) ? media.examples : {})
    .map((example) => references.follow(example).value)
    .find(isJsonObject);
  const given = isJsonObject(media.example) ? media.example : named;
  const made = given ?? exampleOf(references.schema(media.schema), references, "the body");
  if (!isJsonObject(made)) throw new NoExample("its body is no JSON object");
  return made;
}

function exampleOf(schema: Schema, references: References, where: string, depth = 0): Json {
  if (depth > 20) throw new NoExample(`${where} is nested without an end`);
  const own = ownExample(schema);
  if (own !== undefined) return own;
  const [choice] = [schema.oneOf, schema.anyOf].filter(Array.isArray).flat();
  if (choice !== undefined)
    return exampleOf(references.schema(choice), references, where, depth + 1);
  switch (typesOf(schema)[0] ?? (isJsonObject(schema.properties) ? "object" : undefined)) {
    case "object":
      return objectOf(schema, references, where, depth);
    case "array":
      return Array.from({ length: numberIn(schema, "minItems") ?? 0 }, () =>
        exampleOf(references.schema(schema.items), references, `${where}/0`, depth + 1),
      );
    case "integer":
    case "number":
      return smallest(schema);
    case "boolean":
      return false;
    case "string":
      return textOf(schema, where);
    default:
      throw new NoExample(`${where} has no type and no example`);
  }
}

function ownExample(schema: Schema): Json | undefined {
  const [example] = Array.isArray(schema.examples) ? schema.examples : [];
  const [choice] = Array.isArray(schema.enum) ? schema.enum : [];
  return schema.example ?? example ?? schema.const ?? schema.default ?? choice;
}

function objectOf(schema: Schema, references: References, where: string, depth: number): Json {
  const properties = propertiesOf(schema);
  const made: Record<string, Json> = {};
  for (const [name, value] of Object.entries(properties)) {
    const property = references.schema(value);
    if (property.readOnly === true) continue;
    const required = requiredOf(schema).includes(name);
    if (!required && ownExample(property) === undefined) continue;
    made[name] = exampleOf(property, references, `${where}/${name}`, depth + 1);
  }
  return made;
}

function numberIn(schema: Schema, name: string): number | undefined {
  const value = schema[name];
  return typeof value === "number" ? value : undefined;
}

function smallest(schema: Schema): number {
  const above = numberIn(schema, "exclusiveMinimum");
  const least = numberIn(schema, "minimum") ?? (above === undefined ? 1 : above + 1);
  const step = numberIn(schema, "multipleOf") ?? 1;
  const maximum = numberIn(schema, "maximum") ?? Number.POSITIVE_INFINITY;
  return Math.min(Math.ceil(least / step) * step, maximum);
}

const FORMATS: Readonly<Record<string, string>> = {
  email: "alice@example.com",
  uuid: "6f1c7a52-3a44-4f0c-9d3e-5b8f5b1a2c3d",
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  time: "03:04:05Z",
  uri: "https://example.com/",
  url: "https://example.com/",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
};

function textOf(schema: Schema, where: string): string {
  const text = anyText(schema, where);
  if (typeof schema.pattern !== "string" || matches(schema.pattern, text)) return text;
  throw new NoExample(`${where} has a pattern and no example`);
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false;
  }
}

function anyText(schema: Schema, where: string): string {
  const { format } = schema;
  if (typeof format === "string") {
    const known = FORMATS[format];
    if (known !== undefined) return known;
    if (!["password", "byte", "binary"].includes(format))
      throw new NoExample(`${where} has the format ${format} and no example`);
  }
  return "Example"
    .padEnd(numberIn(schema, "minLength") ?? 0, "e")
    .slice(0, numberIn(schema, "maxLength"));
}

/** No scalar of any format, and what no library turns into one. */
const NO_SCALAR: JsonObject = { posthaste: ["not a value"] };

/** The example with up to two members that can't be right, or `undefined` where all might be. */
export function invalidBody(
  example: JsonObject,
  schema: Schema | undefined,
  references: References,
): InvalidBody | undefined {
  const properties = propertiesOf(schema ?? {});
  const scalar = ["string", "integer", "number", "boolean"];
  const wrong = Object.keys(example)
    .filter((name) => {
      const types = typesOf(references.schema(properties[name]));
      return types.length > 0 && types.every((type) => scalar.includes(type));
    })
    .slice(0, 2);
  if (wrong.length === 0) return undefined;
  return { wrong, value: { ...example, ...Object.fromEntries(wrong.map((n) => [n, NO_SCALAR])) } };
}

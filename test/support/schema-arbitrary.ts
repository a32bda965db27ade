import fc from "fast-check";

/** A JSON Schema of draft 2020-12, as far as an OpenAPI document of ours uses it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly $ref?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** What I-JSON can hold: text that is well-formed, numbers that are exact. */
const text = (minLength = 0, maxLength = 20) =>
  fc.oneof(
    fc.string({ minLength, maxLength }),
    fc.string({ unit: "grapheme", minLength, maxLength }).filter((each) => {
      // The length in JSON Schema is in code points, in zod and ArkType in UTF-16 units.
      return each.length >= minLength && each.length <= maxLength;
    }),
    fc
      .constantFrom("\u0000", "'; DROP TABLE users; --", "\u2028", "🦄".repeat(3))
      .filter((each) => {
        return each.length >= minLength && each.length <= maxLength;
      }),
  );

/** Values that a schema allows; references are looked up in the components of the document. */
export function valuesOf(
  schema: Schema,
  components: Readonly<Record<string, Schema>>,
  depth = 0,
): fc.Arbitrary<unknown> {
  const inner = (each: Schema) => valuesOf(each, components, depth + 1);
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return valuesOf(components[name]!, components, depth);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(inner));
  if (Array.isArray(schema.type))
    return fc.oneof(...schema.type.map((type: string) => inner({ ...schema, type })));
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 200 })).map((value) => {
        const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema;
        return Math.min(maximum, Math.max(minimum, value));
      });
    case "number":
      return fc
        .oneof(
          fc.double({ min: -1e15, max: 1e15, noNaN: true }),
          fc.constantFrom(5e-324, 0.1, 1e-7, 2 ** 53 - 1),
        )
        .map((value) => {
          const { minimum, exclusiveMinimum } = schema;
          if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
            return exclusiveMinimum + 1;
          return minimum !== undefined && value < minimum ? minimum : value;
        });
    case "string":
      return strings(schema);
    case "array":
      return fc.array(inner(schema.items ?? {}), {
        maxLength: depth > 3 ? 0 : Math.min(schema.maxItems ?? 4, 4),
      });
    case "object":
      return objects(schema, inner, depth);
    default:
      return fc.constantFrom<unknown>(null, "any", 1, [], {});
  }
}

function strings({ pattern, format, minLength, maxLength = 30 }: Schema): fc.Arbitrary<string> {
  if (format === "email") return fc.stringMatching(/^[a-z0-9]{1,10}@[a-z]{1,8}\.[a-z]{2,4}$/);
  if (format === "date")
    return fc
      .date({ min: new Date("1900-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return text(minLength, Math.min(maxLength, 30));
}

function objects(
  { properties = {}, required = [], additionalProperties }: Schema,
  inner: (schema: Schema) => fc.Arbitrary<unknown>,
  depth: number,
): fc.Arbitrary<object> {
  const members = Object.fromEntries(
    Object.entries(properties)
      // What need not be there ends a recursion.
      .filter(([name]) => depth < 5 || required.includes(name))
      .map(([name, schema]) => [name, inner(schema)]),
  );
  const known = fc.record(members, { requiredKeys: [...required] });
  if (typeof additionalProperties !== "object") return known;
  const names = fc.string({ maxLength: 8 }).filter((name) => name !== "__proto__");
  return fc
    .tuple(known, fc.dictionary(names, inner(additionalProperties), { maxKeys: 3 }))
    .map(([a, b]) => ({ ...b, ...a }));
}

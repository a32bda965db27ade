/**
 * What we need of a schema: Standard Schema v1 with its JSON Schema extension
 * (https://standardschema.dev), which zod >= 4.2 and arktype >= 2.1.28 implement. Typed as this
 * small interface, and not as a library's class, to keep type checking of a large API cheap.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
      readonly output: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type InputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

export type OutputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** A JSON Schema of draft 2020-12, as far as we look into it. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly [keyword: string]: unknown;
}

/**
 * The JSON Schema of what a schema takes (`input`) or gives (`output`).
 * @throws Error of the schema's library where it has none, as for a transformation.
 */
export function jsonSchemaOf(schema: StandardSchema, side: "input" | "output"): JsonSchema {
  const { $schema: _, ...rest } = schema["~standard"].jsonSchema[side]({ target: "draft-2020-12" });
  return rest;
}

/**
 * Unknown members of nested objects are refused where the object that comes of it is closed,
 * which libraries say of what they give and not of what they take.
 */
export function closedLike(input: JsonSchema, output: JsonSchema | undefined): JsonSchema {
  if (output === undefined) return input;
  const each = (
    inputs: Readonly<Record<string, JsonSchema>> | undefined,
    outputs: Readonly<Record<string, JsonSchema>> | undefined,
  ) =>
    Object.fromEntries(
      Object.entries(inputs ?? {}).map(([name, schema]) => [
        name,
        closedLike(schema, outputs?.[name]),
      ]),
    );
  return {
    ...input,
    ...(input.properties && { properties: each(input.properties, output.properties) }),
    ...(input.$defs && { $defs: each(input.$defs, output.$defs) }),
    ...(input.items && { items: closedLike(input.items, output.items) }),
    ...(input.anyOf && {
      anyOf: input.anyOf.map((schema, index) => closedLike(schema, output.anyOf?.[index])),
    }),
    ...(output.additionalProperties === false &&
      input.additionalProperties === undefined && { additionalProperties: false }),
  };
}

/** Follows a `$ref` into the `$defs` of the same document, as far as it leads. */
export function dereference(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let found = schema;
  for (let hops = 0; found.$ref !== undefined && hops < 16; hops++) {
    if (found.$ref === "#") return root;
    const name = /^#\/\$defs\/(.+)$/.exec(found.$ref)?.[1];
    const next = name === undefined ? undefined : root.$defs?.[name];
    if (next === undefined) break;
    found = next;
  }
  return found;
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  // arktype's schemas are functions.
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as { "~standard"?: { version?: unknown } })["~standard"];
  return standard?.version === 1;
}

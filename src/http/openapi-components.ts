import type { CompiledApi } from "../declare/compile.ts";
import { directParent, type ResourceModel } from "../declare/model.ts";
import type { JsonSchema } from "../declare/standard-schema.ts";
import { type ProblemName, problemTypes } from "../kernel/problems.ts";

export type Reference = { readonly $ref: string };

/** Schemas and responses of a document, each defined once and referred to. */
export class OpenApiComponents {
  readonly #api: CompiledApi;
  readonly #schemas = new Map<string, JsonSchema>();
  readonly #responses = new Map<string, unknown>();

  constructor(api: CompiledApi) {
    this.#api = api;
    this.#schemas.set("Problem", api.dialect.schemas.problem(problemSchema));
  }

  get dialect() {
    return this.#api.dialect;
  }

  record(resource: ResourceModel): Reference {
    return this.#schema(titleOf(resource), () =>
      this.dialect.schemas.record(this.#recordSchema(resource), resource.name),
    );
  }

  list(resource: ResourceModel): JsonSchema {
    return this.dialect.schemas.list(this.record(resource), resource.name);
  }

  input(resource: ResourceModel): Reference {
    return this.#schema(`${titleOf(resource)}Input`, () =>
      this.dialect.schemas.input(this.#inputSchema(resource, true), resource.name),
    );
  }

  patch(resource: ResourceModel): Reference {
    return this.#schema(`${titleOf(resource)}Patch`, () =>
      this.dialect.schemas.input(this.#inputSchema(resource, false), resource.name),
    );
  }

  jsonPatch(): Reference {
    return this.#schema("JsonPatch", () => jsonPatchSchema);
  }

  /** The response of a status, with every problem that it may mean. */
  problems(status: number, names: readonly ProblemName[]): Reference {
    const name = `Problem${status}${names.length === 1 ? "" : names.map(camel).join("")}`;
    if (!this.#responses.has(name)) {
      this.#responses.set(name, {
        description: names.map((each) => problemTypes[each].title).join("; or: "),
        content: {
          [this.dialect.problemMediaType]: {
            schema: { $ref: "#/components/schemas/Problem" },
            examples: Object.fromEntries(
              names.map((each) => [
                each,
                { summary: problemTypes[each].title, value: this.#exampleOf(each) },
              ]),
            ),
          },
        },
      });
    }
    return { $ref: `#/components/responses/${name}` };
  }

  render(): Readonly<Record<string, unknown>> {
    const { schemes } = this.#api;
    return {
      schemas: Object.fromEntries(this.#schemas),
      responses: Object.fromEntries(this.#responses),
      ...(schemes.length === 0
        ? {}
        : {
            securitySchemes: Object.fromEntries(
              schemes.map(({ name, openapi }) => [name, openapi]),
            ),
          }),
    };
  }

  #schema(name: string, make: () => JsonSchema): Reference {
    if (!this.#schemas.has(name)) this.#schemas.set(name, this.#hoisted(make(), name));
    return { $ref: `#/components/schemas/${name}` };
  }

  /** `#/$defs/x` means nothing inside a larger document: definitions become components. */
  #hoisted(schema: JsonSchema, owner: string): JsonSchema {
    const { $defs, ...rest } = schema;
    const rename = (name: string) => `${owner}${camel(name)}`;
    const rewrite = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(rewrite);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => {
          if (key !== "$ref" || typeof member !== "string") return [key, rewrite(member)];
          if (member === "#") return [key, `#/components/schemas/${owner}`];
          return [
            key,
            member.replace(
              /^#\/\$defs\/(.+)$/,
              (_, name: string) => `#/components/schemas/${rename(name)}`,
            ),
          ];
        }),
      );
    };
    for (const [name, definition] of Object.entries($defs ?? {})) {
      this.#schemas.set(rename(name), rewrite(definition) as JsonSchema);
    }
    return rewrite(rest) as JsonSchema;
  }

  #recordSchema(resource: ResourceModel): JsonSchema {
    const { fieldName } = this.dialect;
    const parent = directParent(resource);
    const properties: Record<string, JsonSchema> = { [fieldName("id")]: idSchema(resource, true) };
    if (parent !== undefined) properties[parent.wireName] = idSchema(parent.resource, true);
    const required = Object.keys(properties);
    for (const field of resource.fields.filter(({ visible }) => visible)) {
      properties[field.wireName] = field.writable
        ? field.schema
        : { ...field.schema, readOnly: true };
      if (field.required) required.push(field.wireName);
    }
    for (const stamp of resource.timestamps ? ["createdAt", "updatedAt"] : []) {
      properties[fieldName(stamp)] = { type: "string", format: "date-time", readOnly: true };
      required.push(fieldName(stamp));
    }
    const example = exampleRecord(resource);
    return {
      type: "object",
      properties,
      required,
      ...(example === undefined ? {} : { examples: [example] }),
      ...definitions(resource.outputSchema),
    };
  }

  #inputSchema(resource: ResourceModel, complete: boolean): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const field of resource.fields.filter(({ writable }) => writable)) {
      const schema = resource.inputSchema.properties?.[field.name] ?? field.schema;
      properties[field.wireName] = field.visible ? schema : { ...schema, writeOnly: true };
      if (complete && resource.inputSchema.required?.includes(field.name))
        required.push(field.wireName);
    }
    return {
      type: "object",
      properties,
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
      ...(complete && resource.example !== undefined ? { examples: [resource.example] } : {}),
      ...definitions(resource.inputSchema),
    };
  }

  #exampleOf(name: ProblemName): unknown {
    const { title, status, remedy } = problemTypes[name];
    return this.dialect.problem({
      type: `/problems/${name}`,
      title,
      status,
      detail: remedy,
      instance: "urn:uuid:7d444840-9dc0-41d8-8c28-7f6b3a1f0a10",
      ...(name === "validation-failed"
        ? { errors: [{ pointer: "#/email", detail: "is required", code: "required" }] }
        : {}),
    });
  }
}

const definitions = ({ $defs }: JsonSchema) => ($defs === undefined ? {} : { $defs });

export function idSchema({ idKind }: ResourceModel, readOnly: boolean): JsonSchema {
  const mark = readOnly ? { readOnly } : {};
  if (idKind === "integer") return { type: "integer", minimum: 1, ...mark };
  if (idKind === "uuid") return { type: "string", format: "uuid", ...mark };
  return { type: "string", pattern: "^[A-Za-z0-9._~-]{1,128}$", ...mark };
}

/** A record for the documentation, made from the declared example. */
export function exampleRecord(
  resource: ResourceModel,
): Readonly<Record<string, unknown>> | undefined {
  if (resource.example === undefined) return undefined;
  const { fields, fieldsByWireName } = resource;
  const complete = fields.every((field) => {
    return !field.visible || !field.required || field.wireName in (resource.example as object);
  });
  if (!complete || resource.parents.length > 0 || resource.timestamps) return undefined;
  const shown = Object.entries(resource.example as object).filter(
    ([name]) => fieldsByWireName.get(name)?.visible,
  );
  const id = resource.idKind === "integer" ? 1 : "01890a5d-ac96-774b-bcce-b302099a8057";
  return { id, ...Object.fromEntries(shown) };
}

function titleOf({ name }: ResourceModel): string {
  return camel(name);
}

function camel(name: string): string {
  return name.replaceAll(/(?:^|[^A-Za-z0-9])+([A-Za-z0-9])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
}

const problemSchema: JsonSchema = {
  type: "object",
  description: "Problem details (RFC 9457).",
  properties: {
    type: {
      type: "string",
      format: "uri-reference",
      description: "Names the kind of problem, and opens its page.",
    },
    title: { type: "string" },
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: { type: "string", description: "What is wrong with this request." },
    instance: {
      type: "string",
      format: "uri-reference",
      description: "Names this request, for its operator.",
    },
    errors: {
      type: "array",
      description: "Everything that is wrong, each with its place.",
      items: {
        type: "object",
        properties: {
          pointer: { type: "string", description: "JSON Pointer into the body, as a fragment." },
          parameter: { type: "string", description: "Name of a query parameter." },
          header: { type: "string", description: "Name of a header field." },
          detail: { type: "string" },
          code: { type: "string" },
        },
        required: ["detail", "code"],
      },
    },
  },
  required: ["type", "title", "status", "detail", "instance"],
  additionalProperties: true,
};

const jsonPatchSchema: JsonSchema = {
  type: "array",
  description: "JSON Patch (RFC 6902): all operations take effect, or none.",
  items: {
    type: "object",
    properties: {
      op: { type: "string", enum: ["add", "remove", "replace", "move", "copy", "test"] },
      path: { type: "string", description: "JSON Pointer (RFC 6901)." },
      from: { type: "string", description: "JSON Pointer, for move and copy." },
      value: { description: "Any JSON, for add, replace and test." },
    },
    required: ["op", "path"],
  },
};

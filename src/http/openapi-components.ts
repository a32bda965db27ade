import type { CompiledApi } from "../declare/compile.ts";
import type { ResourceModel } from "../declare/model.ts";
import type { JsonSchema } from "../declare/standard-schema.ts";
import type { JsonObject } from "../kernel/json.ts";
import { type ProblemName, problemTypes } from "../kernel/problems.ts";
import { exampleInput, examplePatch, exampleRecord } from "./openapi-examples.ts";
import {
  inputSchema,
  jsonPatchSchema,
  mergePatchSchema,
  problemSchema,
  recordSchema,
} from "./openapi-schemas.ts";

export type Reference = { readonly $ref: string };

/** Schemas and responses of a document, each defined once and referred to. */
export class OpenApiComponents {
  readonly #api: CompiledApi;
  readonly #pages: string;
  readonly #schemas = new Map<string, JsonSchema>();
  readonly #responses = new Map<string, unknown>();

  /** @param pages Path in front of the pages that problems open. */
  constructor(api: CompiledApi, pages: string) {
    this.#api = api;
    this.#pages = pages;
    this.#schemas.set("Problem", api.dialect.schemas.problem(problemSchema));
  }

  get dialect() {
    return this.#api.dialect;
  }

  /** A schema under a name of its own, which is written in camel case. */
  named(name: string, make: () => JsonSchema): Reference {
    return this.#schema(camel(name), make);
  }

  record(resource: ResourceModel): Reference {
    return this.#schema(titleOf(resource), () =>
      this.dialect.schemas.record(
        withExample(recordSchema(resource, this.dialect), exampleRecord(resource, this.dialect)),
        resource.name,
      ),
    );
  }

  list(resource: ResourceModel): JsonSchema {
    return this.dialect.schemas.list(this.record(resource), resource.name);
  }

  input(resource: ResourceModel): Reference {
    return this.#schema(`${titleOf(resource)}Input`, () =>
      this.dialect.schemas.input(
        withExample(inputSchema(resource), exampleInput(resource)),
        resource.name,
      ),
    );
  }

  patch(resource: ResourceModel): Reference {
    return this.#schema(`${titleOf(resource)}Patch`, () =>
      this.dialect.schemas.input(
        withExample(mergePatchSchema(inputSchema(resource)), examplePatch(resource)),
        resource.name,
      ),
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
        headers: { ...requestId, ...problemHeaders[status] },
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

  #exampleOf(name: ProblemName): unknown {
    const { title, status, remedy } = problemTypes[name];
    return this.dialect.problem({
      type: `${this.#pages}/problems/${name}`,
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

const text = { schema: { type: "string" } };
const requestId = {
  "Request-Id": {
    description: "The same id as in `instance`.",
    schema: { type: "string", format: "uuid" },
  },
};
/** Fields that an answer has because of its status. */
const problemHeaders: Readonly<Record<number, object>> = {
  401: { "WWW-Authenticate": { description: "How to send credentials.", ...text } },
  503: { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } } },
  507: { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } } },
};

function withExample(schema: JsonSchema, example: JsonObject | undefined): JsonSchema {
  return example === undefined ? schema : { ...schema, examples: [example] };
}

function titleOf({ name }: ResourceModel): string {
  return camel(name);
}

function camel(name: string): string {
  return name.replaceAll(/(?:^|[^A-Za-z0-9])+([A-Za-z0-9])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
}

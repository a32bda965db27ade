import type { Dialect } from "../declare/dialect.ts";
import { directParent, type ResourceModel } from "../declare/model.ts";
import { closedLike, type JsonSchema } from "../declare/standard-schema.ts";

/** A record as clients see it, before the dialect gives it its shape. */
export function recordSchema(resource: ResourceModel, { fieldName }: Dialect): JsonSchema {
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
  return { type: "object", properties, required, ...definitions(resource.outputSchema) };
}

/** What a client may send as a whole record. */
export function inputSchema(resource: ResourceModel): JsonSchema {
  const input = closedLike(resource.inputSchema, resource.outputSchema);
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const field of resource.fields.filter(({ writable }) => writable)) {
    const schema = input.properties?.[field.name] ?? field.schema;
    properties[field.wireName] = field.visible ? schema : { ...schema, writeOnly: true };
    if (input.required?.includes(field.name)) required.push(field.wireName);
  }
  return {
    type: "object",
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    ...definitions(input),
  };
}

/**
 * What a client may send as a merge patch (RFC 7396): nothing is required, and null takes away what
 * need not be there, also within nested objects. Arrays are replaced as a whole.
 */
export function mergePatchSchema(input: JsonSchema): JsonSchema {
  const { required = [], properties, ...rest } = input;
  if (properties === undefined) return input;
  const patches = Object.entries(properties).map(([name, { default: _, ...schema }]) => {
    const patch = mergePatchSchema(schema);
    const asItIs = required.includes(name) || Object.keys(patch).length === 0;
    return [name, asItIs ? patch : { anyOf: [patch, { type: "null" }] }];
  });
  return { ...rest, properties: Object.fromEntries(patches) };
}

export function idSchema({ idKind }: ResourceModel, readOnly: boolean): JsonSchema {
  const mark = readOnly ? { readOnly } : {};
  if (idKind === "integer") return { type: "integer", minimum: 1, ...mark };
  if (idKind === "uuid") return { type: "string", format: "uuid", ...mark };
  return { type: "string", pattern: "^[A-Za-z0-9._~-]{1,128}$", ...mark };
}

const definitions = ({ $defs }: JsonSchema) => ($defs === undefined ? {} : { $defs });

export const problemSchema: JsonSchema = {
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

export const jsonPatchSchema: JsonSchema = {
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

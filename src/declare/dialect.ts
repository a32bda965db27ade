import type { Json, JsonObject } from "../kernel/json.ts";
import type { Fault } from "../kernel/problems.ts";
import type { JsonSchema } from "./standard-schema.ts";

/** A problem as RFC 9457 has it, before a dialect gives it its shape on the wire. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** `urn:uuid:` and the request id. */
  readonly instance: string;
  readonly errors?: readonly Fault[];
  readonly [extension: string]: unknown;
}

/** A page of a list, before a dialect gives it its shape on the wire. */
export interface ListDocument {
  readonly records: readonly JsonObject[];
  /** Path and query of the next page, where there is one. */
  readonly next: string | undefined;
}

/**
 * How an API speaks: the shape of a record, a list, an error and of field names. The one seam
 * through which everything leaves and every body enters, the errors of the framework, of Fastify
 * and of Node's HTTP parser included. Functions must be pure: they run in two threads.
 */
export interface Dialect {
  /** For logs and messages. */
  readonly name: string;
  /** Media type of records and lists. */
  readonly mediaType: string;
  /** Media type of errors. */
  readonly problemMediaType: string;
  /** The name on the wire of a declared field. One to one. */
  readonly fieldName: (name: string) => string;
  /** Shape of one record; its members have their names on the wire already. */
  readonly record: (record: JsonObject, resource: string) => Json;
  /** Shape of a page of records. */
  readonly list: (list: ListDocument, resource: string) => Json;
  /** Shape of an error. */
  readonly problem: (problem: ProblemDocument) => unknown;
  /** Unwraps what a client sends: the record itself, whatever stands around it. */
  readonly input: (body: Json, resource: string) => Json;
  /** What the four functions do to the JSON Schemas, for the OpenAPI document. */
  readonly schemas: {
    readonly record: (schema: JsonSchema, resource: string) => JsonSchema;
    readonly list: (items: JsonSchema, resource: string) => JsonSchema;
    readonly input: (schema: JsonSchema, resource: string) => JsonSchema;
    readonly problem: (schema: JsonSchema) => JsonSchema;
  };
}

/** Plain JSON, arrays for lists (the next page is in `Link`), and RFC 9457 problem details. */
export const plain: Dialect = Object.freeze<Dialect>({
  name: "plain",
  mediaType: "application/json",
  problemMediaType: "application/problem+json",
  fieldName: (name) => name,
  record: (record) => record,
  list: ({ records }) => records,
  problem: (problem) => problem,
  input: (body) => body,
  schemas: {
    record: (schema) => schema,
    list: (items) => ({ type: "array", items }),
    input: (schema) => schema,
    problem: (schema) => schema,
  },
});

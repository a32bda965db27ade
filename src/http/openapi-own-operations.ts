import type { OwnOperation } from "../declare/operation.ts";
import type { OpenApiComponents } from "./openapi-components.ts";

type Part = Readonly<Record<string, unknown>>;

/** What the document says of an operation that belongs to no resource. */
export interface OperationText {
  readonly tag: { readonly name: string; readonly description: string };
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Part[];
  readonly requestBody?: Part;
  readonly responses: Part;
}

/** What the framework itself serves below the base path. */
export function ownOperationText(
  { kind }: OwnOperation,
  components: OpenApiComponents,
): OperationText {
  return texts[kind](components);
}

const timestamp = { type: "string", format: "date-time" };

const texts: Record<OwnOperation["kind"], (components: OpenApiComponents) => OperationText> = {
  key: () => ({
    tag: {
      name: "idempotency",
      description: "What became of requests that carried an Idempotency-Key.",
    },
    summary: "Ask what a key did",
    description:
      "Tells which requests of the caller carried this Idempotency-Key, and how they were answered. Callers without credentials are told of UUIDs only.",
    parameters: [
      {
        name: "key",
        in: "path",
        required: true,
        description: "The key, as it was sent.",
        schema: { type: "string", minLength: 1, maxLength: 255 },
      },
    ],
    responses: {
      200: {
        description: "What the key did, one entry an operation.",
        content: { "application/json": { schema: keyUses } },
      },
    },
  }),
  job: (components) => ({
    tag: jobs,
    summary: "Look at a job",
    description:
      "How far work is that was answered with 202, and what came of it. While it goes on, Retry-After says when to ask again; with `Accept: text/event-stream` every change is told as it happens.",
    parameters: [jobId],
    responses: {
      200: {
        description: "The job as it is now.",
        headers: retryAfter,
        content: {
          "application/json": { schema: jobSchema(components) },
          "text/event-stream": {
            schema: { type: "string", description: "One event `job` for each change." },
          },
        },
      },
      303: {
        description: "It has made something, which is at `Location`.",
        headers: {
          Location: {
            schema: { type: "string", format: "uri-reference" },
            description: "Its path.",
          },
        },
      },
    },
  }),
  cancel: (components) => ({
    tag: jobs,
    summary: "Cancel a job",
    description:
      "A job that waits is cancelled at once. One that runs is told to end; what it has done outside stays done.",
    parameters: [jobId],
    responses: {
      202: {
        description: "The job as it is now.",
        headers: retryAfter,
        content: { "application/json": { schema: jobSchema(components) } },
      },
    },
  }),
};

const jobs = { name: "jobs", description: "Work that goes on behind an answer." };

const jobId = {
  name: "id",
  in: "path",
  required: true,
  description: "Id of the job, from the `Location` of a 202.",
  schema: { type: "string", format: "uuid" },
};

export const retryAfter = {
  "Retry-After": {
    description: "Seconds after which to ask again, while the job goes on.",
    schema: { type: "integer" },
  },
};

export function jobSchema(components: OpenApiComponents) {
  return components.named("Job", () => ({
    type: "object",
    required: ["id", "state", "createdAt", "links"],
    properties: {
      id: { type: "string", format: "uuid" },
      state: { type: "string", enum: ["waiting", "running", "succeeded", "failed", "cancelled"] },
      progress: { description: "How far it is, in words of its own." },
      createdAt: timestamp,
      startedAt: timestamp,
      finishedAt: timestamp,
      result: { description: "What came of it, where it succeeded." },
      failure: {
        type: "object",
        description: "Why it failed.",
        required: ["code", "detail"],
        properties: { code: { type: "string" }, detail: { type: "string" } },
      },
      links: {
        type: "object",
        required: ["self"],
        properties: { self: { type: "string", format: "uri-reference" } },
      },
    },
  }));
}

const keyUses = {
  type: "object",
  required: ["key", "uses"],
  properties: {
    key: { type: "string" },
    uses: {
      type: "array",
      items: {
        type: "object",
        required: ["operation", "state"],
        properties: {
          operation: { type: "string", description: "Its `operationId`." },
          state: { type: "string", enum: ["running", "done"] },
          status: { type: "integer", description: "Of the answer." },
          location: { type: "string", format: "uri-reference" },
          answeredAt: timestamp,
          keptUntil: timestamp,
        },
      },
    },
  },
};

import {
  isOfResource,
  JSON_PATCH,
  type Operation,
  type ResourceOperation,
} from "../declare/operation.ts";
import type { ProblemName } from "../kernel/problems.ts";
import { problemTypes } from "../kernel/problems.ts";
import type { OpenApiComponents } from "./openapi-components.ts";
import { exampleJsonPatch, exampleRecord } from "./openapi-examples.ts";

type Part = Readonly<Record<string, unknown>>;

export function requestBodyOf(
  operation: ResourceOperation,
  components: OpenApiComponents,
): Part | undefined {
  const { accepts, kind, resource } = operation;
  if (accepts.length === 0) return undefined;
  const schema = kind === "patch" ? components.patch(resource) : components.input(resource);
  const content = accepts.map((mediaType) => {
    if (mediaType !== JSON_PATCH) return [mediaType, { schema }];
    const example = exampleJsonPatch(resource, components.dialect);
    return [
      mediaType,
      { schema: components.jsonPatch(), ...(example === undefined ? {} : { example }) },
    ];
  });
  return { required: true, content: Object.fromEntries(content) };
}

export function responsesOf(operation: ResourceOperation, components: OpenApiComponents): Part {
  return {
    ...successes[operation.kind](operation, components),
    ...problemResponsesOf(operation, components),
  };
}

export function problemResponsesOf(operation: Operation, components: OpenApiComponents): Part {
  const responses: Record<string, unknown> = {};
  const byStatus = new Map<number, ProblemName[]>();
  for (const name of problemsOf(operation)) {
    const { status } = problemTypes[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  for (const [status, names] of byStatus) responses[status] = components.problems(status, names);
  return responses;
}

/** Every problem that an operation can answer; among those of a status the likeliest stands first. */
export function problemsOf(operation: Operation): ProblemName[] {
  const { kind, access, accepts, path, idempotency } = operation;
  const resource = isOfResource(operation) ? operation.resource : undefined;
  const keyed = idempotency.key !== "ignored";
  const open = typeof access !== "function" && access.rule === "anyone";
  const writes = kind !== "list" && kind !== "read" && kind !== "key" && kind !== "job";
  const byId = path.endsWith("/{id}");
  const changes = byId && writes;
  const names: (ProblemName | false)[] = [
    accepts.length > 0 && "malformed-json",
    kind === "patch" && "malformed-patch",
    (byId || keyed || kind === "key") && "malformed-header",
    idempotency.key === "required" && "idempotency-key-required",
    kind === "list" && "invalid-query",
    "malformed-request",
    !open && "unauthenticated",
    typeof access === "function" && "forbidden",
    path.includes("{") && "not-found",
    kind !== "delete" && "not-acceptable",
    "request-timeout",
    writes && kind !== "delete" && (resource?.unique.length ?? 0) > 0 && "unique-conflict",
    keyed && "request-in-progress",
    kind === "patch" && "patch-conflict",
    kind === "delete" && "still-referenced",
    kind === "cancel" && "job-finished",
    kind === "action" && "conflict",
    (byId || kind === "action") && "precondition-failed",
    accepts.length > 0 && "content-too-large",
    "uri-too-long",
    (accepts.length > 0 || kind === "action") && "unsupported-media-type",
    accepts.length > 0 && "unsupported-content-encoding",
    accepts.length > 0 && "expectation-failed",
    (accepts.length > 0 || resource?.deleted !== undefined) && "validation-failed",
    keyed && "idempotency-key-reused",
    changes && resource?.ifMatch === "required" && "precondition-required",
    "header-fields-too-large",
    "internal-error",
    "draining",
    writes && "overloaded",
    writes && "store-unavailable",
    writes && "insufficient-storage",
  ];
  return names.filter((name) => name !== false);
}

type Success = (operation: ResourceOperation, components: OpenApiComponents) => Part;

const etag = {
  ETag: { description: "Names this state of the record.", schema: { type: "string" } },
};
const lastModified = {
  "Last-Modified": { description: "When the record was last written.", schema: { type: "string" } },
};
const location = {
  Location: {
    description: "Path of the record.",
    schema: { type: "string", format: "uri-reference" },
  },
};
const link = {
  Link: { description: 'The next page, with `rel="next"`.', schema: { type: "string" } },
};
const noContent = { description: "Done; asked for by `Prefer: return=minimal`." };

const successes: Record<ResourceOperation["kind"], Success> = {
  create: (operation, components) => ({
    201: record(
      "The record was made.",
      { ...location, ...etag, ...lastModified },
      operation,
      components,
    ),
  }),
  list: ({ resource }, components) => ({
    200: {
      description: "A page of records.",
      headers: link,
      content: { [components.dialect.mediaType]: { schema: components.list(resource) } },
    },
  }),
  read: (operation, components) => ({
    200: record("The record.", { ...etag, ...lastModified }, operation, components),
    304: { description: "The record is as it was.", headers: etag },
  }),
  replace: (operation, components) => ({
    200: record("The record as it is now.", { ...etag, ...lastModified }, operation, components),
    ...(operation.resource.idKind === "client"
      ? { 201: record("The record was made.", { ...location, ...etag }, operation, components) }
      : {}),
    204: noContent,
  }),
  patch: (operation, components) => ({
    200: record("The record as it is now.", { ...etag, ...lastModified }, operation, components),
    204: noContent,
  }),
  delete: () => ({ 204: { description: "The record is gone." } }),
};

function record(
  description: string,
  headers: Part,
  { resource }: ResourceOperation,
  components: OpenApiComponents,
): Part {
  const { dialect } = components;
  const example = exampleRecord(resource, dialect);
  return {
    description,
    headers,
    content: {
      [dialect.mediaType]: {
        schema: components.record(resource),
        ...(example === undefined ? {} : { example: dialect.record(example, resource.name) }),
      },
    },
  };
}

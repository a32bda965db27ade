import type { CompiledApi } from "../declare/compile.ts";
import type { ResourceModel } from "../declare/model.ts";
import { isOfResource, type Operation, type ResourceOperation } from "../declare/operation.ts";
import type { Place } from "../pipeline/serving.ts";
import { actionText } from "./openapi-actions.ts";
import { OpenApiComponents } from "./openapi-components.ts";
import { problemResponsesOf, requestBodyOf, responsesOf } from "./openapi-messages.ts";
import { type OperationText, ownOperationText } from "./openapi-own-operations.ts";
import { parametersOf } from "./openapi-parameters.ts";
import { byPath } from "./routes.ts";

type Document = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of an API, made from the operations that serve it. */
export function openApiDocument(api: CompiledApi, place: Place): Document {
  const { title = "API", version = "1.0.0", description, contact, license } = api.options;
  const components = new OpenApiComponents(api, place.pages);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [path, operations] of byPath(api.operations)) {
    paths[path] = Object.fromEntries(
      operations.map((operation) => [
        operation.method.toLowerCase(),
        operationOf(api, operation, components),
      ]),
    );
  }
  return {
    openapi: "3.1.0",
    info: {
      title,
      version,
      description: description ?? `The operations of ${title}, generated from what serves them.`,
      contact: contact ?? { name: title },
      license: license ?? { name: "Not licensed", identifier: "LicenseRef-None" },
    },
    servers: [{ url: place.base === "" ? "/" : place.base, description: "This server" }],
    tags: tagsOf(api, components),
    security: [],
    paths,
    components: components.render(),
  };
}

function tagsOf(api: CompiledApi, components: OpenApiComponents): readonly Document[] {
  const tags = new Map(api.resources.map((resource) => [resource.name, describe(resource)]));
  for (const operation of api.operations) {
    if (isOfResource(operation)) continue;
    const { name, description } = textOf(operation, components).tag;
    if (!tags.has(name)) tags.set(name, description);
  }
  return [...tags].map(([name, description]) => ({ name, description }));
}

function textOf(
  operation: Exclude<Operation, ResourceOperation>,
  components: OpenApiComponents,
): OperationText {
  return operation.kind === "action"
    ? actionText(operation, components)
    : ownOperationText(operation, components);
}

function describe({ name, description, parents }: ResourceModel): string {
  const parent = parents.at(-1);
  return (
    description ??
    (parent === undefined ? `The ${name}.` : `The ${name} of one of the ${parent.resource.name}.`)
  );
}

function operationOf(
  api: CompiledApi,
  operation: Operation,
  components: OpenApiComponents,
): Document {
  const security = securityOf(api, operation);
  if (!isOfResource(operation)) {
    const { tag, responses, ...rest } = textOf(operation, components);
    return {
      operationId: operation.id,
      tags: [tag.name],
      ...rest,
      ...policyOf(operation),
      security,
      responses: { ...responses, ...problemResponsesOf(operation, components) },
    };
  }
  const { resource, kind } = operation;
  const body = requestBodyOf(operation, components);
  return {
    operationId: operation.id,
    tags: [resource.name],
    summary: summaries[kind](resource.name),
    description: descriptions[kind],
    ...policyOf(operation),
    security,
    parameters: parametersOf(operation, api.dialect),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responsesOf(operation, components),
  };
}

/** What becomes of a key is published: the draft demands it (section 2.5). */
function policyOf({ idempotency: { key, keepMs, windowMs } }: Operation): Document {
  if (key === "ignored" && windowMs === 0) return {};
  return {
    "x-idempotency": {
      key,
      ...(key === "ignored" ? {} : { keptForSeconds: keepMs / 1_000 }),
      ...(windowMs === 0 ? {} : { deduplicatedForSeconds: windowMs / 1_000 }),
    },
  };
}

function securityOf({ schemes }: CompiledApi, { access }: Operation): readonly Document[] {
  const alternatives = schemes.map(({ name }) => ({ [name]: [] }));
  const open = typeof access !== "function" && access.rule === "anyone";
  if (alternatives.length === 0) return [];
  // An empty requirement says that it also works without credentials (OpenAPI 3.1, Security Requirement).
  return open ? [{}, ...alternatives] : alternatives;
}

const summaries: Record<ResourceOperation["kind"], (name: string) => string> = {
  create: (name) => `Create one of the ${name}`,
  list: (name) => `List the ${name}`,
  read: (name) => `Read one of the ${name}`,
  replace: (name) => `Replace one of the ${name}`,
  patch: (name) => `Change fields of one of the ${name}`,
  delete: (name) => `Delete one of the ${name}`,
};

const descriptions: Record<ResourceOperation["kind"], string> = {
  create:
    "Makes a record. The server gives it an id and says where it is in `Location`. Either everything is durable when the answer comes, or nothing was done.",
  list: 'One page of records. The next page is in the `Link` header with `rel="next"`; take that link as it is. Unknown parameters are refused.',
  read: "The record as it is now, with its `ETag`. Send that in `If-None-Match` to be told 304 while nothing has changed.",
  replace:
    "The record becomes what the body says. Fields that only the server writes may be sent back as they were read. Send the `ETag` in `If-Match` to change only what you have seen.",
  patch:
    "Changes the named fields, by a merge patch (RFC 7396) or a JSON Patch (RFC 6902). The result must be valid. Send the `ETag` in `If-Match` to change only what you have seen.",
  delete: "Removes the record. Send the `ETag` in `If-Match` to delete only what you have seen.",
};

import { type AccessRule, anyone } from "./access.ts";
import type { ActionModel } from "./action-model.ts";
import { type IdempotencyPolicy, noIdempotency } from "./idempotency.ts";
import type { ResourceModel } from "./model.ts";

export type Method = "POST" | "GET" | "PUT" | "PATCH" | "DELETE";

/**
 * What everything declared compiles to, and all that HTTP, the document and the pipeline know:
 * one method at one path, and what it takes and who may.
 */
export type Operation = ResourceOperation | ActionOperation | OwnOperation;

export type OperationKind = Operation["kind"];

interface AnyOperation {
  /** `users.create` */
  readonly id: string;
  readonly method: Method;
  /** Template below the API's base path: `/posts/{postId}/comments/{id}`. */
  readonly path: string;
  readonly access: AccessRule;
  /** Media types that a body may have; empty where there is no body. */
  readonly accepts: readonly string[];
  readonly maxBodyBytes: number;
  readonly idempotency: IdempotencyPolicy;
}

export interface ResourceOperation extends AnyOperation {
  readonly kind: "create" | "list" | "read" | "replace" | "patch" | "delete";
  readonly resource: ResourceModel;
}

export function isOwn({ kind }: Operation): boolean {
  return kind === "key" || kind === "job" || kind === "cancel";
}

export function isOfResource(operation: Operation): operation is ResourceOperation {
  return "resource" in operation;
}

/** A POST that is not a create. */
export interface ActionOperation extends AnyOperation {
  readonly kind: "action";
  readonly action: ActionModel;
}

/** What the framework itself serves: what became of a key, and of a job. */
export interface OwnOperation extends AnyOperation {
  readonly kind: "key" | "job" | "cancel";
}

export const MERGE_PATCH = "application/merge-patch+json";
export const JSON_PATCH = "application/json-patch+json";
const JSON_ONLY = ["application/json"] as const;

interface Shape {
  readonly kind: ResourceOperation["kind"];
  readonly method: Method;
  readonly at: "collection" | "record";
  readonly access: keyof ResourceModel["access"];
  readonly accepts: readonly string[];
}

/** PROTOCOL: the methods of a collection and of a record. */
const shapes: readonly Shape[] = [
  { kind: "create", method: "POST", at: "collection", access: "create", accepts: JSON_ONLY },
  { kind: "list", method: "GET", at: "collection", access: "read", accepts: [] },
  { kind: "read", method: "GET", at: "record", access: "read", accepts: [] },
  { kind: "replace", method: "PUT", at: "record", access: "update", accepts: JSON_ONLY },
  {
    kind: "patch",
    method: "PATCH",
    at: "record",
    access: "update",
    accepts: [MERGE_PATCH, JSON_PATCH],
  },
  { kind: "delete", method: "DELETE", at: "record", access: "delete", accepts: [] },
];

export function operationsOf(resource: ResourceModel): ResourceOperation[] {
  const collection = collectionTemplate(resource);
  return shapes.flatMap(({ kind, method, at, access, accepts }) => {
    const rule = resource.access[access];
    if (typeof rule !== "function" && rule.rule === "nobody") return [];
    return Object.freeze<ResourceOperation>({
      id: `${resource.name}.${kind}`,
      kind,
      method,
      path: at === "collection" ? collection : `${collection}/{id}`,
      resource,
      access: rule,
      accepts,
      maxBodyBytes: resource.maxBodyBytes,
      idempotency: resource.idempotency[kind] ?? noIdempotency,
    });
  });
}

function collectionTemplate({ name, parents }: ResourceModel): string {
  const above = parents.map((parent) => `/${parent.resource.name}/{${parent.wireName}}`);
  return `${above.join("")}/${name}`;
}

/** Template of the path of a record. */
export function recordTemplate(resource: ResourceModel): string {
  return `${collectionTemplate(resource)}/{id}`;
}

export function actionOperation(action: ActionModel): ActionOperation {
  return Object.freeze<ActionOperation>({
    id: action.on === undefined ? action.name : `${action.on.name}.${action.name}`,
    kind: "action",
    method: "POST",
    path: action.path,
    action,
    access: action.access,
    accepts: action.input === undefined ? [] : JSON_ONLY,
    maxBodyBytes: action.maxBodyBytes,
    idempotency: action.idempotency,
  });
}

/** Where some operation takes keys, or starts jobs, callers can ask what became of those. */
export function ownOperations(operations: readonly Operation[]): OwnOperation[] {
  const keyed = operations.some(({ idempotency }) => idempotency.key !== "ignored");
  const starting = operations.some(
    (operation) => operation.kind === "action" && operation.action.starts !== undefined,
  );
  return [
    ...(keyed ? [own("idempotency.read", "key", "GET", "/idempotency/{key}")] : []),
    ...(starting
      ? [
          own("jobs.read", "job", "GET", "/jobs/{id}"),
          own("jobs.cancel", "cancel", "DELETE", "/jobs/{id}"),
        ]
      : []),
  ];
}

function own(id: string, kind: OwnOperation["kind"], method: Method, path: string): OwnOperation {
  return Object.freeze<OwnOperation>({
    id,
    kind,
    method,
    path,
    // Whose key or job it is decides, and that is known only when it was found.
    access: anyone,
    accepts: [],
    maxBodyBytes: 0,
    idempotency: noIdempotency,
  });
}

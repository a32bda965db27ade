import { type AccessRule, anyone } from "./access.ts";
import { type IdempotencyPolicy, noIdempotency } from "./idempotency.ts";
import type { ResourceModel } from "./model.ts";

export type Method = "POST" | "GET" | "PUT" | "PATCH" | "DELETE";

/**
 * What everything declared compiles to, and all that HTTP, the document and the pipeline know:
 * one method at one path, and what it takes and who may.
 */
export type Operation = ResourceOperation | KeyOperation;

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

export function isOfResource(operation: Operation): operation is ResourceOperation {
  return "resource" in operation;
}

/** The look-up of what an idempotency key did. */
export interface KeyOperation extends AnyOperation {
  readonly kind: "key";
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
  const collection = `${resource.parents
    .map((parent) => `/${parent.resource.name}/{${parent.wireName}}`)
    .join("")}/${resource.name}`;
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

/** Where some operation takes keys, their owners can ask what became of them. */
export function keyOperation(): KeyOperation {
  return Object.freeze<KeyOperation>({
    id: "idempotency.read",
    kind: "key",
    method: "GET",
    path: "/idempotency/{key}",
    access: anyone,
    accepts: [],
    maxBodyBytes: 0,
    idempotency: noIdempotency,
  });
}

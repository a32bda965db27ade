import type { AccessRule } from "./access.ts";
import type { ResourceModel } from "./model.ts";

export type OperationKind = "create" | "list" | "read" | "replace" | "patch" | "delete";

export type Method = "POST" | "GET" | "PUT" | "PATCH" | "DELETE";

/**
 * What everything declared compiles to, and all that HTTP, the document and the pipeline know:
 * one method at one path, and what it takes and who may.
 */
export interface Operation {
  /** `users.create` */
  readonly id: string;
  readonly kind: OperationKind;
  readonly method: Method;
  /** Template below the API's base path: `/posts/{postId}/comments/{id}`. */
  readonly path: string;
  readonly resource: ResourceModel;
  readonly access: AccessRule;
  /** Media types that a body may have; empty where there is no body. */
  readonly accepts: readonly string[];
  readonly maxBodyBytes: number;
}

export const MERGE_PATCH = "application/merge-patch+json";
export const JSON_PATCH = "application/json-patch+json";
const JSON_ONLY = ["application/json"] as const;

interface Shape {
  readonly kind: OperationKind;
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

export function operationsOf(resource: ResourceModel): Operation[] {
  const collection = `${resource.parents
    .map((parent) => `/${parent.resource.name}/{${parent.wireName}}`)
    .join("")}/${resource.name}`;
  return shapes.flatMap(({ kind, method, at, access, accepts }) => {
    const rule = resource.access[access];
    if (typeof rule !== "function" && rule.rule === "nobody") return [];
    return Object.freeze<Operation>({
      id: `${resource.name}.${kind}`,
      kind,
      method,
      path: at === "collection" ? collection : `${collection}/{id}`,
      resource,
      access: rule,
      accepts,
      maxBodyBytes: resource.maxBodyBytes,
    });
  });
}

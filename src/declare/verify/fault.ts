import type { Api } from "../api.ts";
import type { AnyResource } from "../resource.ts";
import {
  isStandardSchema,
  type JsonSchema,
  jsonSchemaOf,
  type StandardSchema,
} from "../standard-schema.ts";

export interface DeclarationFault {
  /** The place in the user's file: `users.access.create`. */
  readonly where: string;
  /** What is wrong there. */
  readonly fault: string;
  /** What to write instead. */
  readonly mend: string;
}

export type VerifyRule = (api: Api) => DeclarationFault[];

export interface DeclaredResource {
  /** The name that the user's file gives it in `api({ … })`. */
  readonly key: string;
  readonly resource: AnyResource;
}

/** What is a resource among the declarations; anything else is `options-are-known`'s to tell. */
export function resourcesOf(api: Api): DeclaredResource[] {
  return Object.entries(api.declarations).flatMap(([key, resource]) =>
    isResource(resource) ? [{ key, resource }] : [],
  );
}

export function isResource(value: unknown): value is AnyResource {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, config } = value as Partial<AnyResource>;
  return (
    kind === "resource" && typeof name === "string" && typeof config === "object" && config !== null
  );
}

export interface ReadSchema {
  readonly schema: StandardSchema;
  readonly input: JsonSchema;
  readonly output: JsonSchema;
}

/** The schema of a resource, where it can be read; `schemas-are-usable` tells where it can't. */
export function readSchema(resource: AnyResource): ReadSchema | undefined {
  const { schema } = resource.config;
  if (!isStandardSchema(schema)) return undefined;
  try {
    const output = jsonSchemaOf(schema, "output");
    if (output.type !== "object" || output.properties === undefined) return undefined;
    return { schema, input: jsonSchemaOf(schema, "input"), output };
  } catch {
    return undefined;
  }
}

export function fieldNamesOf(resource: AnyResource): string[] {
  return Object.keys(readSchema(resource)?.output.properties ?? {});
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

import type { AnyAction } from "../action.ts";
import type { Api } from "../api.ts";
import type { AnyJob } from "../job.ts";
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

export interface DeclaredAction {
  readonly key: string;
  readonly action: AnyAction;
}

export function actionsOf(api: Api): DeclaredAction[] {
  return Object.entries(api.declarations).flatMap(([key, action]) =>
    isAction(action) ? [{ key, action }] : [],
  );
}

export function isAction(value: unknown): value is AnyAction {
  return isDeclared(value, ["action"]);
}

export interface DeclaredJob {
  readonly key: string;
  readonly job: AnyJob;
}

/** The jobs beside the resources, and those that actions start. */
export function jobsOf(api: Api): DeclaredJob[] {
  const named = Object.entries(api.declarations).flatMap(([key, job]) =>
    isJob(job) ? [{ key, job }] : [],
  );
  const known = new Set(named.map(({ job }) => job));
  const started = actionsOf(api).flatMap(({ key, action: { config } }) => {
    const job = config.starts;
    if (!isJob(job) || known.has(job)) return [];
    known.add(job);
    return [{ key: `${key}.starts`, job }];
  });
  return [...named, ...started];
}

export function isJob(value: unknown): value is AnyJob {
  return isDeclared(value, ["job", "workflow"]);
}

function isDeclared(value: unknown, kinds: readonly string[]): boolean {
  const { kind, name, config } = (value ?? {}) as Record<string, unknown>;
  return (
    kinds.includes(String(kind)) &&
    typeof name === "string" &&
    typeof config === "object" &&
    config !== null
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

import { isDeepStrictEqual } from "node:util";
import type { SchemaModel } from "../declare/action-model.ts";
import type { Dialect } from "../declare/dialect.ts";
import type { RecordValues, ResourceModel } from "../declare/model.ts";
import type { JsonSchema, SchemaIssue, SchemaResult } from "../declare/standard-schema.ts";
import { dereference } from "../declare/standard-schema.ts";
import { isJsonObject, type Json, type JsonObject, pointer } from "../kernel/json.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { type Fault, Problem } from "../kernel/problems.ts";
import { serverNames } from "./representation.ts";

/** Faults listed at the most; a body can be wrong in more places than anybody will read. */
const MAX_FAULTS = 1_000;

export interface Reading {
  /** What the schema has to judge, by field name. */
  readonly candidate: Record<string, unknown>;
  readonly faults: Fault[];
}

/**
 * Reads a body into fields. Fields that don't exist, or that clients may not write, are faults;
 * one that stands there as the record shows it already is not, so that what was read can be sent
 * back.
 * @param shown The record as clients see it now, where there is one.
 */
export function readFields(
  resource: ResourceModel,
  dialect: Dialect,
  body: Json,
  shown: JsonObject | undefined,
): Reading {
  const payload = dialect.input(body, resource.name);
  if (!isJsonObject(payload)) {
    throw new Problem("validation-failed", {
      detail: "The body must be an object.",
      errors: [{ pointer: "#", detail: "must be an object", code: "invalid_type" }],
    });
  }
  const candidate: Record<string, unknown> = {};
  const faults: Fault[] = [];
  for (const name of Object.keys(payload)) {
    if (faults.length >= MAX_FAULTS) break;
    const field = resource.fieldsByWireName.get(name);
    if (field?.writable) {
      candidate[field.name] = payload[name];
      if (field.kind === "json")
        findUnknown(field.schema, resource.outputSchema, payload[name], [name], faults);
    } else if (
      shown === undefined ||
      !(name in shown) ||
      !isDeepStrictEqual(shown[name], payload[name])
    ) {
      faults.push(refusal(resource, dialect, name, field?.visible ?? false));
    }
  }
  return { candidate, faults };
}

function refusal(resource: ResourceModel, dialect: Dialect, name: string, visible: boolean): Fault {
  if (visible || serverNames(resource, dialect).includes(name)) {
    return {
      pointer: pointer([name]),
      detail: "is set by the server and can't be written",
      code: "read_only",
    };
  }
  // A hidden field is not told from one that does not exist.
  const writable = resource.fields.filter((field) => field.writable).map((field) => field.wireName);
  return {
    pointer: pointer([name]),
    detail: `is not a field.${didYouMean(name, writable)}`,
    code: "unknown_field",
  };
}

/** Members of nested objects that a closed schema does not know: dropping them would lose data. */
function findUnknown(
  declared: JsonSchema,
  root: JsonSchema,
  value: unknown,
  path: readonly (string | number)[],
  faults: Fault[],
): void {
  if (faults.length >= MAX_FAULTS) return;
  const schemas = alternativesFor(declared, root, value);
  if (Array.isArray(value)) {
    const items = schemas.find((schema) => schema.items !== undefined)?.items;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) {
      findUnknown(items, root, item, [...path, index], faults);
    }
    return;
  }
  if (!isJsonObject(value) || schemas.length === 0) return;
  const closed = schemas.every((schema) => schema.additionalProperties === false);
  for (const [name, member] of Object.entries(value)) {
    const property = schemas
      .map((schema) => propertyOf(schema, name))
      .find((each) => each !== undefined);
    if (property !== undefined) {
      findUnknown(property, root, member, [...path, name], faults);
    } else if (closed) {
      const known = schemas.flatMap((schema) => Object.keys(schema.properties ?? {}));
      const detail = `is not a field.${didYouMean(name, known)}`;
      faults.push({ pointer: pointer([...path, name]), detail, code: "unknown_field" });
    }
  }
}

/** The schemas of a union that a value can be meant by; of several, those whose constants it has. */
function alternativesFor(declared: JsonSchema, root: JsonSchema, value: unknown): JsonSchema[] {
  const schema = dereference(declared, root);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const found = alternatives.flatMap((each) => alternativesFor(each, root, value));
    const meant = found.filter((each) => hasConstants(each, value));
    return meant.length > 0 ? meant : found;
  }
  if (Array.isArray(value)) return schema.items === undefined ? [] : [schema];
  return isJsonObject(value) && schema.properties !== undefined ? [schema] : [];
}

function hasConstants({ properties = {} }: JsonSchema, value: unknown): boolean {
  return Object.entries(properties).every(
    ([name, property]) =>
      property.const === undefined || (isJsonObject(value) && value[name] === property.const),
  );
}

function propertyOf({ properties }: JsonSchema, name: string): JsonSchema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/**
 * Judges a body by a schema that is no resource's.
 * @throws Problem validation-failed with every fault
 */
export async function validateInput({ schema, json }: SchemaModel, body: Json): Promise<unknown> {
  const faults: Fault[] = [];
  findUnknown({ additionalProperties: false, ...json }, json, body, [], faults);
  const result = await schema["~standard"].validate(body);
  if (result.issues === undefined && faults.length === 0) return result.value;
  for (const issue of (result.issues ?? []).slice(0, MAX_FAULTS)) {
    const path = pathOf(issue);
    const missing = isMissing(body, path);
    faults.push({
      pointer: pointer(path),
      detail: missing ? "is required" : issue.message,
      code: missing ? "required" : codeOf(issue),
    });
  }
  throw validationFailed(faults);
}

function pathOf({ path = [] }: SchemaIssue): (string | number)[] {
  return path.map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" ? key : String(key);
  });
}

/**
 * Judges a candidate by the schema.
 * @throws Problem validation-failed with every fault, those of the reading first
 */
export async function validateRecord(
  resource: ResourceModel,
  { candidate, faults }: Reading,
): Promise<RecordValues> {
  let result = resource.schema["~standard"].validate(candidate);
  if (result instanceof Promise) result = await result;
  return judged(resource, candidate, result, faults);
}

function judged(
  resource: ResourceModel,
  candidate: Record<string, unknown>,
  result: SchemaResult<unknown>,
  faults: readonly Fault[],
): RecordValues {
  if (result.issues === undefined && faults.length === 0) return result.value as RecordValues;
  const issues = (result.issues ?? [])
    .slice(0, MAX_FAULTS)
    .map((issue) => faultOf(resource, candidate, issue));
  throw validationFailed([...faults, ...issues]);
}

export function validationFailed(faults: readonly Fault[]): Problem {
  const listed = faults.slice(0, MAX_FAULTS);
  const count =
    listed.length === 1
      ? "One thing is wrong"
      : `${listed.length}${listed.length < MAX_FAULTS ? "" : " and perhaps more"} things are wrong`;
  return new Problem("validation-failed", { detail: `${count}; see errors.`, errors: listed });
}

function faultOf(resource: ResourceModel, candidate: object, issue: SchemaIssue): Fault {
  const path = pathOf(issue);
  const [name, ...rest] = path;
  if (name === undefined) return { pointer: "#", detail: issue.message, code: codeOf(issue) };
  const field = resource.fields.find((each) => each.name === name);
  if (field !== undefined && !field.writable) {
    // Not the client's fault: the declaration sets a value that its own schema refuses.
    throw new Error(
      `The value that ${resource.name} sets for "${name}" does not fit its schema: ${issue.message}`,
    );
  }
  const at = pointer([field?.wireName ?? name, ...rest]);
  if (isMissing(candidate, path)) return { pointer: at, detail: "is required", code: "required" };
  // Libraries quote the value; one that is never shown must not leave in a message either.
  const detail = field !== undefined && !field.visible ? "does not fit the schema" : issue.message;
  return { pointer: at, detail, code: codeOf(issue) };
}

/** Most libraries name the kind of an issue, though the standard does not ask for it. */
function codeOf(issue: SchemaIssue): string {
  const { code } = issue as { code?: unknown };
  return typeof code === "string" ? code : "invalid";
}

function isMissing(candidate: unknown, path: readonly (string | number)[]): boolean {
  let value = candidate;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value === undefined;
}

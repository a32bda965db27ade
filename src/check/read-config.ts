import { readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../kernel/json.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { freshMembers, textMember } from "./fresh.ts";
import type { HeaderLine } from "./message.ts";
import { DEFAULT_KEY_HEADER, type KeyClaim, type ListClaim, type Operation } from "./operation.ts";
import { CannotCheck } from "./refusal.ts";
import { References } from "./schema.ts";

/** What a configuration file says. */
export interface Config {
  /** Where the paths begin, without a `/` at its end; `undefined` where the file names none. */
  readonly base: string | undefined;
  readonly headers: readonly HeaderLine[];
  readonly as: readonly HeaderLine[];
  readonly operations: readonly Operation[];
}

const MEMBERS = ["base", "headers", "as", "operations"];
const OPERATION_MEMBERS = [
  "path",
  "method",
  "body",
  "unique",
  "invalid",
  "creates",
  "mediaType",
  "headers",
  "keys",
  "problems",
  "methods",
  "list",
  "read",
  "delete",
];
const KEY_MEMBERS = ["offered", "required", "header", "documentation"];
const LIST_MEMBERS = ["path", "parameters", "limit", "maximum"];

/**
 * Reads what `--config` names; docs/check.md has its members.
 *
 * @throws {CannotCheck} where something in it is not understood.
 */
export function readConfig(file: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new CannotCheck(`${file} can't be read as JSON: ${(error as Error).message}.`);
  }
  const fail = (where: string, what: string): never => {
    throw new CannotCheck(`${file}: ${where} ${what}.`);
  };
  const config = members(value, MEMBERS, "the file", fail);
  const { operations } = config;
  if (!Array.isArray(operations) || operations.length === 0)
    return fail("operations", 'is no list. Write [{ "path": "/users", "body": { … } }]');
  const base = optional(config, "base", "string", fail);
  if (base !== undefined && !/^https?:$/.test(URL.parse(base)?.protocol ?? ""))
    fail("base", "is no http: or https: URL");
  return {
    base: base?.replace(/\/$/, ""),
    headers: headerLines(config.headers, "headers", fail),
    as: headerLines(config.as, "as", fail),
    operations: operations.map((operation, index) =>
      readOperation(operation, `operations[${index}]`, fail),
    ),
  };
}

type Fail = (where: string, what: string) => never;

function readOperation(value: unknown, where: string, fail: Fail): Operation {
  const given = members(value, OPERATION_MEMBERS, where, fail);
  const of: Fail = (name, what) => fail(`${where}.${name}`, what);
  const { path, body } = given;
  if (typeof path !== "string" || !path.startsWith("/"))
    return of("path", 'is no path. Write "/users"');
  if (!isJsonObject(body)) return of("body", "is no JSON object that the server accepts");
  if (![undefined, "POST"].includes(optional(given, "method", "string", of)))
    of("method", "is not POST; nothing else is checked");
  const creates = optional(given, "creates", "boolean", of) ?? true;
  return {
    name: `POST ${path}`,
    path,
    pathValues: {},
    creates,
    mediaType: optional(given, "mediaType", "string", of) ?? "application/json",
    example: body,
    schema: undefined,
    fresh: freshOf(given.unique, body, of),
    text: textMember(body, undefined, new References({})),
    invalid: invalidOf(given.invalid, body, of),
    keys: keysOf(given.keys, of),
    problems: optional(given, "problems", "boolean", of) ?? false,
    methods: methodsOf(given.methods, of),
    list: listOf(given.list, of),
    readable: optional(given, "read", "boolean", of) ?? false,
    removable: optional(given, "delete", "boolean", of) ?? false,
    headers: headerLines(given.headers, `${where}.headers`, fail),
  };
}

function members(value: unknown, known: string[], where: string, fail: Fail): JsonObject {
  if (!isJsonObject(value)) return fail(where, "is no JSON object");
  for (const name of Object.keys(value)) {
    if (!known.includes(name))
      fail(`${where === "the file" ? "" : `${where}.`}${name}`, unknownMember(name, known));
  }
  return value;
}

function unknownMember(name: string, known: string[]): string {
  return `is not a member.${didYouMean(name, known)} There are ${known.join(", ")}`;
}

interface TypeNames {
  readonly string: string;
  readonly boolean: boolean;
  readonly number: number;
}

function optional<const T extends keyof TypeNames>(
  object: JsonObject,
  name: string,
  type: T,
  fail: Fail,
): TypeNames[T] | undefined {
  const value: unknown = object[name];
  if (value === undefined) return undefined;
  if (typeof value !== type) return fail(name, `is no ${type}`);
  return value as TypeNames[T];
}

function headerLines(value: unknown, where: string, fail: Fail): HeaderLine[] {
  if (value === undefined) return [];
  if (!isJsonObject(value)) return fail(where, 'is no object. Write { "Authorization": "…" }');
  return Object.entries(value).map(([name, text]): HeaderLine => {
    if (typeof text !== "string") return fail(`${where}.${name}`, "is no text");
    return [name, text];
  });
}

function freshOf(value: unknown, body: JsonObject, fail: Fail): Record<string, string> {
  if (value === undefined) return freshMembers(body, undefined, new References({}));
  if (!isJsonObject(value)) return fail("unique", 'is no object. Write { "email": "a-{}@b.cd" }');
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (!(name in body)) return fail(`unique.${name}`, "is no member of body");
      if (typeof text !== "string" || !/\{(n|uuid)?\}/.test(text))
        return fail(`unique.${name}`, "has no {}, {n} or {uuid} in it");
      return [name, text];
    }),
  );
}

function invalidOf(value: unknown, body: JsonObject, fail: Fail): Operation["invalid"] {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return fail("invalid", "is no object of members that are wrong");
  return { value: { ...body, ...value }, wrong: Object.keys(value) };
}

function keysOf(value: unknown, fail: Fail): KeyClaim {
  if (value === undefined)
    return { claim: "unknown", header: DEFAULT_KEY_HEADER, documentation: "" };
  const of: Fail = (name, what) => fail(`keys.${name}`, what);
  const given = members(value === true ? {} : value, KEY_MEMBERS, "keys", (_where, what) =>
    fail("keys", what),
  );
  const offered = optional(given, "offered", "boolean", of) ?? true;
  const required = optional(given, "required", "boolean", of) ?? false;
  return {
    claim: required ? "required" : offered ? "accepted" : "unknown",
    header: optional(given, "header", "string", of) ?? DEFAULT_KEY_HEADER,
    documentation: optional(given, "documentation", "string", of) ?? "",
  };
}

function methodsOf(value: unknown, fail: Fail): string[] {
  if (value === undefined) return ["POST"];
  if (!Array.isArray(value)) return fail("methods", 'is no list. Write ["GET", "POST"]');
  return [...new Set(["POST", ...value.map((each) => String(each).toUpperCase())])];
}

function listOf(value: unknown, fail: Fail): ListClaim | undefined {
  if (value === undefined) return undefined;
  const of: Fail = (name, what) => fail(`list.${name}`, what);
  const given = members(
    typeof value === "string" ? { path: value } : value,
    LIST_MEMBERS,
    "list",
    (_where, what) => fail("list", what),
  );
  const path = optional(given, "path", "string", of) ?? of("path", "is missing");
  const name = optional(given, "limit", "string", of);
  const { parameters = [] } = given;
  if (!Array.isArray(parameters)) return of("parameters", "is no list of names");
  return {
    path,
    parameters: parameters.map(String),
    limit:
      name === undefined
        ? undefined
        : { name, maximum: optional(given, "maximum", "number", of) ?? 100 },
  };
}

import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../kernel/json.ts";
import { propertiesOf, type References, type Schema, typesOf } from "./schema.ts";

/** Names of members that are often unique. */
const UNIQUE_NAME =
  /e?mail|user_?name|login|handle|slug|sku|isbn|phone|serial|nick|(^|_|[a-z])(code|number|reference|ref|key|uuid|guid|external_?id)$/i;
/** Names of members that hold free text: where a mark does no harm. */
const TEXT_NAME = /name|title|subject|label|text|description|note|comment|message|body|content/i;

/** Room that a mark needs in a text. */
const MARK_LENGTH = 12;

/**
 * How to make each body another one (see `Operation.fresh`): members that look unique get a value
 * of their own each time, and one text carries a mark, by which the record is found again.
 */
export function freshMembers(
  example: JsonObject,
  schema: Schema | undefined,
  references: References,
): Record<string, string> {
  const properties = propertiesOf(schema ?? {});
  const fresh: Record<string, string> = {};
  const members = Object.entries(example).map(([name, value]) => ({
    name,
    value,
    schema: references.schema(properties[name]),
  }));
  for (const { name, value, schema } of members) {
    const text = UNIQUE_NAME.test(name) ? templateOf(value, schema) : undefined;
    if (text !== undefined) fresh[name] = text;
  }
  const marked = Object.values(fresh).some((text) => text.includes("{}"));
  const texts = members
    .filter(({ name }) => fresh[name] === undefined)
    .map(({ name, value, schema }) => ({ name, text: templateOf(value, schema) }))
    .filter(({ text }) => text?.includes("{}"));
  const carrier = texts.find(({ name }) => TEXT_NAME.test(name)) ?? texts[0];
  if (!marked && carrier !== undefined) fresh[carrier.name] = carrier.text!;
  return fresh;
}

/** The name of a member that takes any text. */
export function textMember(
  example: JsonObject,
  schema: Schema | undefined,
  references: References,
): string | undefined {
  const properties = propertiesOf(schema ?? {});
  const free = Object.entries(example)
    .filter(([name, value]) => {
      const { pattern, format, ...rest } = references.schema(properties[name]);
      if (pattern !== undefined || format !== undefined || UNIQUE_NAME.test(name)) return false;
      return templateOf(value, rest)?.includes(" {}") === true;
    })
    .map(([name]) => name);
  const named = free.find((name) => TEXT_NAME.test(name));
  // Without a schema, only the name tells that it is no date, colour or country.
  return named ?? (schema === undefined ? undefined : free[0]);
}

function templateOf(value: Json, schema: Schema): string | undefined {
  if (Array.isArray(schema.enum) || schema.const !== undefined) return undefined;
  if (typeof value === "number") {
    const bounded = typeof schema.minimum === "number" || typeof schema.maximum === "number";
    return bounded ? undefined : "{n}";
  }
  if (typeof value !== "string") return undefined;
  const types = typesOf(schema);
  if (types.length > 0 && !types.includes("string")) return undefined;
  return textTemplates(value, schema).find((template) => fits(template, schema));
}

function textTemplates(value: string, schema: Schema): string[] {
  switch (schema.format) {
    case "email":
      return ["check-{}@example.com"];
    case "uuid":
      return ["{uuid}"];
    case undefined:
      if (/^\S+@\S+\.\S+$/.test(value)) return ["check-{}@example.com"];
      return [`${value} {}`, `${value}-{}`, "check {}", "check-{}", "{}"];
    default:
      return [];
  }
}

function fits(template: string, schema: Schema): boolean {
  const { text } = filled(template, newToken());
  if (typeof schema.maxLength === "number" && text.length > schema.maxLength) return false;
  if (typeof schema.minLength === "number" && text.length < schema.minLength) return false;
  if (typeof schema.pattern !== "string") return true;
  try {
    return new RegExp(schema.pattern, "u").test(text);
  } catch {
    return false;
  }
}

/** Lower-case letters and digits, begun by a letter: what most fields take. */
export function newToken(): string {
  const digits = BigInt(`0x${randomBytes(8).toString("hex")}`).toString(36);
  return `q${digits.padStart(MARK_LENGTH - 1, "0").slice(-(MARK_LENGTH - 1))}`;
}

function filled(template: string, token: string): { text: string; value: Json } {
  if (template === "{n}") {
    const value = randomInt(1, 2 ** 31 - 1);
    return { text: String(value), value };
  }
  const text = template
    .replaceAll("{}", token)
    .replaceAll("{uuid}", () => randomUUID())
    .replaceAll("{n}", () => String(randomInt(1, 2 ** 31 - 1)));
  return { text, value: text };
}

/** A body that was never sent before. */
export interface Sample {
  /** Stands in one of the members, where one can carry it. */
  readonly token: string;
  readonly value: JsonObject;
  readonly text: string;
}

export function newSample(example: JsonObject, fresh: Readonly<Record<string, string>>): Sample {
  const token = newToken();
  const members = Object.entries(fresh).map(([name, template]): [string, Json] => [
    name,
    filled(template, token).value,
  ]);
  const value = { ...example, ...Object.fromEntries(members) };
  return { token, value, text: JSON.stringify(value) };
}

/** The same JSON, written in another way: members in the reverse order, and white space. */
export function rewritten(value: JsonObject): string {
  return `\n${JSON.stringify(reversed(value), null, 3)}\n`;
}

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

/** What JSON (RFC 8259) can say. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [name: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON Pointer (RFC 6901) in its URI fragment form without percent-encoding: `#/tags/0`. */
export function pointer(path: Iterable<string | number>): string {
  let text = "#";
  for (const step of path) {
    text += `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }
  return text;
}

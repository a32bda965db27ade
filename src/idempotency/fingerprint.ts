import { hash } from "node:crypto";
import type { Json } from "../kernel/json.ts";

/** What makes two requests the same one. */
export interface FingerprintSource {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly mediaType: string;
  readonly payload: Json | undefined;
}

/**
 * A digest of a request: equal where method, path, query and decoded payload are, whatever the
 * order of members and the white space between them.
 */
export function fingerprint(source: FingerprintSource): string {
  const { method, path, search, mediaType, payload } = source;
  return digest([method, path, search, mediaType], payload === undefined ? "" : canonical(payload));
}

/** Names a claim: the same key of another caller, or at another operation, is another claim. */
export function claimDigest(
  owner: string | undefined,
  operation: string,
  what: "key" | "window",
  key: string,
): string {
  return digest([owner ?? null, operation, what, key], "");
}

/** 128 bits of SHA-256. The parts are told apart, whatever is in them. */
function digest(parts: readonly (string | null)[], rest: string): string {
  return hash("sha256", `${JSON.stringify(parts)}${rest}`, "base64url").slice(0, 22);
}

/** JSON with the members of every object sorted by name. */
function canonical(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const object = value as Readonly<Record<string, Json>>;
  let text = "";
  for (const name of Object.keys(object).sort()) {
    text += `${text === "" ? "{" : ","}${JSON.stringify(name)}:${canonical(object[name]!)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

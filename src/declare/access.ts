import type { JsonObject } from "../kernel/json.ts";

/**
 * Who calls, as an authentication scheme found out. Plain data: it travels to the writer thread.
 * `id` is stable and unique; everything beside it is the scheme's own (roles, scopes, tenant).
 */
export interface Principal extends JsonObject {
  readonly id: string;
}

/** Who may: one of the constants of this file, or a function over the principal. */
export type AccessRule = NamedRule | ((principal: Principal) => boolean);

export interface NamedRule {
  readonly rule: "anyone" | "nobody" | "signed-in";
}

/** Every caller, with or without credentials. */
export const anyone: NamedRule = Object.freeze({ rule: "anyone" });

/** No caller at all: the operation is not served, and does not exist for clients. */
export const nobody: NamedRule = Object.freeze({ rule: "nobody" });

/** Every caller with valid credentials. */
export const signedIn: NamedRule = Object.freeze({ rule: "signed-in" });

export type Verdict = "allowed" | "unauthenticated" | "forbidden";

export function judge(rule: AccessRule, principal: Principal | null): Verdict {
  if (typeof rule !== "function") {
    if (rule.rule === "anyone") return "allowed";
    if (rule.rule === "nobody") return "forbidden";
    return principal === null ? "unauthenticated" : "allowed";
  }
  if (principal === null) return "unauthenticated";
  // Strictly true: a rule that forgets to return, or returns a promise, must not open the door.
  return rule(principal) === true ? "allowed" : "forbidden";
}

export function isAccessRule(value: unknown): value is AccessRule {
  if (typeof value === "function") return true;
  // By content, not identity: the module may have been loaded from another copy of the package.
  const { rule } = (value ?? {}) as { rule?: unknown };
  return rule === "anyone" || rule === "nobody" || rule === "signed-in";
}

/** What a scheme sees of a request: enough for credentials, nothing of the body. */
export interface CredentialSource {
  readonly method: string;
  /** With the base path, without the query. */
  readonly path: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * One way to authenticate. Returns the principal; `null` where the request carries no credentials
 * of this scheme; `"invalid"` where it carries some that are wrong, expired or revoked.
 */
export interface AuthenticationScheme {
  /** Name in the OpenAPI document's `securitySchemes`. */
  readonly name: string;
  /** Challenge for `WWW-Authenticate` (RFC 9110 section 11.6.1): `Bearer`. */
  readonly challenge: string;
  /** The Security Scheme Object of OpenAPI 3.1. */
  readonly openapi: JsonObject;
  readonly authenticate: (
    source: CredentialSource,
  ) => Principal | null | "invalid" | Promise<Principal | null | "invalid">;
}

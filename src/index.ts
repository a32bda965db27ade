export {
  type AccessRule,
  type AuthenticationScheme,
  anyone,
  type CredentialSource,
  nobody,
  type Principal,
  signedIn,
} from "./declare/access.ts";
export { type Api, type ApiOptions, api } from "./declare/api.ts";
export { type Dialect, type ListDocument, type ProblemDocument, plain } from "./declare/dialect.ts";
export {
  type Fail,
  type HookContext,
  type IdKind,
  type Resource,
  type ResourceConfig,
  type RowOf,
  type RuleContext,
  resource,
  type SetContext,
  type TransactionSql,
  type UpdateHookContext,
} from "./declare/resource.ts";
export type { StandardSchema } from "./declare/standard-schema.ts";
export type { Json, JsonObject } from "./kernel/json.ts";
export type { Observation, Observe } from "./kernel/observations.ts";
export type { Fault } from "./kernel/problems.ts";

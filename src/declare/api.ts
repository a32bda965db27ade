import type { AuthenticationScheme } from "./access.ts";
import type { AnyAction } from "./action.ts";
import type { Dialect } from "./dialect.ts";
import type { AnyJob } from "./job.ts";
import type { AnyResource } from "./resource.ts";

/** The options of `api()`. */
export interface ApiOptions {
  /** Name of the API, for its documentation. Default "API". */
  readonly title?: string;
  /** Version of the API, for its documentation. Default "1.0.0". */
  readonly version?: string;
  /** What the API is for, in Markdown. */
  readonly description?: string;
  /** Whom to ask about the API. */
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string };
  /** Licence of the API; `identifier` is one of SPDX. */
  readonly license?: { readonly name: string; readonly identifier?: string };
  /** How the API speaks. Default: plain JSON and RFC 9457 problems. */
  readonly dialect?: Dialect;
  /** The sender of mails that name none: `{ from: "Shop <shop@example.com>" }`. */
  readonly mail?: { readonly from: string };
  /** Ways to authenticate, asked in this order. */
  readonly authenticate?: readonly AuthenticationScheme[];
}

export type Declarations = Readonly<Record<string, AnyResource | AnyAction | AnyJob>>;

/** A declared API: what a module exports as default, and what is served. */
export interface Api<D extends Declarations = Declarations> {
  readonly kind: "api";
  readonly declarations: D;
  readonly options: ApiOptions;
}

/** Puts declarations together. They are verified when the API is served, all faults at once. */
export function api<const D extends Declarations>(
  declarations: D,
  options: ApiOptions = {},
): Api<D> {
  return Object.freeze({ kind: "api", declarations: Object.freeze({ ...declarations }), options });
}

export function isApi(value: unknown): value is Api {
  return typeof value === "object" && value !== null && (value as Api).kind === "api";
}

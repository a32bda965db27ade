import type { JsonObject } from "../kernel/json.ts";
import type { HeaderLine } from "./message.ts";
import type { Schema } from "./schema.ts";

/** A POST that is looked at, and what its server says of it. */
export interface Operation {
  /** `POST /users`, with the path as the document writes it. */
  readonly name: string;
  /** Template of the path, below the base: `/posts/{postId}/comments`. */
  readonly path: string;
  /** Values for the parameters of the path, where the document gives some. */
  readonly pathValues: Readonly<Record<string, string>>;
  /** Whether it makes a record and says so with 201. Others act, and answer 200, 202 or 204. */
  readonly creates: boolean;
  readonly mediaType: string;
  /** A body that should be accepted, apart from members that have to differ each time. */
  readonly example: JsonObject;
  /** What the body has to be; `undefined` where nobody says. */
  readonly schema: Schema | undefined;
  /**
   * How members get another value each time: `{}` in the text stands for letters and digits, `{n}`
   * for a number, `{uuid}` for a UUID. The names are those of top-level members.
   */
  readonly fresh: Readonly<Record<string, string>>;
  /** Name of a member that takes any text, where one is known. */
  readonly text: string | undefined;
  /** A body that has to be refused, and the members that are wrong in it. */
  readonly invalid: InvalidBody | undefined;
  readonly keys: KeyClaim;
  /** Whether errors are said to be problem details (RFC 9457). */
  readonly problems: boolean;
  /** Methods that the document names for this path. */
  readonly methods: readonly string[];
  readonly list: ListClaim | undefined;
  /** Whether GET, and DELETE, is offered at the path that Location names. */
  readonly readable: boolean;
  readonly removable: boolean;
  /** Header lines that every request to it has. */
  readonly headers: readonly HeaderLine[];
}

export interface InvalidBody {
  readonly value: JsonObject;
  readonly wrong: readonly string[];
}

/** What is said of keys. */
export interface KeyClaim {
  readonly claim: "required" | "accepted" | "unknown";
  /** Name of the header field: `Idempotency-Key`. */
  readonly header: string;
  /** What the documentation says, and for how long keys are kept; `""` where it says nothing. */
  readonly documentation: string;
}

/** A GET that shows records, by which effects are counted. */
export interface ListClaim {
  /** Template of its path. */
  readonly path: string;
  /** Names of its query parameters. */
  readonly parameters: readonly string[];
  /** The parameter for the length of a page, with the longest that is allowed. */
  readonly limit: { readonly name: string; readonly maximum: number } | undefined;
}

export const DEFAULT_KEY_HEADER = "Idempotency-Key";

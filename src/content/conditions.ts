import type { Clock } from "../kernel/clock.ts";
import { Problem } from "../kernel/problems.ts";
import { parseHttpDate } from "./http-date.ts";

/** An entity tag (RFC 9110 section 8.8.3). */
export interface EntityTag {
  readonly weak: boolean;
  /** With its quotes: `"v7"`. */
  readonly opaque: string;
}

/** The conditional header fields of a request, by name in lower case as Node gives them. */
export interface ConditionalHeaders {
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
  readonly "if-modified-since"?: string | undefined;
  readonly "if-unmodified-since"?: string | undefined;
}

/** What the server holds at the moment of the decision. */
export interface Validators {
  /** With quotes, strong: `"v7"`. */
  readonly etag: string;
  /** Milliseconds since the epoch; HTTP compares whole seconds. */
  readonly lastModified: number;
}

export type ConditionOutcome = "proceed" | "not-modified" | "precondition-failed";

const ENTITY_TAG = /[ \t]*(?:(W\/)?("[\x21\x23-\x7E\x80-\xFF]*"))?[ \t]*(?:,|$)/y;

/**
 * Reads the value of If-Match or If-None-Match: `*`, or a list of entity tags, which may be empty
 * and have empty elements (RFC 9110 section 5.6.1.2). `undefined` for anything else.
 */
export function parseEntityTags(header: string): readonly EntityTag[] | "*" | undefined {
  if (/^[ \t]*\*[ \t]*$/.test(header)) {
    return "*";
  }
  const tags: EntityTag[] = [];
  for (let end = 0; end < header.length; ) {
    ENTITY_TAG.lastIndex = end;
    const match = ENTITY_TAG.exec(header);
    if (match === null) {
      return undefined;
    }
    end = ENTITY_TAG.lastIndex;
    if (match[2] !== undefined) {
      tags.push({ weak: match[1] !== undefined, opaque: match[2] });
    }
  }
  return tags;
}

/**
 * Evaluates the preconditions of a request in the order of RFC 9110 section 13.2.2. `current` is
 * `undefined` where nothing exists yet. To be asked only where the answer would else be a success
 * (section 13.2.1). `clock` serves dates with a two-digit year.
 *
 * Throws the problem `malformed-header` for tags that can't be read: a guard that is not
 * understood must not be dropped. A date that can't be read is ignored, as the standard demands.
 */
export function evaluateConditions(
  method: string,
  headers: ConditionalHeaders,
  current: Validators | undefined,
  clock?: Clock,
): ConditionOutcome {
  const reads = method === "GET" || method === "HEAD";
  if (headers["if-match"] !== undefined) {
    if (!matches(headers["if-match"], "If-Match", current)) {
      return "precondition-failed";
    }
  } else if (isModifiedSince(headers["if-unmodified-since"], current, clock) === true) {
    return "precondition-failed";
  }
  if (headers["if-none-match"] !== undefined) {
    if (matches(headers["if-none-match"], "If-None-Match", current)) {
      return reads ? "not-modified" : "precondition-failed";
    }
  } else if (reads && isModifiedSince(headers["if-modified-since"], current, clock) === false) {
    return "not-modified";
  }
  return "proceed";
}

/** Compares strongly for If-Match, weakly for If-None-Match (RFC 9110 section 8.8.3.2). */
function matches(
  header: string,
  name: "If-Match" | "If-None-Match",
  current: Validators | undefined,
): boolean {
  const tags = parseEntityTags(header);
  if (tags === undefined) {
    throw new Problem("malformed-header", {
      errors: [
        {
          header: name,
          detail: `${name} takes * or a list of entity tags in double quotes, such as "v7".`,
          code: "malformed_entity_tag",
        },
      ],
    });
  }
  if (current === undefined || tags === "*") {
    return current !== undefined;
  }
  return tags.some((tag) => tag.opaque === current.etag && (name === "If-None-Match" || !tag.weak));
}

/** `undefined` where there is nothing to compare. */
function isModifiedSince(
  header: string | undefined,
  current: Validators | undefined,
  clock: Clock | undefined,
): boolean | undefined {
  if (header === undefined || current === undefined) {
    return undefined;
  }
  const since = parseHttpDate(header, clock);
  return since === undefined ? undefined : Math.floor(current.lastModified / 1000) * 1000 > since;
}

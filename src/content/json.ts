import { isAscii, isUtf8 } from "node:buffer";
import type { Json } from "../kernel/json.ts";
import { Problem } from "../kernel/problems.ts";
import { refuseJson } from "./json-faults.ts";

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads a JSON text (RFC 8259) as I-JSON (RFC 7493) asks for it, so that every reader of the same
 * bytes understands the same value. The result is what `JSON.parse` gives.
 *
 * `maxDepth` counts nested arrays and objects: `[[1]]` has depth 2.
 *
 * Throws the problem `malformed-json` for bytes that are not UTF-8, for a syntax error, and for a
 * name given twice in an object, the name `__proto__`, a lone surrogate, a number beyond ±(2^53-1)
 * or too deep nesting, then with all of these in `errors`. A byte order mark is ignored (RFC 8259
 * section 8.1).
 */
export function parseJson(bytes: Buffer, limits: { readonly maxDepth: number }): Json {
  const text = decode(bytes);
  const members = countMembers(text, limits.maxDepth);
  if (members < 0) {
    refuseJson(text, limits.maxDepth);
  }
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    refuseJson(text, limits.maxDepth);
  }
  if (!isUnambiguous(value, members, text.includes("\\u"))) {
    refuseJson(text, limits.maxDepth);
  }
  return value;
}

function decode(bytes: Buffer): string {
  // Latin-1 reads ASCII faster than UTF-8 does.
  if (isAscii(bytes)) {
    return bytes.toString("latin1");
  }
  if (!isUtf8(bytes)) {
    throw new Problem("malformed-json", {
      detail: "The body is not UTF-8, which JSON has to be in (RFC 8259 section 8.1).",
    });
  }
  const text = bytes.toString("utf8");
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/**
 * How many members the objects of a JSON text are written with, which is how many colons stand
 * outside strings. -1 where nesting exceeds `maxDepth`.
 */
function countMembers(text: string, maxDepth: number): number {
  let depth = 0;
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        for (at++; at < text.length; at++) {
          const code = text.charCodeAt(at);
          if (code === QUOTE) {
            break;
          }
          if (code === BACKSLASH) {
            at++;
          }
        }
        break;
      case COLON:
        colons++;
        break;
      case OPENING_BRACE:
      case OPENING_BRACKET:
        if (++depth > maxDepth) {
          return -1;
        }
        break;
      case CLOSING_BRACE:
      case CLOSING_BRACKET:
        depth--;
    }
  }
  return colons;
}

/**
 * Whether a parsed value has as many members as were written, which fails when a name was given
 * twice, and holds nothing else that `parseJson` refuses. A stack in place of recursion, since
 * `maxDepth` is the operator's choice.
 */
function isUnambiguous(root: Json, members: number, mayHoldSurrogates: boolean): boolean {
  const unread: (object & Json)[] = [];
  const accepts = (value: Json): boolean => {
    switch (typeof value) {
      case "number":
        return value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER;
      case "string":
        // Valid UTF-8 has no surrogates, so that only an escape can bring one in.
        return !mayHoldSurrogates || value.isWellFormed();
      case "object":
        if (value !== null) {
          unread.push(value);
        }
    }
    return true;
  };
  if (!accepts(root)) {
    return false;
  }
  let found = 0;
  for (let container = unread.pop(); container !== undefined; container = unread.pop()) {
    if (Array.isArray(container)) {
      for (const item of container) {
        if (!accepts(item)) {
          return false;
        }
      }
      continue;
    }
    const object = container as { readonly [name: string]: Json };
    for (const name in object) {
      found++;
      if (name === "__proto__" || (mayHoldSurrogates && !name.isWellFormed())) {
        return false;
      }
      if (!accepts(object[name]!)) {
        return false;
      }
    }
  }
  return found === members;
}

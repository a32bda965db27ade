import { Problem } from "../kernel/problems.ts";

/** The longest key, in characters. */
export const MAX_KEY_LENGTH = 255;

/** Visible ASCII without the quote, the comma and the backslash: what most clients send. */
const BARE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,255}$/;
/** A String of structured fields (RFC 9651 section 3.3.3), of visible characters. */
const STRING = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/;

/**
 * The key of an `Idempotency-Key` header field (draft-ietf-httpapi-idempotency-key-header-07
 * section 2.1): a String, or the bare key that most clients send. Both forms name the same key.
 * @param field Several lines of the field are joined by commas, and are no key.
 * @throws Problem malformed-header
 */
export function parseKey(field: string): string {
  const text = field.trim();
  const quoted = STRING.exec(text)?.[1]?.replaceAll(/\\(.)/g, "$1");
  const key = quoted ?? (BARE.test(text) ? text : undefined);
  if (key === undefined || key.length > MAX_KEY_LENGTH) throw malformed(text);
  return key;
}

function malformed(text: string): Problem {
  const detail =
    text === ""
      ? "is empty"
      : text.length > MAX_KEY_LENGTH + 2
        ? `has more than ${MAX_KEY_LENGTH} characters`
        : text.includes(",")
          ? "is not one key: it has a comma, or comes twice"
          : "has characters that a key can't have";
  return new Problem("malformed-header", {
    detail: `The Idempotency-Key ${detail}. Send one key of 1 to ${MAX_KEY_LENGTH} visible ASCII characters, such as a UUID.`,
    errors: [{ header: "Idempotency-Key", detail, code: "invalid_key" }],
  });
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether nobody can guess the key. */
export function isUuid(key: string): boolean {
  return UUID.test(key);
}

import { Problem } from "../kernel/problems.ts";

/** The longest key, in characters. */
export const MAX_KEY_LENGTH = 255;

/** Visible ASCII without the quote, the comma and the backslash: what most clients send. */
const BARE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;
/** A String of structured fields (RFC 9651 section 3.3.3), of visible characters. */
const STRING = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/;
const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/**
 * The key of an `Idempotency-Key` header field (draft-ietf-httpapi-idempotency-key-header-07
 * section 2.1): a String, or the bare key that most clients send. Both forms name the same key.
 * @param field Several lines of the field are joined by commas, and are no key.
 * @throws Problem malformed-header
 */
export function parseKey(field: string): string {
  const text = field.trim();
  const string = contentOf(text);
  const key = string ?? text;
  if (key === "" || key === '""') throw malformed("is empty");
  if (key.length > MAX_KEY_LENGTH) throw malformed(`has more than ${MAX_KEY_LENGTH} characters`);
  if (string === undefined && !BARE.test(text)) {
    throw malformed(
      text.includes(",")
        ? "is not one key: it has a comma, or comes twice"
        : "has characters that a key can't have",
    );
  }
  return key;
}

/**
 * A key that is told of elsewhere than in its header field, as it was sent or as it is;
 * `undefined` for what can't be one.
 */
export function namedKey(text: string): string | undefined {
  const key = contentOf(text) ?? text;
  return VISIBLE.test(key) ? key : undefined;
}

function contentOf(text: string): string | undefined {
  return STRING.exec(text)?.[1]?.replaceAll(/\\(.)/g, "$1");
}

function malformed(detail: string): Problem {
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

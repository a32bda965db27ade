/** A token (RFC 9110 section 5.6.2), as the source of a regular expression. */
export const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";

/** A quoted string (RFC 9110 section 5.6.4), as the source of a regular expression. */
export const QUOTED_STRING =
  '"(?:[\\t \\x21\\x23-\\x5B\\x5D-\\x7E\\x80-\\xFF]|\\\\[\\t \\x21-\\x7E\\x80-\\xFF])*"';

/** The text of a token or of a quoted string. */
export function unquote(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word;
}

/** Without the optional whitespace (RFC 9110 section 5.6.3) around it: no other white space is. */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text[start]!)) {
    start++;
  }
  while (end > start && isWhitespace(text[end - 1]!)) {
    end--;
  }
  return text.slice(start, end);
}

function isWhitespace(character: string): boolean {
  return character === " " || character === "\t";
}

/**
 * Splits a list (RFC 9110 section 5.6.1) at its commas, those within quoted strings apart. Drops
 * empty elements, as section 5.6.1.2 demands of a reader.
 */
export function listElements(header: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= header.length; at++) {
    const character = header[at];
    if (character === '"') {
      quoted = !quoted;
    } else if (character === "\\" && quoted) {
      at++;
    }
    if (at >= header.length || (character === "," && !quoted)) {
      const element = trimWhitespace(header.slice(start, at));
      if (element !== "") {
        elements.push(element);
      }
      start = at + 1;
    }
  }
  return elements;
}

import { QUOTED_STRING, TOKEN, trimWhitespace, unquote } from "./field-syntax.ts";
import { remembering } from "./remembering.ts";

/** A media type (RFC 9110 section 8.3.1), or a media range of the Accept header (12.5.1). */
export interface MediaType {
  /** In lower case and without parameters: `application/json`. */
  readonly type: string;
  /** Values by name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = new RegExp(`^${TOKEN}/${TOKEN}`);
const PARAMETER = new RegExp(`[ \\t]*;[ \\t]*(?:(${TOKEN})=(${TOKEN}|${QUOTED_STRING}))?`, "y");

/**
 * Reads a Content-Type header. `undefined` for what does not follow the grammar, and for a
 * parameter that is given twice: readers disagree on which one counts.
 */
export const parseMediaType: (header: string) => MediaType | undefined = remembering((header) => {
  const text = trimWhitespace(header);
  const type = TYPE.exec(text)?.[0];
  if (type === undefined) {
    return undefined;
  }
  const parameters = new Map<string, string>();
  let end = type.length;
  while (end < text.length) {
    PARAMETER.lastIndex = end;
    const match = PARAMETER.exec(text);
    if (match === null) {
      return undefined;
    }
    end = PARAMETER.lastIndex;
    const [, name, value] = match;
    if (name !== undefined && value !== undefined) {
      if (parameters.has(name.toLowerCase())) {
        return undefined;
      }
      parameters.set(name.toLowerCase(), unquote(value));
    }
  }
  return { type: type.toLowerCase(), parameters };
});

/**
 * The charset of a media type in lower case, `utf-8` where none is named. JSON has no such
 * parameter (RFC 8259 section 11) and is always UTF-8, so that any other is to be refused.
 */
export function charsetOf(mediaType: MediaType): string {
  return mediaType.parameters.get("charset")?.toLowerCase() ?? "utf-8";
}

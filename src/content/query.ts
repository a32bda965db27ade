import { type Fault, Problem } from "../kernel/problems.ts";

export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

const MAX_PARAMETERS = 100;
const MAX_SHOWN_LENGTH = 100;

/**
 * Reads the query of a URL, with or without its question mark, as form-encoded text: `+` is a
 * space. Keeps the order and what is repeated; drops empty parameters as in `a=1&&b=2`.
 *
 * Throws the problem `invalid-query` for bad percent-encoding, for characters that should have
 * been percent-encoded, and for more than 100 parameters.
 */
export function parseQuery(search: string): QueryParameter[] {
  const text = search.startsWith("?") ? search.slice(1) : search;
  if (text === "") {
    return [];
  }
  const parts = text.split("&").filter((part) => part !== "");
  if (parts.length > MAX_PARAMETERS) {
    throw new Problem("invalid-query", {
      detail: `The query has ${parts.length} parameters; ${MAX_PARAMETERS} are the most.`,
    });
  }
  const faults: Fault[] = [];
  const parameters: QueryParameter[] = [];
  for (const part of parts) {
    const equals = part.indexOf("=");
    const encodedName = equals === -1 ? part : part.slice(0, equals);
    const name = decode(encodedName);
    const value = equals === -1 ? "" : decode(part.slice(equals + 1));
    if (name === undefined || value === undefined) {
      faults.push(malformed(name ?? encodedName));
    } else {
      parameters.push({ name, value });
    }
  }
  if (faults.length > 0) {
    throw new Problem("invalid-query", { errors: faults });
  }
  return parameters;
}

function malformed(parameter: string): Fault {
  return {
    parameter: parameter.slice(0, MAX_SHOWN_LENGTH),
    detail: "The parameter is not percent-encoded UTF-8 (RFC 3986 section 2.1).",
    code: "malformed_encoding",
  };
}

function decode(text: string): string | undefined {
  // RFC 3986 knows no characters beyond visible ASCII; Node passes them on as it reads them.
  if (/[^\x21-\x7E]/.test(text)) {
    return undefined;
  }
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

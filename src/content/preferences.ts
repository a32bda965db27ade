import { listElements, QUOTED_STRING, TOKEN, unquote } from "./field-syntax.ts";
import { remembering } from "./remembering.ts";

/** What the client would like (RFC 7240), as far as we know to do it. */
export interface Preferences {
  readonly return?: "minimal" | "representation";
  readonly respondAsync?: true;
  /** Seconds. */
  readonly wait?: number;
}

const NONE: Preferences = Object.freeze({});

// Parameters after a semicolon are read by nobody: none of these preferences defines any.
const PREFERENCE = new RegExp(
  `^(${TOKEN})(?:[ \\t]*=[ \\t]*(${TOKEN}|${QUOTED_STRING})?)?[ \\t]*(?:;|$)`,
);

/**
 * Reads a Prefer header. Preferences are wishes: what is unknown, malformed or has a value that is
 * not defined is left out (RFC 7240 section 2). Where one is given twice the first counts, also
 * when its value is left out.
 */
export function parsePrefer(header: string | undefined): Preferences {
  return header === undefined ? NONE : read(header);
}

const read = remembering((header): Preferences => {
  const values = new Map<string, string>();
  for (const element of listElements(header)) {
    const [, name, value] = PREFERENCE.exec(element) ?? [];
    if (name !== undefined && !values.has(name.toLowerCase())) {
      values.set(name.toLowerCase(), unquote(value ?? ""));
    }
  }
  const representation = values.get("return");
  const wait = values.get("wait") ?? "";
  return Object.freeze({
    ...((representation === "minimal" || representation === "representation") && {
      return: representation,
    }),
    ...(values.get("respond-async") === "" && { respondAsync: true as const }),
    ...(/^[0-9]{1,9}$/.test(wait) && { wait: Number(wait) }),
  });
});

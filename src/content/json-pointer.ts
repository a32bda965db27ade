/** The steps of a JSON Pointer: names and array indexes, unescaped. */
export type JsonPath = readonly string[];

/** Reads a JSON Pointer in its string form (RFC 6901 section 3): `/tags/0`. */
export function parsePointer(text: string): JsonPath | undefined {
  if (text === "") {
    return [];
  }
  if (!text.startsWith("/") || /~(?![01])/.test(text)) {
    return undefined;
  }
  const steps = text.slice(1).split("/");
  return text.includes("~")
    ? steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    : steps;
}

/** The array index that a step names: digits without leading zeros (RFC 6901 section 4). */
export function arrayIndex(step: string): number | undefined {
  return /^(?:0|[1-9][0-9]*)$/.test(step) ? Number(step) : undefined;
}

import type { SetContext } from "../declare/resource.ts";

/** The values that the server gives on creation, by the declaration's `set`. */
export function serverValues(
  set: ReadonlyMap<string, unknown>,
  { principal, now }: SetContext,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of set) {
    values[name] = typeof value === "function" ? value({ principal, now }) : value;
  }
  return values;
}

import type { Json } from "../../src/kernel/json.ts";

/** The value itself, frozen to its depths, so that whoever changes it throws. */
export function frozen<Value extends Json>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

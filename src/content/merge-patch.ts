import { isJsonObject, type Json } from "../kernel/json.ts";

/**
 * Applies a JSON Merge Patch (RFC 7396): members of the patch replace those of the target, null
 * removes, objects merge; an absent target is like an empty one. Neither argument is changed; the result shares what stayed the same.
 * Recursion goes as deep as the patch, which `parseJson` has bounded.
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) {
    return patch;
  }
  const members = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      members.delete(name);
    } else {
      members.set(name, mergePatch(members.get(name), value));
    }
  }
  // Unlike an assignment this makes an own member of any name, `__proto__` included.
  return Object.fromEntries(members);
}

import { isJsonObject, type Json } from "../kernel/json.ts";
import { arrayIndex, type JsonPath } from "./json-pointer.ts";

type Container = Json[] | { [name: string]: Json };

/**
 * A JSON value that is being edited, while the value that it began as stays as it was. Arrays and
 * objects are copied when first written to, and each at most once. Sees own members only.
 */
export class JsonDraft {
  #root: Json;
  /** What this draft made itself, and may change in place. */
  readonly #own = new Set<Json>();
  /** How many members an object has: counting takes as long as there are members. */
  readonly #sizes = new Map<Json, number>();

  constructor(root: Json) {
    this.#root = root;
  }

  get root(): Json {
    return this.#root;
  }

  /** `undefined` where the path leads nowhere. */
  read(path: JsonPath): Json | undefined {
    let value: Json | undefined = this.#root;
    for (const step of path) {
      value = value === undefined ? undefined : child(value, step);
    }
    return value;
  }

  /** Inserts into an array, also at its end or at `-`, or sets a member. False without a parent. */
  add(path: JsonPath, value: Json): boolean {
    const step = path.at(-1);
    if (step === undefined) {
      this.#root = value;
      return true;
    }
    const parent = this.#parent(path);
    if (parent === undefined) {
      return false;
    }
    if (Array.isArray(parent)) {
      const index = step === "-" ? parent.length : arrayIndex(step);
      if (index === undefined || index > parent.length) {
        return false;
      }
      parent.splice(index, 0, value);
      return true;
    }
    if (!Object.hasOwn(parent, step)) {
      this.#resize(parent, 1);
    }
    set(parent, step, value);
    return true;
  }

  /** False where there is nothing to replace. */
  replace(path: JsonPath, value: Json): boolean {
    const step = path.at(-1);
    if (step === undefined) {
      this.#root = value;
      return true;
    }
    const parent = this.#parent(path);
    if (parent === undefined || child(parent, step) === undefined) {
      return false;
    }
    set(parent, step, value);
    return true;
  }

  /** Gives what was removed; `undefined` where there is nothing, and for the root. */
  remove(path: JsonPath): Json | undefined {
    const step = path.at(-1);
    const parent = this.#parent(path);
    if (step === undefined || parent === undefined) {
      return undefined;
    }
    const value = child(parent, step);
    if (value === undefined) {
      return undefined;
    }
    if (Array.isArray(parent)) {
      parent.splice(Number(step), 1);
    } else {
      this.#resize(parent, -1);
      delete parent[step];
    }
    return value;
  }

  /** Equality as RFC 6902 section 4.6 defines it. Recursion goes as deep as `expected`. */
  equals(value: Json, expected: Json): boolean {
    if (Array.isArray(value) && Array.isArray(expected)) {
      const items: readonly Json[] = expected;
      return (
        value.length === items.length &&
        value.every((item: Json, index) => this.equals(item, items[index]!))
      );
    }
    if (isJsonObject(value) && isJsonObject(expected)) {
      const names = Object.keys(expected);
      return (
        this.#size(value) === names.length &&
        names.every(
          (name) => Object.hasOwn(value, name) && this.equals(value[name]!, expected[name]!),
        )
      );
    }
    return value === expected;
  }

  /** The array or object at all but the last step, ready to be written to. */
  #parent(path: JsonPath): Container | undefined {
    let parent = this.#writable(this.#root);
    if (parent !== undefined) {
      this.#root = parent;
    }
    for (const step of path.slice(0, -1)) {
      const value = parent === undefined ? undefined : child(parent, step);
      const writable = value === undefined ? undefined : this.#writable(value);
      if (parent !== undefined && writable !== undefined && writable !== value) {
        set(parent, step, writable);
      }
      parent = writable;
    }
    return parent;
  }

  #writable(value: Json): Container | undefined {
    if (this.#own.has(value)) {
      return value as Container;
    }
    const copy = Array.isArray(value) ? [...value] : isJsonObject(value) ? { ...value } : undefined;
    if (copy !== undefined) {
      this.#own.add(copy);
    }
    return copy;
  }

  #size(object: Json): number {
    const size = this.#sizes.get(object) ?? Object.keys(object as object).length;
    this.#sizes.set(object, size);
    return size;
  }

  #resize(object: Json, by: 1 | -1): void {
    const size = this.#sizes.get(object);
    if (size !== undefined) {
      this.#sizes.set(object, size + by);
    }
  }
}

function child(value: Json, step: string): Json | undefined {
  if (Array.isArray(value)) {
    const index = arrayIndex(step);
    return index === undefined ? undefined : value[index];
  }
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

/** Sets an own member or item, where an assignment to `__proto__` would change the prototype. */
function set(container: Container, step: string, value: Json): void {
  if (step === "__proto__") {
    const descriptor = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(container, step, descriptor);
  } else {
    (container as { [name: string]: Json })[step] = value;
  }
}

import { type Json, pointer } from "../kernel/json.ts";
import { type Fault, Problem } from "../kernel/problems.ts";
import { JsonDraft } from "./json-draft.ts";
import type { JsonPatch, PatchOperation } from "./json-patch-document.ts";
import type { JsonPath } from "./json-pointer.ts";

export { type JsonPatch, type PatchOperation, parseJsonPatch } from "./json-patch-document.ts";

export interface JsonPatchLimits {
  readonly maxOperations: number;
  /** Of the result as JSON text, and of all that `copy` operations copy. */
  readonly maxBytes: number;
  /** Nested arrays and objects in the result; 64 unless given. */
  readonly maxDepth?: number;
}

const MAX_SHOWN_LENGTH = 100;

/**
 * Applies a JSON Patch and gives the result; `target` stays as it is, so that either all
 * operations take effect or none.
 *
 * Throws the problem `patch-conflict` for the first operation that fails, with its position in
 * `errors` and the code `test_failed` or `no_such_target`; `content-too-large` where a limit is
 * exceeded. Details never show what the target holds.
 */
export function applyJsonPatch(target: Json, patch: JsonPatch, limits: JsonPatchLimits): Json {
  if (patch.length > limits.maxOperations) {
    throw tooLarge(`The patch has ${patch.length} operations of ${limits.maxOperations} allowed.`);
  }
  const draft = new JsonDraft(target);
  // Also counts copies that are removed again, since making them took time all the same.
  let bytesToCopy = limits.maxBytes;
  const copyOf = (value: Json): Json => {
    const text = jsonWithin(limits, value, bytesToCopy);
    bytesToCopy -= Buffer.byteLength(text);
    return JSON.parse(text);
  };
  for (const [index, operation] of patch.entries()) {
    const failure = perform(operation, draft, copyOf);
    if (failure !== undefined) {
      throw new Problem("patch-conflict", { errors: [{ pointer: pointer([index]), ...failure }] });
    }
  }
  jsonWithin(limits, draft.root);
  return draft.root;
}

function perform(
  operation: PatchOperation,
  draft: JsonDraft,
  copyOf: (value: Json) => Json,
): Fault | undefined {
  const { op, path } = operation;
  switch (op) {
    case "add":
      return draft.add(path, operation.value) ? undefined : noPlace(path);
    case "replace":
      return draft.replace(path, operation.value) ? undefined : nothingAt(path);
    case "remove":
      return draft.remove(path) === undefined ? nothingAt(path) : undefined;
    case "test": {
      const found = draft.read(path);
      if (found === undefined) {
        return nothingAt(path);
      }
      const detail = `The value at ${shown(path)} is not the one that the test expects.`;
      return draft.equals(found, operation.value) ? undefined : { detail, code: "test_failed" };
    }
    case "copy": {
      const found = draft.read(operation.from);
      if (found === undefined) {
        return nothingAt(operation.from);
      }
      return draft.add(path, copyOf(found)) ? undefined : noPlace(path);
    }
    case "move": {
      if (operation.from.length === 0) {
        // The root moves nowhere but to itself.
        return undefined;
      }
      const found = draft.remove(operation.from);
      if (found === undefined) {
        return nothingAt(operation.from);
      }
      return draft.add(path, found) ? undefined : noPlace(path);
    }
  }
}

function nothingAt(path: JsonPath): Fault {
  return { detail: `There is nothing at ${shown(path)}.`, code: "no_such_target" };
}

function noPlace(path: JsonPath): Fault {
  return { detail: `There is no place for a value at ${shown(path)}.`, code: "no_such_target" };
}

function shown(path: JsonPath): string {
  const text = pointer(path).slice(1);
  return JSON.stringify(
    text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text,
  );
}

/** The JSON text of a value, if that stays within the limits. */
function jsonWithin(limits: JsonPatchLimits, value: Json, bytesLeft = limits.maxBytes): string {
  const { maxBytes, maxDepth = 64 } = limits;
  // JSON.stringify recurses, so that the depth has to be known before.
  if (nestsDeeperThan(maxDepth, value)) {
    throw tooLarge(`The result of the patch nests deeper than ${maxDepth} levels.`);
  }
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > bytesLeft) {
    throw tooLarge(`The result of the patch, or all that it copies, exceeds ${maxBytes} bytes.`);
  }
  return text;
}

function nestsDeeperThan(maxDepth: number, root: Json): boolean {
  let level = [root].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maxDepth) {
      return true;
    }
    level = level.flatMap((container) => Object.values<Json>(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: Json): value is Json & object {
  return typeof value === "object" && value !== null;
}

function tooLarge(detail: string): Problem {
  return new Problem("content-too-large", { detail });
}

import { isJsonObject, type Json, type JsonObject, pointer } from "../kernel/json.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { type Fault, Problem } from "../kernel/problems.ts";
import { type JsonPath, parsePointer } from "./json-pointer.ts";

/** An operation of a JSON Patch (RFC 6902 section 4), with its pointers taken apart. */
export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: JsonPath; readonly value: Json }
  | { readonly op: "remove"; readonly path: JsonPath }
  | { readonly op: "move" | "copy"; readonly path: JsonPath; readonly from: JsonPath };

export type JsonPatch = readonly PatchOperation[];

const OPS = ["add", "remove", "replace", "move", "copy", "test"] as const;
const MAX_FAULTS = 50;

/**
 * Reads a JSON Patch document. Throws the problem `malformed-patch` with every fault of every
 * operation in `errors`, at most 50.
 */
export function parseJsonPatch(document: Json): JsonPatch {
  if (!Array.isArray(document)) {
    const detail = "A JSON Patch is an array of operations, also when it has only one.";
    throw new Problem("malformed-patch", {
      errors: [{ pointer: "#", detail, code: "invalid_type" }],
    });
  }
  const faults: Fault[] = [];
  const operations: PatchOperation[] = [];
  for (const [index, operation] of document.entries()) {
    const parsed = parseOperation(operation, (detail, code, ...member) =>
      faults.push({ pointer: pointer([index, ...member]), detail, code }),
    );
    if (parsed !== undefined) {
      operations.push(parsed);
    }
    if (faults.length >= MAX_FAULTS) {
      break;
    }
  }
  if (faults.length > 0) {
    throw new Problem("malformed-patch", { errors: faults.slice(0, MAX_FAULTS) });
  }
  return operations;
}

/** Notes a fault of an operation, or of one of its members. */
type Note = (detail: string, code: string, ...member: string[]) => void;

function parseOperation(operation: Json, note: Note): PatchOperation | undefined {
  if (!isJsonObject(operation)) {
    note("An operation is an object.", "invalid_type");
    return undefined;
  }
  const op = parseOp(operation, note);
  const path = parsePath(operation, "path", note);
  switch (op) {
    case "add":
    case "replace":
    case "test": {
      const value = Object.hasOwn(operation, "value") ? operation.value : undefined;
      if (value === undefined) {
        note(`The operation ${op} needs a value, which may be null.`, "required", "value");
      }
      return path === undefined || value === undefined ? undefined : { op, path, value };
    }
    case "move":
    case "copy": {
      const from = parsePath(operation, "from", note);
      if (path === undefined || from === undefined) {
        return undefined;
      }
      if (op === "move" && from.length < path.length && from.every((step, i) => step === path[i])) {
        note("A value can't be moved into itself.", "moved_into_itself", "path");
      }
      return { op, path, from };
    }
    case "remove":
      if (path?.length === 0) {
        note("The whole document can't be removed by a patch.", "root_removed", "path");
      }
      return path === undefined ? undefined : { op, path };
    default:
      return undefined;
  }
}

function parseOp(operation: JsonObject, note: Note): PatchOperation["op"] | undefined {
  const given = Object.hasOwn(operation, "op") ? operation.op : undefined;
  const op = OPS.find((known) => known === given);
  if (given === undefined) {
    note(`An operation needs an op: one of ${OPS.join(", ")}.`, "required", "op");
  } else if (op === undefined) {
    const hint = typeof given === "string" ? didYouMean(given, OPS) : "";
    note(`The op is one of ${OPS.join(", ")}.${hint}`, "unknown_op", "op");
  }
  return op;
}

function parsePath(operation: JsonObject, name: "path" | "from", note: Note): JsonPath | undefined {
  const text = Object.hasOwn(operation, name) ? operation[name] : undefined;
  if (text === undefined) {
    note(`The operation needs a ${name}.`, "required", name);
    return undefined;
  }
  const path = typeof text === "string" ? parsePointer(text) : undefined;
  if (path === undefined) {
    const detail = `The ${name} is a JSON Pointer (RFC 6901): "" or "/name/0", with ~0 for ~ and ~1 for /.`;
    note(detail, "malformed_pointer", name);
  } else if (path.includes("__proto__")) {
    // parseJson refuses the name, so that a patch must not bring it in either.
    note("The name __proto__ is not accepted.", "forbidden_name", name);
  }
  return path;
}

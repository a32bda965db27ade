import { isJsonObject } from "../../kernel/json.ts";
import { type DeclarationFault, readSchema, resourcesOf, type VerifyRule } from "./fault.ts";

/** An example in the documentation that the server itself refuses is worse than none. */
export const examplesAreValid: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource }): DeclarationFault[] => {
    const { example, set, readOnly, hidden } = resource.config;
    const schemas = readSchema(resource);
    if (example === undefined || schemas === undefined) return [];
    const given = new Set([
      ...Object.keys((set ?? {}) as object),
      ...((readOnly ?? []) as string[]),
      ...((hidden ?? []) as string[]),
    ]);
    const fields = schemas.output.properties ?? {};
    const strange: DeclarationFault[] = isJsonObject(example)
      ? Object.keys(example)
          .filter((name) => !Object.hasOwn(fields, name) || given.has(name))
          .map((name) => ({
            where: `${key}.example.${name}`,
            fault: "is not a field that clients write.",
            mend: "Leave it out of the example.",
          }))
      : [];
    const result = schemas.schema["~standard"].validate(example);
    if (result instanceof Promise || result.issues === undefined) return strange;
    const issues = result.issues
      .map((issue) => ({
        path: (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)),
        message: issue.message,
      }))
      .filter(({ path }) => !given.has(path[0] ?? ""))
      .map(({ path, message }) => ({
        where: `${key}.example${path.map((step) => `.${step}`).join("")}`,
        fault: `does not fit the schema: ${message}.`,
        mend: "Mend the example.",
      }));
    return [...strange, ...issues];
  });

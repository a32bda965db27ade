import { type DeclarationFault, readSchema, resourcesOf, type VerifyRule } from "./fault.ts";

/** A field that clients can't write, and that the schema requires, needs somebody to fill it. */
export const fieldsAreFilled: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource }): DeclarationFault[] => {
    const { config } = resource;
    const input = readSchema(resource)?.input;
    if (input === undefined) return [];
    const set = new Set(Object.keys((config.set ?? {}) as object));
    return (["readOnly", "hidden"] as const).flatMap((option) =>
      (Array.isArray(config[option]) ? (config[option] as string[]) : [])
        .filter((name) => input.required?.includes(name) && !set.has(name))
        .map((name) => ({
          where: `${key}.${option}`,
          fault: `"${name}" is required by the schema, and nobody gives it a value.`,
          mend: `Add set: { ${name}: … }, or make it optional, or give it a default.`,
        })),
    );
  });

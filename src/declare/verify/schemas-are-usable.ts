import { isStandardSchema, jsonSchemaOf } from "../standard-schema.ts";
import { type DeclarationFault, resourcesOf, type VerifyRule } from "./fault.ts";

/** Columns, validation and documents all come from the schema; so it must be one we can read. */
export const schemasAreUsable: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource: { config } }): DeclarationFault[] => {
    const where = `${key}.schema`;
    const { schema } = config;
    if (!isStandardSchema(schema)) {
      return [
        {
          where,
          fault: schema === undefined ? "is missing." : "is not a Standard Schema.",
          mend: "Write schema: z.object({ … }) with zod 4.2 or later, or a schema of arktype.",
        },
      ];
    }
    if (typeof schema["~standard"].jsonSchema?.output !== "function") {
      return [
        {
          where,
          fault: `the library "${schema["~standard"].vendor}" does not give JSON Schema for it.`,
          mend: "Take a version with Standard JSON Schema: zod 4.2, arktype 2.1.28 or later.",
        },
      ];
    }
    try {
      jsonSchemaOf(schema, "input");
      const output = jsonSchemaOf(schema, "output");
      if (output.type === "object" && output.properties !== undefined) return [];
      return [
        {
          where,
          fault: "is not the schema of an object with named fields.",
          mend: "Write z.object({ … }).",
        },
      ];
    } catch (error) {
      return [
        {
          where,
          fault: `has no JSON Schema (${(error as Error).message}).`,
          mend: "A stored field must be JSON: z.iso.datetime() for a date, .overwrite() or .pipe(z.…) behind a transformation.",
        },
      ];
    }
  });

import { kindOf } from "../fields.ts";
import { type DeclarationFault, readSchema, resourcesOf, type VerifyRule } from "./fault.ts";

/**
 * PATCH and PUT send back what GET showed. A field that is written as one JSON type and stored
 * as another would fail there, so it is refused here.
 */
export const fieldsReadAsTheyAreWritten: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource }): DeclarationFault[] => {
    const schemas = readSchema(resource);
    if (schemas === undefined) return [];
    const { input, output } = schemas;
    return Object.entries(output.properties ?? {}).flatMap(([name, schema]) => {
      const written = input.properties?.[name];
      if (written === undefined) return [];
      // A schema without a type takes anything, what it gives back included.
      const takesAnything = Object.keys(written).every(
        (keyword) => keyword === "default" || keyword === "description",
      );
      const from = kindOf(written, input).kind;
      const to = kindOf(schema, output).kind;
      if (takesAnything || from === to) return [];
      return [
        {
          where: `${key}.schema.${name}`,
          fault: `is written as ${from} and stored as ${to}.`,
          mend: "JSON says its types; take the stored type from clients, without coercion.",
        },
      ];
    });
  });

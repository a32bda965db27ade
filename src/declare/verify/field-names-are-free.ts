import { plain } from "../dialect.ts";
import { isDialect } from "./api-options-are-usable.ts";
import {
  type DeclarationFault,
  fieldNamesOf,
  quoted,
  resourcesOf,
  type VerifyRule,
} from "./fault.ts";

/** A field is a column, and the framework has some of its own in every table. */
export const fieldNamesAreFree: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource }): DeclarationFault[] => {
    const parents = Object.keys((resource.config.parent ?? {}) as object).map(
      (name) => `${name}Id`,
    );
    const stamps = resource.config.timestamps === true ? ["createdAt", "updatedAt"] : [];
    const own = ["id", ...parents, ...stamps];
    const names = fieldNamesOf(resource);
    const faults: DeclarationFault[] = [];
    const columns = new Map<string, string>(own.map((name) => [name.toLowerCase(), name]));
    // One that can't be used is another rule's to tell.
    const wireName = (isDialect(api.options.dialect) ? api.options.dialect! : plain).fieldName;
    const onTheWire = new Map<string, string>(own.map((name) => [wireName(name), name]));
    for (const name of names) {
      const where = `${key}.schema.${name}`;
      if (!/^[A-Za-z][A-Za-z0-9_]{0,59}$/.test(name)) {
        faults.push({
          where,
          fault: "can't be a column.",
          mend: "Names of fields are letters, digits and _, begin with a letter and have at most 60 of them.",
        });
        continue;
      }
      // Columns are compared without regard to case (SQLite), so fields must differ in more.
      const other = columns.get(name.toLowerCase());
      if (other !== undefined) {
        faults.push({
          where,
          fault: own.includes(other)
            ? `"${other}" is given by the server.`
            : `differs from "${other}" only in case.`,
          mend: `Rename the field; ${quoted(own)} are the server's.`,
        });
      }
      columns.set(name.toLowerCase(), name);
      const twin = onTheWire.get(wireName(name));
      if (twin !== undefined && twin !== other) {
        faults.push({
          where,
          fault: `the dialect calls it "${wireName(name)}", as it does "${twin}".`,
          mend: "Rename one of them, or make the dialect's fieldName one to one.",
        });
      }
      onTheWire.set(wireName(name), name);
    }
    return faults;
  });

import { didYouMean } from "../../kernel/nearest.ts";
import { plain } from "../dialect.ts";
import { kindOf } from "../fields.ts";
import { isDialect } from "./api-options-are-usable.ts";
import {
  type DeclarationFault,
  quoted,
  readSchema,
  resourcesOf,
  type VerifyRule,
} from "./fault.ts";

const LIST_PARAMETERS = ["limit", "sort", "cursor"];

/** Every option that names fields names fields that exist, and that it makes sense for. */
export const fieldListsNameFields: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource }) => {
    const { config } = resource;
    const output = readSchema(resource)?.output;
    if (output === undefined) return [];
    const faults: DeclarationFault[] = [];
    const fields = Object.keys(output.properties ?? {});
    const parents = Object.keys((config.parent ?? {}) as object).map((name) => `${name}Id`);
    const stamps = config.timestamps === true ? ["createdAt", "updatedAt"] : [];

    const check = (option: string, given: unknown, known: readonly string[]): string[] => {
      if (given === undefined) return [];
      const where = `${key}.${option}`;
      if (!Array.isArray(given)) {
        faults.push({
          where,
          fault: "is not an array of fields.",
          mend: `Write ${option}: ["${fields[0]}"].`,
        });
        return [];
      }
      const groups = given.map((entry) => (Array.isArray(entry) ? (entry as unknown[]) : [entry]));
      if (groups.some((group) => group.length === 0)) {
        faults.push({
          where,
          fault: "has a group without a field.",
          mend: "Name its fields, or remove it.",
        });
      }
      const names = groups.flat();
      for (const name of names) {
        if (typeof name === "string" && known.includes(name)) continue;
        faults.push({
          where,
          fault: `${JSON.stringify(name)} is not a field.${didYouMean(String(name), known)}`,
          mend: `The fields are ${quoted(known)}.`,
        });
      }
      // A field may be unique alone and in groups, but no group twice, and no field twice in one.
      const keys = groups.map((group) => JSON.stringify([...group].sort()));
      if (
        new Set(keys).size < keys.length ||
        groups.some((group) => new Set(group).size < group.length)
      ) {
        faults.push({ where, fault: "names a field twice.", mend: "Name it once." });
      }
      return names.filter((name): name is string => known.includes(name as string));
    };

    const readOnly = check("readOnly", config.readOnly, fields);
    const writeOnly = check("writeOnly", config.writeOnly, fields);
    const hidden = check("hidden", config.hidden, fields);
    const unique = check("unique", config.unique, [...fields, ...parents]);
    const list = (config.list ?? {}) as { filter?: unknown; sort?: unknown };
    const filter = check("list.filter", list.filter, [...fields, ...stamps]);
    const sort = check("list.sort", list.sort, [...fields, ...stamps]);
    const set = Object.keys((config.set ?? {}) as object);
    check("set", config.set === undefined ? undefined : set, fields);

    const contradiction = (
      option: string,
      names: readonly string[],
      other: string,
      others: readonly string[],
    ) => {
      for (const name of names.filter((each) => others.includes(each))) {
        faults.push({
          where: `${key}.${option}`,
          fault: `"${name}" is in ${other} too.`,
          mend: `hidden means neither shown nor written; readOnly and set mean not written; writeOnly means not shown. Keep one.`,
        });
      }
    };
    contradiction("writeOnly", writeOnly, "readOnly", readOnly);
    contradiction("writeOnly", writeOnly, "hidden", hidden);
    contradiction("writeOnly", writeOnly, "set", set);
    contradiction("readOnly", readOnly, "hidden", hidden);

    const wireName = (isDialect(api.options.dialect) ? api.options.dialect! : plain).fieldName;
    for (const name of filter.filter((each) => LIST_PARAMETERS.includes(wireName(each)))) {
      faults.push({
        where: `${key}.list.filter`,
        fault: `"${name}" is a parameter of every list.`,
        mend: "Rename the field, or leave it out of the filters.",
      });
    }

    // What a client may not see, it must not be able to find out by searching or sorting.
    contradiction("list.filter", filter, "hidden or writeOnly", [...hidden, ...writeOnly]);
    contradiction("list.sort", sort, "hidden or writeOnly", [...hidden, ...writeOnly]);

    for (const [option, names] of [
      ["unique", unique],
      ["list.filter", filter],
      ["list.sort", sort],
    ] as const) {
      for (const name of names) {
        const schema = output.properties?.[name];
        if (schema === undefined || kindOf(schema, output).kind !== "json") continue;
        faults.push({
          where: `${key}.${option}`,
          fault: `"${name}" is an object, an array or of several types.`,
          mend: "Such a field has no order to compare by: move the value into a field of its own.",
        });
      }
    }
    return faults;
  });

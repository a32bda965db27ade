import { didYouMean } from "../../kernel/nearest.ts";
import { kindOf } from "../fields.ts";
import {
  type DeclarationFault,
  quoted,
  readSchema,
  resourcesOf,
  type VerifyRule,
} from "./fault.ts";

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
      const names = given.flat() as unknown[];
      for (const name of names) {
        if (typeof name === "string" && known.includes(name)) continue;
        faults.push({
          where,
          fault: `${JSON.stringify(name)} is not a field.${didYouMean(String(name), known)}`,
          mend: `The fields are ${quoted(known)}.`,
        });
      }
      if (new Set(names).size < names.length && option !== "unique") {
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

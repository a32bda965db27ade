import { type DeclarationFault, isResource, resourcesOf, type VerifyRule } from "./fault.ts";

/** A child lives under its parent's path, so the parent must be one resource of the same API. */
export const parentsAreServed: VerifyRule = (api) => {
  const served = new Set<unknown>(Object.values(api.declarations));
  return resourcesOf(api).flatMap(({ key, resource: { config } }): DeclarationFault[] => {
    if (config.parent === undefined) return [];
    const where = `${key}.parent`;
    const parents = Object.entries((config.parent ?? {}) as object);
    if (parents.length !== 1) {
      return [
        {
          where,
          fault: `names ${parents.length} resources.`,
          mend: "Name one: parent: { post: posts }.",
        },
      ];
    }
    const [name, parent] = parents[0]!;
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) {
      return [
        {
          where: `${where}.${name}`,
          fault: `"${name}Id" can't be a field.`,
          mend: "Name the parent in the singular, in camel case: parent: { post: posts }.",
        },
      ];
    }
    if (!isResource(parent)) {
      return [
        {
          where: `${where}.${name}`,
          fault: "is not a resource.",
          mend: "Write parent: { post: posts }.",
        },
      ];
    }
    if (!served.has(parent)) {
      return [
        {
          where: `${where}.${name}`,
          fault: `the resource "${parent.name}" is not part of the API.`,
          mend: "Put the parent into api({ … }) too.",
        },
      ];
    }
    return [];
  });
};

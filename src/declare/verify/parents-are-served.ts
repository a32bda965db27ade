import type { AnyResource } from "../resource.ts";
import { type DeclarationFault, isResource, resourcesOf, type VerifyRule } from "./fault.ts";

/** The parent of a resource, and the name that it has there. */
function ancestorOf({ config }: AnyResource): { name: string; parent: AnyResource } | undefined {
  const [[name, parent] = []] = Object.entries((config.parent ?? {}) as object);
  return name !== undefined && isResource(parent) ? { name, parent } : undefined;
}

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
    for (let above = ancestorOf(parent); above !== undefined; above = ancestorOf(above.parent)) {
      if (above.name !== name) continue;
      return [
        {
          where: `${where}.${name}`,
          fault: `the path has "${name}Id" already, further up.`,
          mend: "Give this parent another name; the path needs the ids of both.",
        },
      ];
    }
    return [];
  });
};

import { type DeclarationFault, resourcesOf, type VerifyRule } from "./fault.ts";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** Paths that the framework itself serves beside the resources. */
const RESERVED = new Set(["docs", "health", "problems", "jobs", "idempotency", "openapi"]);

/** Every resource has a path and a table of its own. */
export const resourceNamesAreFree: VerifyRule = (api) => {
  const owners = new Map<string, string>();
  return resourcesOf(api).flatMap(({ key, resource: { name } }): DeclarationFault[] => {
    if (!NAME.test(name)) {
      return [
        {
          where: key,
          fault: `the name ${JSON.stringify(name)} can't be a path and a table.`,
          mend: 'Write it in lower case, words joined by "-": resource("order-items", …).',
        },
      ];
    }
    if (RESERVED.has(name) || name.startsWith("sqlite") || name.startsWith("posthaste")) {
      return [
        {
          where: key,
          fault: `the name "${name}" is the framework's own.`,
          mend: "Choose another.",
        },
      ];
    }
    const owner = owners.get(name);
    owners.set(name, key);
    if (owner === undefined) return [];
    return [
      {
        where: key,
        fault: `"${name}" is the name of ${owner} already.`,
        mend: "Give one of them another name: resource(NAME, …).",
      },
    ];
  });
};

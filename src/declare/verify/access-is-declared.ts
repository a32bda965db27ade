import { isAccessRule } from "../access.ts";
import { actionsOf, type DeclarationFault, resourcesOf, type VerifyRule } from "./fault.ts";

const questions = {
  create: "who may create one?",
  read: "who may read one, and the list?",
  update: "who may change one?",
  delete: "who may delete one?",
};

/** No operation without a word on who may call it: an open door must have been written down. */
export const accessIsDeclared: VerifyRule = (api) => [
  ...actionsOf(api).flatMap(({ key, action }): DeclarationFault[] => {
    if (isAccessRule(action.config.access)) return [];
    const missing = action.config.access === undefined;
    return [
      {
        where: `${key}.access`,
        fault: missing ? "is missing: who may do this?" : "is not an access rule.",
        mend: "Add access: … with anyone, signedIn, nobody, or (principal) => boolean.",
      },
    ];
  }),
  ...resourcesOf(api).flatMap(({ key, resource }): DeclarationFault[] => {
    const access = (resource.config.access ?? {}) as Record<string, unknown>;
    return Object.entries(questions).flatMap(([operation, question]) => {
      const where = `${key}.access.${operation}`;
      const mend = `Add access: { ${operation}: … } with anyone, signedIn, nobody, or (principal) => boolean.`;
      if (access[operation] === undefined)
        return [{ where, fault: `is missing: ${question}`, mend }];
      if (isAccessRule(access[operation])) return [];
      return [{ where, fault: "is not an access rule.", mend }];
    });
  }),
];

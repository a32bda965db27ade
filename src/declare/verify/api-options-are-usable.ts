import type { ApiOptions } from "../api.ts";
import { plain } from "../dialect.ts";
import type { DeclarationFault, VerifyRule } from "./fault.ts";

/** The whole form of an address is judged where mail is opened; here, that there is one. */
function mailFaults(mail: unknown): DeclarationFault[] {
  if (mail === undefined) return [];
  const where = "the options of api().mail";
  const { from, ...others } = (mail ?? {}) as Record<string, unknown>;
  const [other] = Object.keys(others);
  const fault =
    other !== undefined
      ? `has no "${other}".`
      : typeof from === "string" && from.includes("@")
        ? undefined
        : "names no sender.";
  const mend = 'Write mail: { from: "Shop <shop@example.com>" }.';
  return fault === undefined ? [] : [{ where, fault, mend }];
}

/** What stands around the resources is of the shape that its types promise. */
export const apiOptionsAreUsable: VerifyRule = ({ options }) => [
  ...texts(options),
  ...mailFaults(options.mail),
  ...(options.dialect === undefined || isDialect(options.dialect)
    ? []
    : [
        {
          where: "the options of api().dialect",
          fault: "is not a whole dialect.",
          mend: "Write { ...plain, … } with what differs.",
        },
      ]),
  ...schemes(options.authenticate),
];

function texts(options: ApiOptions): DeclarationFault[] {
  return (["title", "version", "description"] as const)
    .filter((name) => options[name] !== undefined && typeof options[name] !== "string")
    .map((name) => ({
      where: `the options of api().${name}`,
      fault: "is not a string.",
      mend: "Write a string, or leave it out for the default.",
    }));
}

/** Whether every member of `plain` is there, of the same type. */
export function isDialect(value: unknown, like: object = plain): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(like).every(([name, member]) => {
    const own = (value as Record<string, unknown>)[name];
    return typeof member === "object" ? isDialect(own, member) : typeof own === typeof member;
  });
}

function schemes(given: unknown): DeclarationFault[] {
  const where = "the options of api().authenticate";
  const mend = "Write authenticate: [{ name, challenge, openapi, authenticate }].";
  if (given === undefined) return [];
  if (!Array.isArray(given)) return [{ where, fault: "is not an array of schemes.", mend }];
  const names = new Set<unknown>();
  return given.flatMap((scheme: unknown, index): DeclarationFault[] => {
    const { name, challenge, openapi, authenticate } = (scheme ?? {}) as Record<string, unknown>;
    const usable =
      typeof name === "string" &&
      typeof challenge === "string" &&
      typeof openapi === "object" &&
      typeof authenticate === "function";
    if (!usable) return [{ where: `${where}[${index}]`, fault: "is not a scheme.", mend }];
    if (names.has(name)) {
      return [
        {
          where: `${where}[${index}].name`,
          fault: `"${name}" is the name of another scheme already.`,
          mend: "Give each scheme a name of its own.",
        },
      ];
    }
    names.add(name);
    return [];
  });
}

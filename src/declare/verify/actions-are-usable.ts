import type { AnyAction } from "../action.ts";
import type { Api } from "../api.ts";
import { isStandardSchema, jsonSchemaOf } from "../standard-schema.ts";
import {
  actionsOf,
  type DeclarationFault,
  isJob,
  isResource,
  resourcesOf,
  type VerifyRule,
} from "./fault.ts";
import { idempotencyValues, isFunction, type Option, oneOf, outOfRange, whole } from "./range.ts";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const PATH = /^(?:\/(?:[A-Za-z0-9._~-]+|\{[a-z][A-Za-z0-9]*\}))+$/;
/** First segments of paths that the framework itself serves. */
const RESERVED = new Set(["jobs", "idempotency", "docs", "problems", "health"]);

/** An action has a path of its own, and all that its answer needs. */
export const actionsAreUsable: VerifyRule = (api) => {
  const owners = pathsOfResources(api);
  return actionsOf(api).flatMap(({ key, action }): DeclarationFault[] => {
    const { name, config } = action;
    const faults: DeclarationFault[] = [];
    const fault = (at: string, what: string, mend: string) =>
      faults.push({ where: at === "" ? key : `${key}.${at}`, fault: what, mend });
    if (!NAME.test(name))
      fault(
        "",
        `the name ${JSON.stringify(name)} can't be a path.`,
        'Write it in lower case, words joined by "-": action("send-again", …).',
      );
    if (!isFunction(config.run))
      fault("run", "is not a function.", "Write run: ({ input, tx }) => { … }.");
    if (config.starts !== undefined && !isJob(config.starts))
      fault(
        "starts",
        "is not a job or a workflow.",
        "Write starts: with what job() or workflow() gave.",
      );
    faults.push(
      ...schemaFaults(key, "input", config.input),
      ...schemaFaults(key, "output", config.output),
    );
    faults.push(
      ...outOfRange(key, optionsOf(config)),
      ...answerFaults(key, config),
      ...exampleFaults(key, config),
    );
    if (!NAME.test(name)) return faults;
    faults.push(...placeFaults(key, action, api));
    const path = shapeOf(pathOf(action));
    const owner = owners.get(path);
    owners.set(path, key);
    if (owner !== undefined)
      fault(
        "path",
        `a POST to ${pathOf(action)} is ${owner}'s already.`,
        "Give the action another path or name.",
      );
    return faults;
  });
};

function optionsOf(config: AnyAction["config"]): Option[] {
  return [
    {
      name: "status",
      value: config.status,
      allowed: oneOf(200, 201, 204),
      expected: "200, 201 or 204",
    },
    {
      name: "maxBodyBytes",
      value: config.maxBodyBytes,
      allowed: whole(1, 1_073_741_824),
      expected: "a whole number of bytes from 1 to 1,073,741,824",
    },
    { name: "location", value: config.location, allowed: isFunction, expected: "a function" },
    {
      name: "description",
      value: config.description,
      allowed: (value) => typeof value === "string",
      expected: "a string",
    },
    ...idempotencyValues("idempotency", config.idempotency),
  ];
}

function answerFaults(key: string, config: AnyAction["config"]): DeclarationFault[] {
  const { starts, output, status, location } = config;
  const faults: DeclarationFault[] = [];
  if (starts !== undefined) {
    for (const option of ["output", "status", "location"] as const) {
      if (config[option] === undefined) continue;
      faults.push({
        where: `${key}.${option}`,
        fault: "has no meaning where a job is started: the answer is 202 and its monitor.",
        mend: `Leave ${option} out.`,
      });
    }
    return faults;
  }
  if (output === undefined && (status === 200 || location !== undefined)) {
    faults.push({
      where: `${key}.output`,
      fault: "is missing: an answer with a body needs a schema.",
      mend: "Add output: z.object({ … }), or leave status and location out.",
    });
  }
  if (output !== undefined && status === 204) {
    faults.push({
      where: `${key}.status`,
      fault: "204 has no body, and there is an output.",
      mend: "Leave one of the two out.",
    });
  }
  if (status === 201 && location === undefined) {
    faults.push({
      where: `${key}.location`,
      fault: "is missing: a 201 says where that is which was made.",
      mend: "Add location: (output) => and the path of what was made.",
    });
  }
  return faults;
}

function schemaFaults(
  key: string,
  option: "input" | "output",
  schema: unknown,
): DeclarationFault[] {
  if (schema === undefined) return [];
  const where = `${key}.${option}`;
  const mend = `Write ${option}: z.object({ … }) with zod 4.2 or later, or a schema of arktype.`;
  if (!isStandardSchema(schema)) return [{ where, fault: "is not a Standard Schema.", mend }];
  try {
    jsonSchemaOf(schema, option);
    return [];
  } catch (error) {
    return [{ where, fault: `has no JSON Schema (${(error as Error).message}).`, mend }];
  }
}

function exampleFaults(key: string, { example, input }: AnyAction["config"]): DeclarationFault[] {
  if (example === undefined) return [];
  const where = `${key}.example`;
  if (!isStandardSchema(input))
    return [
      {
        where,
        fault: "is of a body, and the action takes none.",
        mend: "Leave it out, or add input.",
      },
    ];
  const result = input["~standard"].validate(example);
  if (result instanceof Promise || result.issues === undefined) return [];
  return result.issues.map(({ message }) => ({
    where,
    fault: `does not fit the schema: ${message}.`,
    mend: "Mend the example.",
  }));
}

function placeFaults(key: string, action: AnyAction, api: Api): DeclarationFault[] {
  const { on, path } = action.config;
  const served = new Set<unknown>(Object.values(api.declarations));
  if (on !== undefined && !isResource(on))
    return [
      {
        where: `${key}.on`,
        fault: "is not a resource.",
        mend: "Write on: orders, with what resource() gave.",
      },
    ];
  if (on !== undefined && !served.has(on))
    return [
      {
        where: `${key}.on`,
        fault: `the resource "${on.name}" is not part of the API.`,
        mend: "Put it into api({ … }) too.",
      },
    ];
  if (path !== undefined && (typeof path !== "string" || !PATH.test(path))) {
    return [
      {
        where: `${key}.path`,
        fault: "is not the template of a path.",
        mend: 'Write it as path: "/orders/{orderId}/payments".',
      },
    ];
  }
  const first = pathOf(action).split("/")[1] ?? "";
  if (RESERVED.has(first))
    return [
      { where: `${key}.path`, fault: `/${first} is the framework's own.`, mend: "Choose another." },
    ];
  if (on !== undefined && path !== undefined && !`${path}/`.startsWith(`${recordPathOf(on)}/`)) {
    return [
      {
        where: `${key}.path`,
        fault: `is not below ${recordPathOf(on)}, the record that the action is on.`,
        mend: `Write path: "${recordPathOf(on)}/…", or leave it out.`,
      },
    ];
  }
  return [];
}

function pathOf({ name, config: { on, path } }: AnyAction): string {
  if (typeof path === "string") return path;
  return `${isResource(on) ? recordPathOf(on) : ""}/${name}`;
}

type Named = { readonly name: string; readonly config: { readonly parent?: unknown } };

function recordPathOf(resource: Named): string {
  return `${collectionPathOf(resource)}/{id}`;
}

function collectionPathOf({ name, config }: Named): string {
  const [[parentName, parent] = []] = Object.entries((config.parent ?? {}) as object);
  if (parentName === undefined || !isResource(parent)) return `/${name}`;
  return `${collectionPathOf(parent)}/{${parentName}Id}/${name}`;
}

/** Two templates that differ in the names of their parameters alone are one path. */
function shapeOf(path: string): string {
  return path.replaceAll(/\{\w+\}/g, "{}");
}

function pathsOfResources(api: Api): Map<string, string> {
  return new Map(
    resourcesOf(api).map(({ key, resource }) => [shapeOf(collectionPathOf(resource)), key]),
  );
}

import type { ActionModel } from "../declare/action-model.ts";
import type { ActionOperation } from "../declare/operation.ts";
import type { OpenApiComponents } from "./openapi-components.ts";
import { jobSchema, type OperationText, retryAfter } from "./openapi-own-operations.ts";
import { keyParameter, recordParameters } from "./openapi-parameters.ts";

type Part = Readonly<Record<string, unknown>>;

/** What the document says of an action. */
export function actionText(
  operation: ActionOperation,
  components: OpenApiComponents,
): OperationText {
  const { action } = operation;
  const { name, on, input, example } = action;
  const words = name.replaceAll("-", " ");
  const summary = words[0]!.toUpperCase() + words.slice(1);
  const tag = on?.name ?? "actions";
  return {
    tag: { name: tag, description: "What can be done beside reading and writing records." },
    summary: on === undefined ? summary : `${summary}, for one of the ${on.name}`,
    description: action.description ?? `${summary}.`,
    parameters: [
      ...(on === undefined ? [] : recordParameters(on)),
      ...otherParameters(action),
      ...keyParameter(operation),
      ...(action.starts === undefined ? [] : [prefer]),
    ],
    ...(input === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: components.named(`${operation.id} input`, () => input.json),
                ...(example === undefined ? {} : { example }),
              },
            },
          },
        }),
    responses: successOf(operation, components),
  };
}

const prefer = {
  name: "Prefer",
  in: "header",
  description:
    "`wait=N` to wait up to N seconds for the result; `respond-async` not to (RFC 7240).",
  schema: { type: "string" },
};

function otherParameters({ on, path }: ActionModel): Part[] {
  const known = new Set(on === undefined ? [] : recordParameters(on).map(({ name }) => name));
  return [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name!)
    .filter((name) => !known.has(name))
    .map((name) => ({
      name,
      in: "path",
      required: true,
      description: `The ${name} that the path names.`,
      schema: { type: "string" },
    }));
}

function successOf({ id, action }: ActionOperation, components: OpenApiComponents): Part {
  const { status, output, location } = action;
  if (status === 202) {
    const schema = jobSchema(components);
    return {
      200: {
        description: "What came of it, where the client waited for that (`Prefer: wait=N`).",
        content: { "application/json": { schema } },
      },
      202: {
        description: "Accepted. The job at `Location` tells how it goes on.",
        headers: { ...locationOf("Path of the job."), ...retryAfter },
        content: { "application/json": { schema } },
      },
    };
  }
  return {
    [status]: {
      description: status === 201 ? "It was made." : "It is done.",
      ...(location === undefined ? {} : { headers: locationOf("Path of what was made.") }),
      ...(output === undefined
        ? {}
        : {
            content: {
              [components.dialect.mediaType]: {
                schema: components.named(`${id} output`, () => output.json),
              },
            },
          }),
    },
  };
}

function locationOf(description: string): Part {
  return { Location: { description, schema: { type: "string", format: "uri-reference" } } };
}

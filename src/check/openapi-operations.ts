import { isJsonObject, type Json, type JsonObject } from "../kernel/json.ts";
import { exampleBody, invalidBody, NoExample } from "./example.ts";
import { freshMembers, textMember } from "./fresh.ts";
import { DEFAULT_KEY_HEADER, type KeyClaim, type ListClaim, type Operation } from "./operation.ts";
import { References, type Schema } from "./schema.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

export interface FoundOperations {
  readonly operations: readonly Operation[];
  /** Those for which no request can be made up, with the reason. */
  readonly skipped: readonly SkippedOperation[];
}

export interface SkippedOperation {
  readonly name: string;
  readonly reason: string;
}

/** Every POST of an OpenAPI document that takes a JSON object. */
export function operationsOf(document: JsonObject): FoundOperations {
  const references = new References(document);
  const paths = references.follow(document.paths);
  const operations: Operation[] = [];
  const skipped: SkippedOperation[] = [];
  for (const path of Object.keys(paths)) {
    const item = references.follow(paths[path]);
    if (!isJsonObject(item.post)) continue;
    try {
      operations.push(operationOf({ document, references, paths, path, item, post: item.post }));
    } catch (error) {
      if (!(error instanceof NoExample)) throw error;
      skipped.push({ name: `POST ${path}`, reason: error.message });
    }
  }
  return { operations, skipped };
}

interface Place {
  readonly document: JsonObject;
  readonly references: References;
  readonly paths: JsonObject;
  readonly path: string;
  readonly item: JsonObject;
  readonly post: JsonObject;
}

function operationOf(place: Place): Operation {
  const { references, path, item, post } = place;
  const content = references.follow(references.follow(post.requestBody).content);
  const mediaType = Object.keys(content).find((type) =>
    /^application\/([\w.-]+\+)?json$/.test(type),
  );
  if (mediaType === undefined) throw new NoExample("it takes no JSON");
  const media = references.follow(content[mediaType]);
  const schema = media.schema === undefined ? undefined : references.schema(media.schema);
  const example = exampleBody(media, references);
  const responses = references.follow(post.responses);
  const parameters = parametersOf(place);
  const record = recordItem(place);
  return {
    name: `POST ${path}`,
    path,
    pathValues: pathValuesOf(parameters, references),
    creates: responses["201"] !== undefined,
    mediaType,
    example,
    schema,
    fresh: freshMembers(example, schema, references),
    text: textMember(example, schema, references),
    invalid: invalidBody(example, schema, references),
    keys: keyClaimOf(parameters, post),
    problems: Object.values(responses).some((response) => {
      const { content } = references.follow(response);
      return isJsonObject(content) && content["application/problem+json"] !== undefined;
    }),
    methods: METHODS.filter((method) => item[method] !== undefined).map((m) => m.toUpperCase()),
    list: isJsonObject(item.get) ? listClaimOf(place, item.get) : undefined,
    readable: isJsonObject(record?.get),
    removable: isJsonObject(record?.delete),
    headers: [],
  };
}

/** Parameters of the operation and of its path. */
function parametersOf({ references, item, post }: Place, of: JsonObject = post): JsonObject[] {
  return [item.parameters, of.parameters]
    .filter(Array.isArray)
    .flat()
    .map((parameter: Json) => references.follow(parameter));
}

/** What the document has below this path for one record: `/users/{id}` for `/users`. */
function recordItem({ paths, path, references }: Place): JsonObject | undefined {
  const below = Object.keys(paths).find(
    (other) => other.startsWith(`${path}/`) && /^\{[^/]+\}$/.test(other.slice(path.length + 1)),
  );
  return below === undefined ? undefined : references.follow(paths[below]);
}

function pathValuesOf(
  parameters: readonly JsonObject[],
  references: References,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const parameter of parameters) {
    if (parameter.in !== "path" || typeof parameter.name !== "string") continue;
    const schema: Schema = references.schema(parameter.schema);
    const value = parameter.example ?? schema.example ?? schema.default;
    if (typeof value === "string" || typeof value === "number")
      values[parameter.name] = String(value);
  }
  return values;
}

function keyClaimOf(parameters: readonly JsonObject[], post: JsonObject): KeyClaim {
  const found = parameters.find(
    ({ in: place, name }) =>
      place === "header" && typeof name === "string" && /idempotency-?key$/i.test(name),
  );
  if (found === undefined)
    return { claim: "unknown", header: DEFAULT_KEY_HEADER, documentation: "" };
  const said = [found.description, post.description, post.summary];
  return {
    claim: found.required === true ? "required" : "accepted",
    header: String(found.name),
    documentation: said.filter((text) => typeof text === "string").join("\n"),
  };
}

const LIMIT_NAME = /^(limit|per_?page|page_?size|size|count|take|first)$/i;

function listClaimOf(place: Place, get: JsonObject): ListClaim {
  const parameters = parametersOf(place, get).filter(({ in: where }) => where === "query");
  const limit = parameters.find(({ name }) => typeof name === "string" && LIMIT_NAME.test(name));
  const maximum = place.references.schema(limit?.schema).maximum;
  return {
    path: place.path,
    parameters: parameters.map(({ name }) => String(name)),
    limit:
      limit === undefined
        ? undefined
        : { name: String(limit.name), maximum: typeof maximum === "number" ? maximum : 100 },
  };
}

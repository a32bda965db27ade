import type { AccessRule } from "./access.ts";
import type { ActionContext, AnyAction } from "./action.ts";
import { type Idempotency, type IdempotencyPolicy, idempotencyPolicy } from "./idempotency.ts";
import type { JobModel } from "./job.ts";
import { DEFAULT_MAX_BODY_BYTES, type ResourceModel } from "./model.ts";
import {
  closedLike,
  type JsonSchema,
  jsonSchemaOf,
  type StandardSchema,
} from "./standard-schema.ts";

/** An action in its normal form. */
export interface ActionModel {
  readonly name: string;
  /** The resource whose record it acts on. */
  readonly on: ResourceModel | undefined;
  readonly path: string;
  readonly input: SchemaModel | undefined;
  readonly output: SchemaModel | undefined;
  readonly status: 200 | 201 | 202 | 204;
  readonly location: ((output: unknown) => string) | undefined;
  readonly starts: JobModel | undefined;
  readonly run: (context: ActionContext<unknown, unknown>) => unknown;
  readonly access: AccessRule;
  readonly idempotency: IdempotencyPolicy;
  readonly maxBodyBytes: number;
  readonly description: string | undefined;
  readonly example: unknown;
}

/** A schema, and what it says of itself. */
export interface SchemaModel {
  readonly schema: StandardSchema;
  readonly json: JsonSchema;
}

/** Compiles a verified declaration. */
export function actionModelOf(
  { name, config }: AnyAction,
  on: ResourceModel | undefined,
  recordPath: string,
  starts: JobModel | undefined,
): ActionModel {
  const output = outputModel(config.output);
  return Object.freeze<ActionModel>({
    name,
    on,
    path: (config.path as string | undefined) ?? `${recordPath}/${name}`,
    input: inputModel(config.input),
    output,
    status: statusOf(config.status, starts, output),
    location: config.location as ActionModel["location"],
    starts,
    run: config.run as ActionModel["run"],
    access: config.access as AccessRule,
    idempotency: idempotencyPolicy(config.idempotency as Idempotency | undefined, "accepted"),
    maxBodyBytes: (config.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES) as number,
    description: config.description as string | undefined,
    example: config.example,
  });
}

function statusOf(
  declared: unknown,
  starts: JobModel | undefined,
  output: SchemaModel | undefined,
): ActionModel["status"] {
  if (starts !== undefined) return 202;
  return (declared as 200 | 201 | 204 | undefined) ?? (output === undefined ? 204 : 200);
}

function outputModel(schema: unknown): SchemaModel | undefined {
  if (schema === undefined) return undefined;
  const standard = schema as StandardSchema;
  return { schema: standard, json: jsonSchemaOf(standard, "output") };
}

/** Closed wherever a member that the schema does not know would be dropped without a word. */
function inputModel(schema: unknown): SchemaModel | undefined {
  if (schema === undefined) return undefined;
  const standard = schema as StandardSchema;
  const json = closedLike(jsonSchemaOf(standard, "input"), outputOf(standard));
  const closed = json.properties === undefined ? json : { additionalProperties: false, ...json };
  return { schema: standard, json: closed };
}

/** What transforms its input may have no schema of what comes of it. */
function outputOf(schema: StandardSchema): JsonSchema | undefined {
  try {
    return jsonSchemaOf(schema, "output");
  } catch {
    return undefined;
  }
}

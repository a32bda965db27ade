import type { JsonSchema, SchemaIssue, StandardSchema } from "../declare/standard-schema.ts";

/** An endpoint that wants to be told of events. */
export interface Endpoint {
  readonly url: string;
  readonly events: readonly string[];
  readonly description?: string | undefined;
  /** `undefined` while it is served. */
  readonly disabledBecause?: string | undefined;
  readonly secrets: readonly Secret[];
}

export interface Secret {
  readonly secret: string;
  /** Milliseconds since the Unix epoch, of one that was replaced. */
  readonly until?: number | undefined;
}

/** One attempt to tell an endpoint. */
export interface DeliveryRecord {
  readonly event: string;
  readonly type: string;
  readonly attempt: number;
  readonly outcome: string;
  readonly status?: number | undefined;
  readonly milliseconds: number;
  readonly detail: string;
}

/** A schema of ours, written by hand: the framework depends on no schema library. */
function schemaOf<T>(json: JsonSchema, judge: (value: Record<string, unknown>) => SchemaIssue[]) {
  const toJson = () => json as Record<string, unknown>;
  const schema: StandardSchema<T> = {
    "~standard": {
      version: 1,
      vendor: "posthaste",
      validate: (value) => {
        const issues = judge(value as Record<string, unknown>);
        return issues.length > 0 ? { issues } : { value: value as T };
      },
      jsonSchema: { input: toJson, output: toJson },
    },
  };
  return schema;
}

const MAX_URL_LENGTH = 2_048;

export function endpointSchema(types: readonly string[]): StandardSchema<Endpoint> {
  const json: JsonSchema = {
    type: "object",
    additionalProperties: false,
    required: ["url", "events", "secrets"],
    properties: {
      url: { type: "string", format: "uri", maxLength: MAX_URL_LENGTH },
      events: {
        type: "array",
        minItems: 1,
        uniqueItems: true,
        items: { type: "string", enum: [...types] },
      },
      description: { type: "string", maxLength: 200 },
      disabledBecause: { type: "string" },
      secrets: { type: "array", items: { type: "object" } },
    },
  };
  return schemaOf(json, ({ url, events, description }) => {
    const issues: SchemaIssue[] = [];
    const wrong = (path: (string | number)[], message: string) => issues.push({ path, message });
    if (typeof url !== "string") wrong(["url"], "must be a string");
    if (!Array.isArray(events) || events.length === 0) {
      wrong(["events"], "must name one event or more");
    } else {
      for (const [index, event] of events.entries()) {
        if (!types.includes(event)) wrong(["events", index], `must be one of ${types.join(", ")}`);
        else if (events.indexOf(event) !== index) wrong(["events", index], "is there twice");
      }
    }
    if (description !== undefined && (typeof description !== "string" || description.length > 200))
      wrong(["description"], "must be a string of at most 200 characters");
    return issues;
  });
}

export const deliverySchema: StandardSchema<DeliveryRecord> = schemaOf(
  {
    type: "object",
    additionalProperties: false,
    required: ["event", "type", "attempt", "outcome", "milliseconds", "detail"],
    properties: {
      event: { type: "string", description: "The `webhook-id`." },
      type: { type: "string" },
      attempt: { type: "integer" },
      outcome: { type: "string", enum: ["delivered", "retry", "gone", "refused"] },
      status: { type: "integer", description: "Of the receiver's answer, where there was one." },
      milliseconds: { type: "integer" },
      detail: { type: "string" },
    },
  },
  () => [],
);

/** What a delivery job is given. */
export interface DeliveryInput {
  readonly webhook: number;
  readonly event: string;
  readonly type: string;
  /** The payload as it is sent, at every attempt. */
  readonly body: string;
}

export const deliveryInputSchema: StandardSchema<DeliveryInput> = schemaOf(
  { type: "object" },
  () => [],
);

/** The cleaning is given nothing. */
export const cleaningInputSchema: StandardSchema<object> = schemaOf({ type: "object" }, () => []);

export const newSecretSchema: StandardSchema<{
  readonly secret: string;
  readonly oldUntil: string;
}> = schemaOf(
  {
    type: "object",
    required: ["secret", "oldUntil"],
    properties: {
      secret: { type: "string", description: "Shown this once." },
      oldUntil: {
        type: "string",
        format: "date-time",
        description: "Until then, what is sent is signed with the old one as well.",
      },
    },
  },
  () => [],
);

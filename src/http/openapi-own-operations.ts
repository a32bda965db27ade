import type { KeyOperation } from "../declare/operation.ts";

type Part = Readonly<Record<string, unknown>>;

/** What the document says of an operation that belongs to no resource. */
export interface OwnOperation {
  readonly tag: { readonly name: string; readonly description: string };
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Part[];
  readonly responses: Part;
}

const idempotency = {
  name: "idempotency",
  description: "What became of requests that carried an Idempotency-Key.",
};

export function ownOperationOf(operation: KeyOperation): OwnOperation {
  return own[operation.kind];
}

const timestamp = { type: "string", format: "date-time" };

const own: Record<KeyOperation["kind"], OwnOperation> = {
  key: {
    tag: idempotency,
    summary: "Ask what a key did",
    description:
      "Tells which requests of the caller carried this Idempotency-Key, and how they were answered. Callers without credentials are told of UUIDs only.",
    parameters: [
      {
        name: "key",
        in: "path",
        required: true,
        description: "The key, as it was sent.",
        schema: { type: "string", minLength: 1, maxLength: 255 },
      },
    ],
    responses: {
      200: {
        description: "What the key did, one entry an operation.",
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["key", "uses"],
              properties: {
                key: { type: "string" },
                uses: {
                  type: "array",
                  items: {
                    type: "object",
                    required: ["operation", "state"],
                    properties: {
                      operation: { type: "string", description: "Its `operationId`." },
                      state: { type: "string", enum: ["running", "done"] },
                      status: { type: "integer", description: "Of the answer." },
                      location: { type: "string", format: "uri-reference" },
                      answeredAt: timestamp,
                      keptUntil: timestamp,
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

import type { Fault } from "./planted.ts";

const text = { type: "string", minLength: 1, maxLength: 200 };

const schemas = {
  users: {
    type: "object",
    required: ["name", "email"],
    additionalProperties: false,
    properties: { name: text, email: { type: "string", format: "email" } },
  },
  orders: {
    type: "object",
    required: ["item"],
    additionalProperties: false,
    properties: { item: text, note: { ...text, default: "none" } },
  },
};

/** The OpenAPI document of the servers in these tests. */
export function openApi(faults: ReadonlySet<Fault>, signedIn: boolean): object {
  const paths = Object.fromEntries(
    Object.entries(schemas).flatMap(([name, schema]) => [
      [`/${name}`, { get: list, post: create(schema, faults) }],
      [`/${name}/{id}`, { get: read, delete: { responses: { 204: { description: "Gone" } } } }],
    ]),
  );
  const security = signedIn ? [{ bearer: [] }] : [];
  return { openapi: "3.1.0", info: { title: "Planted", version: "1" }, security, paths };
}

const list = { responses: { 200: { description: "A page" } } };
const read = { responses: { 200: { description: "A record" } } };

function create(schema: object, faults: ReadonlySet<Fault>): object {
  const silent =
    faults.has("keys are not documented") || faults.has("keys are ignored, and not documented");
  const key = {
    name: "Idempotency-Key",
    in: "header",
    required: faults.has("required keys are not required"),
    schema: { type: "string" },
    description: faults.has("expiry is not documented") ? "A key." : "A key. Kept for 24 hours.",
  };
  const problem = { description: "No", content: { "application/problem+json": {} } };
  return {
    parameters: silent ? [] : [key],
    requestBody: { required: true, content: { "application/json": { schema } } },
    responses: { 201: { description: "Made" }, default: problem },
  };
}

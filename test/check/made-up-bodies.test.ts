import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { exampleBody, NoExample } from "../../src/check/example.ts";
import { freshMembers, newSample, rewritten, textMember } from "../../src/check/fresh.ts";
import { operationsOf } from "../../src/check/openapi-operations.ts";
import { References } from "../../src/check/schema.ts";
import type { JsonObject } from "../../src/kernel/json.ts";

const references = new References({
  components: {
    schemas: {
      Named: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
      Loop: {
        type: "object",
        required: ["next"],
        properties: { next: { $ref: "#/components/schemas/Loop" } },
      },
    },
  },
});

const bodyOf = (schema: JsonObject) => exampleBody({ schema }, references);
const objectOf = (properties: JsonObject): JsonObject => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});

suite("A body is made up", () => {
  test("from the example of the media type, before all others", () => {
    const schema = { ...objectOf({ a: { type: "string" } }), example: { a: "schema" } };
    assert.deepEqual(exampleBody({ example: { a: "media" }, schema }, references), { a: "media" });
    const examples = { one: { value: { a: "named" } } };
    assert.deepEqual(exampleBody({ examples, schema }, references), { a: "named" });
    assert.deepEqual(exampleBody({ schema }, references), { a: "schema" });
  });

  test("from the required members, by their types, bounds and formats", () => {
    const made = bodyOf(
      objectOf({
        name: { type: "string", minLength: 10 },
        short: { type: "string", maxLength: 3 },
        email: { type: ["string", "null"], format: "email" },
        kind: { enum: ["a", "b"] },
        one: { const: 7 },
        size: { type: "integer", exclusiveMinimum: 4, multipleOf: 5 },
        price: { type: "number", maximum: 0.5 },
        done: { type: "boolean" },
        tags: { type: "array", minItems: 2, items: { type: "string" } },
        owner: { $ref: "#/components/schemas/Named" },
        either: { anyOf: [{ type: "null" }, { type: "string" }].slice(1) },
      }),
    );
    assert.deepEqual(made, {
      name: "Exampleeee",
      short: "Exa",
      email: "alice@example.com",
      kind: "a",
      one: 7,
      size: 5,
      price: 0.5,
      done: false,
      tags: ["Example", "Example"],
      owner: { name: "Example" },
      either: "Example",
    });
  });

  test("from all parts of allOf, without what only the server writes", () => {
    const made = bodyOf({
      allOf: [
        { $ref: "#/components/schemas/Named" },
        objectOf({ id: { type: "integer", readOnly: true }, size: { type: "integer" } }),
      ],
    });
    assert.deepEqual(made, { name: "Example", size: 1 });
  });

  test("or it is said why none can be", () => {
    for (const [schema, reason] of [
      [objectOf({ code: { type: "string", pattern: "^\\d{4}$" } }), /code has a pattern/],
      [objectOf({ at: { type: "string", format: "iban" } }), /at has the format iban/],
      [objectOf({ any: {} }), /any has no type/],
      [{ type: "array", items: {} }, /no JSON object/],
      [{ $ref: "#/components/schemas/Loop" }, /nested without an end/],
      [{ $ref: "#/nowhere" }, /no type/],
    ] as const) {
      assert.throws(
        () => bodyOf(schema),
        (error) => error instanceof NoExample && reason.test(error.message),
      );
    }
  });
});

suite("A body is another one each time", () => {
  const freshOf = (example: JsonObject, properties?: JsonObject) =>
    freshMembers(example, properties === undefined ? undefined : objectOf(properties), references);

  test("in the members that look unique", () => {
    const fresh = freshOf({ name: "Alice", email: "alice@example.com", age: 30 });
    assert.deepEqual(fresh, { email: "check-{}@example.com" });
    const [one, other] = [1, 2].map(() =>
      newSample({ name: "Alice", email: "alice@example.com" }, fresh),
    );
    assert.notEqual(one!.value.email, other!.value.email);
    assert.ok(one!.text.includes(one!.token));
    assert.equal(one!.value.name, "Alice");
  });

  test("or else in a text, as far as its bounds allow", () => {
    assert.deepEqual(freshOf({ size: 1, title: "Tea" }), { title: "Tea {}" });
    const short = { code: { type: "string", maxLength: 14 } };
    assert.deepEqual(freshOf({ code: "GB-1000" }, short), { code: "{}" });
    const pattern = { slug: { type: "string", pattern: "^[a-z0-9-]+$" } };
    assert.deepEqual(freshOf({ slug: "tea" }, pattern), { slug: "tea-{}" });
    const fixed = { code: { type: "string", enum: ["a"] } };
    assert.deepEqual(freshOf({ code: "a" }, fixed), {});
  });

  test("and the text that any text may be put into is told apart", () => {
    const properties = {
      country: { type: "string", pattern: "^[A-Z]{2}$" },
      note: { type: "string" },
    };
    assert.equal(
      textMember({ country: "DE", note: "x" }, objectOf(properties), references),
      "note",
    );
    assert.equal(textMember({ day: "2026-01-01" }, undefined, references), undefined);
  });

  test("and the same JSON can be written in another way", () => {
    const value = { a: 1, b: { c: [1, 2], d: "x" } };
    const text = rewritten(value);
    assert.deepEqual(JSON.parse(text), value);
    assert.match(text, /"b"[\s\S]*"d"[\s\S]*"c"[\s\S]*"a"/);
  });
});

suite("Operations are read from a document", () => {
  test("with what it says of keys, lists, records and problems", () => {
    const { operations, skipped } = operationsOf({
      openapi: "3.0.3",
      paths: {
        "/a": {
          parameters: [{ $ref: "#/components/parameters/key" }],
          get: { parameters: [{ name: "per_page", in: "query", schema: { maximum: 50 } }] },
          post: {
            requestBody: {
              content: {
                "application/json": {
                  schema: objectOf({ name: { type: "string" }, size: { type: "integer" } }),
                },
              },
            },
            responses: { 201: {}, 422: { content: { "application/problem+json": {} } } },
          },
        },
        "/a/{id}": { get: {} },
        "/b": { post: { requestBody: { content: { "text/plain": {} } } } },
      },
      components: {
        parameters: {
          key: {
            name: "X-Idempotency-Key",
            in: "header",
            required: true,
            description: "For 2 days.",
          },
        },
      },
    });
    assert.deepEqual(skipped, [{ name: "POST /b", reason: "it takes no JSON" }]);
    const [{ keys, list, creates, problems, readable, removable, methods, invalid }] =
      operations as [(typeof operations)[0]];
    assert.deepEqual(keys, {
      claim: "required",
      header: "X-Idempotency-Key",
      documentation: "For 2 days.",
    });
    assert.deepEqual(list, {
      path: "/a",
      parameters: ["per_page"],
      limit: { name: "per_page", maximum: 50 },
    });
    assert.deepEqual([creates, problems, readable, removable], [true, true, true, false]);
    assert.deepEqual(methods, ["GET", "POST"]);
    assert.deepEqual(invalid?.wrong, ["name", "size"]);
  });
});

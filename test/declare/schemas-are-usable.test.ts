import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type } from "arktype";
import { z } from "zod";
import { faultsWith } from "../support/declaration.ts";

suite("A schema is an object's, and has a JSON Schema", () => {
  test("objects of zod and arktype are taken, refined, strict and loose ones too", () => {
    const object = z.object({ name: z.string() });
    for (const schema of [
      object,
      object.refine(({ name }) => name !== "x"),
      z.strictObject({ name: z.string() }),
      z.looseObject({ name: z.string() }),
      object.extend({ more: z.array(z.string()) }),
      type({ name: "string" }),
    ]) {
      assert.deepEqual(faultsWith({ schema }), []);
    }
  });

  test("none at all is told", () => {
    assert.deepEqual(faultsWith({ schema: undefined }), [
      {
        where: "things.schema",
        fault: "is missing.",
        mend: "Write schema: z.object({ … }) with zod 4.2 or later, or a schema of arktype.",
      },
    ]);
  });

  test("what is no Standard Schema is told, such as a JSON Schema", () => {
    for (const schema of [{ type: "object", properties: {} }, { name: z.string() }, "x", null]) {
      const [fault, ...others] = faultsWith({ schema });
      assert.equal(fault?.where, "things.schema");
      assert.equal(fault?.fault, "is not a Standard Schema.");
      assert.deepEqual(others, []);
    }
  });

  test("a library without JSON Schema is told by its name", () => {
    const schema = {
      "~standard": { version: 1, vendor: "oldlib", validate: (value: unknown) => ({ value }) },
    };
    assert.deepEqual(faultsWith({ schema }), [
      {
        where: "things.schema",
        fault: 'the library "oldlib" does not give JSON Schema for it.',
        mend: "Take a version with Standard JSON Schema: zod 4.2, arktype 2.1.28 or later.",
      },
    ]);
  });

  test("what is not an object with named fields is told", () => {
    for (const schema of [
      z.string(),
      z.array(z.object({})),
      z.record(z.string(), z.string()),
      z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
      z.object({ a: z.string() }).nullable(),
      type("string"),
    ]) {
      assert.deepEqual(faultsWith({ schema }), [
        {
          where: "things.schema",
          fault: "is not the schema of an object with named fields.",
          mend: "Write z.object({ … }).",
        },
      ]);
    }
  });

  test("a field that JSON can't hold is told with the library's reason, and what to write", () => {
    for (const field of [
      z.date(),
      z.bigint(),
      z.string().transform(Number),
      z.map(z.string(), z.string()),
    ]) {
      const [fault, ...others] = faultsWith({ schema: z.object({ field }) });
      assert.equal(fault?.where, "things.schema");
      assert.match(fault?.fault ?? "", /^has no JSON Schema \(.+\)\.$/);
      assert.match(fault?.mend ?? "", /z\.iso\.datetime\(\) for a date/);
      assert.deepEqual(others, []);
    }
  });
});

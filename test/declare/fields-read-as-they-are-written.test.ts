import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { faultsWith } from "../support/declaration.ts";

suite("A field is stored as the type that clients write, so that they can send back what they read", () => {
  test("coercion and conversion to another type are told", () => {
    for (const [field, from, to] of [
      [z.stringbool(), "string", "boolean"],
      [z.string().transform(Number).pipe(z.number()), "string", "number"],
      [z.int().transform(String).pipe(z.string()), "integer", "string"],
      [
        z
          .string()
          .transform((text) => text.split(","))
          .pipe(z.array(z.string())),
        "string",
        "json",
      ],
    ] as const) {
      assert.deepEqual(faultsWith({ schema: z.object({ field }) }), [
        {
          where: "things.schema.field",
          fault: `is written as ${from} and stored as ${to}.`,
          mend: "JSON says its types; take the stored type from clients, without coercion.",
        },
      ]);
    }
  });

  test("a change within the type is fine", () => {
    const schema = z.object({
      trimmed: z.string().trim().toLowerCase(),
      piped: z
        .string()
        .transform((text) => (text.length > 3 ? text : "none"))
        .pipe(z.string()),
      defaulted: z.int().default(3),
      anything: z.unknown(),
      nullable: z.string().nullable().default(null),
    });
    assert.deepEqual(faultsWith({ schema }), []);
  });
});

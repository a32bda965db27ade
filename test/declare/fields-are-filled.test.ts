import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { faultsWith } from "../support/declaration.ts";

suite("A required field that clients can't write is filled by somebody", () => {
  for (const option of ["readOnly", "hidden"]) {
    test(`${option} and required, with nobody to fill it, is told`, () => {
      assert.deepEqual(faultsWith({ [option]: ["name"] }), [
        {
          where: `things.${option}`,
          fault: '"name" is required by the schema, and nobody gives it a value.',
          mend: "Add set: { name: … }, or make it optional, or give it a default.",
        },
      ]);
    });

    test(`${option} is fine with set, when optional, or with a default`, () => {
      assert.deepEqual(faultsWith({ [option]: ["name"], set: { name: "x" } }), []);
      assert.deepEqual(faultsWith({ [option]: ["size"] }), []);
      const schema = z.object({ name: z.string().default("x") });
      assert.deepEqual(faultsWith({ schema, [option]: ["name"] }), []);
    });
  }
});

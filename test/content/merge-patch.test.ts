import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { mergePatch } from "../../src/content/merge-patch.ts";
import type { Json } from "../../src/kernel/json.ts";
import { frozen } from "./frozen.ts";

suite("a JSON Merge Patch", () => {
  // RFC 7396 Appendix A, all of it.
  for (const [target, patch, result] of [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ] as const) {
    test(`makes ${result} of ${target} with ${patch}`, () => {
      assert.deepEqual(mergePatch(JSON.parse(target), JSON.parse(patch)), JSON.parse(result));
    });
  }

  test("gives the example of section 3", () => {
    const target = {
      title: "Goodbye!",
      author: { givenName: "John", familyName: "Doe" },
      tags: ["example", "sample"],
      content: "This will be unchanged",
    };
    const patch = {
      title: "Hello!",
      phoneNumber: "+01-123-456-7890",
      author: { familyName: null },
      tags: ["example"],
    };
    assert.deepEqual(mergePatch(target, patch), {
      title: "Hello!",
      author: { givenName: "John" },
      tags: ["example"],
      content: "This will be unchanged",
      phoneNumber: "+01-123-456-7890",
    });
  });

  test("changes neither target nor patch, and changes nothing when applied again", () => {
    const values = fc.jsonValue() as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(values, values, (target, patch) => {
        const once = frozen(mergePatch(frozen(target), frozen(patch)));
        assert.deepEqual(mergePatch(once, patch), once);
      }),
    );
  });

  test("leaves an absent null out, and an unnamed member as it was", () => {
    const nested = { kept: { deep: [1] } };
    const result = mergePatch(nested, { gone: null, made: { gone: null } });
    assert.deepEqual(result, { kept: { deep: [1] }, made: {} });
    assert.equal((result as typeof nested).kept, nested.kept);
  });

  test("can't reach a prototype", () => {
    const result = mergePatch(
      {},
      JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    );
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
    assert.equal((result as { polluted?: unknown }).polluted, undefined);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.deepEqual(Object.keys(result as object), ["__proto__", "constructor"]);
  });
});

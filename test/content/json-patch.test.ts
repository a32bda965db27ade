import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  applyJsonPatch,
  type JsonPatchLimits,
  parseJsonPatch,
} from "../../src/content/json-patch.ts";
import type { Json } from "../../src/kernel/json.ts";
import { Problem } from "../../src/kernel/problems.ts";
import { frozen } from "./frozen.ts";
import { faultsOf, problemOf } from "./problem-of.ts";

const LIMITS: JsonPatchLimits = { maxOperations: 1000, maxBytes: 1_000_000 };
const apply = (target: Json, patch: Json, limits = LIMITS): Json =>
  applyJsonPatch(frozen(target), parseJsonPatch(frozen(patch)), limits);
const conflict = (target: Json, patch: Json): string[] =>
  faultsOf("patch-conflict", () => apply(target, patch));
const malformed = (patch: Json): string[] =>
  faultsOf("malformed-patch", () => parseJsonPatch(patch));

suite("a JSON Patch that applies", () => {
  // RFC 6902 Appendix A, then what the text of the sections says beside it.
  for (const [title, target, patch, result] of [
    [
      "A.1 adds an object member",
      { foo: "bar" },
      [{ op: "add", path: "/baz", value: "qux" }],
      { baz: "qux", foo: "bar" },
    ],
    [
      "A.2 adds an array element",
      { foo: ["bar", "baz"] },
      [{ op: "add", path: "/foo/1", value: "qux" }],
      { foo: ["bar", "qux", "baz"] },
    ],
    [
      "A.3 removes an object member",
      { baz: "qux", foo: "bar" },
      [{ op: "remove", path: "/baz" }],
      { foo: "bar" },
    ],
    [
      "A.4 removes an array element",
      { foo: ["bar", "qux", "baz"] },
      [{ op: "remove", path: "/foo/1" }],
      { foo: ["bar", "baz"] },
    ],
    [
      "A.5 replaces a value",
      { baz: "qux", foo: "bar" },
      [{ op: "replace", path: "/baz", value: "boo" }],
      { baz: "boo", foo: "bar" },
    ],
    [
      "A.6 moves a value",
      { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    [
      "A.7 moves an array element",
      { foo: ["all", "grass", "cows", "eat"] },
      [{ op: "move", from: "/foo/1", path: "/foo/3" }],
      { foo: ["all", "cows", "eat", "grass"] },
    ],
    [
      "A.8 tests a value",
      { baz: "qux", foo: ["a", 2, "c"] },
      [
        { op: "test", path: "/baz", value: "qux" },
        { op: "test", path: "/foo/1", value: 2 },
      ],
      { baz: "qux", foo: ["a", 2, "c"] },
    ],
    [
      "A.10 adds a nested object",
      { foo: "bar" },
      [{ op: "add", path: "/child", value: { grandchild: {} } }],
      { foo: "bar", child: { grandchild: {} } },
    ],
    [
      "A.11 ignores unknown members",
      { foo: "bar" },
      [{ op: "add", path: "/baz", value: "qux", xyz: 123 }],
      { foo: "bar", baz: "qux" },
    ],
    [
      "A.14 escapes ~ before /",
      { "/": 9, "~1": 10 },
      [{ op: "test", path: "/~01", value: 10 }],
      { "/": 9, "~1": 10 },
    ],
    [
      "A.16 adds an array at the end",
      { foo: ["bar"] },
      [{ op: "add", path: "/foo/-", value: ["abc", "def"] }],
      { foo: ["bar", ["abc", "def"]] },
    ],
    ["has no operations", { a: 1 }, [], { a: 1 }],
    ["replaces a member by adding it", { a: 1 }, [{ op: "add", path: "/a", value: 2 }], { a: 2 }],
    ["adds at the index after the last", [1], [{ op: "add", path: "/1", value: 2 }], [1, 2]],
    ["adds to an empty array", { a: [] }, [{ op: "add", path: "/a/0", value: 1 }], { a: [1] }],
    ["adds null", {}, [{ op: "add", path: "/a", value: null }], { a: null }],
    ["removes null", { a: null }, [{ op: "remove", path: "/a" }], {}],
    [
      "names the empty member",
      { "": { "": 1 } },
      [{ op: "replace", path: "//", value: 2 }],
      { "": { "": 2 } },
    ],
    [
      "names a member - of an object",
      { a: {} },
      [{ op: "add", path: "/a/-", value: 1 }],
      { a: { "-": 1 } },
    ],
    [
      "names a member 01 of an object",
      { a: { "01": 1 } },
      [{ op: "replace", path: "/a/01", value: 2 }],
      { a: { "01": 2 } },
    ],
    ["replaces the root by adding", { a: 1 }, [{ op: "add", path: "", value: [1] }], [1]],
    ["replaces the root", { a: 1 }, [{ op: "replace", path: "", value: "x" }], "x"],
    [
      "tests the root",
      { a: [1, { b: null }] },
      [{ op: "test", path: "", value: { a: [1, { b: null }] } }],
      { a: [1, { b: null }] },
    ],
    [
      "copies into what is copied",
      { a: { b: 1 } },
      [{ op: "copy", from: "", path: "/a/c" }],
      { a: { b: 1, c: { a: { b: 1 } } } },
    ],
    [
      "copies the root from within",
      { a: { b: 1 } },
      [{ op: "copy", from: "/a", path: "" }],
      { b: 1 },
    ],
    ["moves to the root", { a: { b: 1 } }, [{ op: "move", from: "/a", path: "" }], { b: 1 }],
    ["moves the root to itself", { a: 1 }, [{ op: "move", from: "", path: "" }], { a: 1 }],
    [
      "moves a value to where it is",
      { a: 1, b: 2 },
      [{ op: "move", from: "/a", path: "/a" }],
      { a: 1, b: 2 },
    ],
    [
      "moves to a name that begins alike",
      { a: 1 },
      [{ op: "move", from: "/a", path: "/ab" }],
      { ab: 1 },
    ],
    [
      "moves to the end of the same array",
      [1, 2, 3],
      [{ op: "move", from: "/0", path: "/-" }],
      [2, 3, 1],
    ],
    [
      "tests regardless of the order of members",
      { a: { x: 1, y: 2 } },
      [{ op: "test", path: "/a", value: { y: 2, x: 1 } }],
      { a: { x: 1, y: 2 } },
    ],
    ["tests numbers by their value", { a: 0 }, [{ op: "test", path: "/a", value: -0 }], { a: 0 }],
    [
      "changes a copy alone",
      { a: { b: [1] } },
      [
        { op: "add", path: "/a/b/-", value: 2 },
        { op: "copy", from: "/a", path: "/c" },
        { op: "add", path: "/c/b/-", value: 3 },
        { op: "add", path: "/a/b/-", value: 4 },
      ],
      { a: { b: [1, 2, 4] }, c: { b: [1, 2, 3] } },
    ],
    [
      "changes a value of the patch alone",
      {},
      [
        { op: "add", path: "/a", value: { b: [] } },
        { op: "add", path: "/a/b/-", value: 1 },
        { op: "test", path: "/a", value: { b: [1] } },
      ],
      { a: { b: [1] } },
    ],
    [
      "names what an object inherits, once it is its own",
      { constructor: { prototype: 1 } },
      [
        { op: "replace", path: "/constructor/prototype", value: 2 },
        { op: "add", path: "/toString", value: 3 },
      ],
      { constructor: { prototype: 2 }, toString: 3 },
    ],
  ] as [string, Json, Json, Json][]) {
    test(title, () => {
      assert.deepEqual(apply(target, patch), result);
    });
  }
});

suite("a JSON Patch that does not fit", () => {
  for (const [title, target, patch, expected] of [
    [
      "A.9 fails a test",
      { baz: "qux" },
      [{ op: "test", path: "/baz", value: "bar" }],
      "#/0 test_failed",
    ],
    [
      "A.12 adds to a target that does not exist",
      { foo: "bar" },
      [{ op: "add", path: "/baz/bat", value: "qux" }],
      "#/0 no_such_target",
    ],
    [
      "A.15 compares a string with a number",
      { "/": 9, "~1": 10 },
      [{ op: "test", path: "/~01", value: "10" }],
      "#/0 test_failed",
    ],
    [
      "fails at its second operation",
      { a: 1 },
      [
        { op: "remove", path: "/a" },
        { op: "remove", path: "/a" },
      ],
      "#/1 no_such_target",
    ],
    [
      "tests what is absent for null",
      {},
      [{ op: "test", path: "/a", value: null }],
      "#/0 no_such_target",
    ],
    [
      "tests an object with fewer members",
      { a: 1, b: 2 },
      [{ op: "test", path: "", value: { a: 1 } }],
      "#/0 test_failed",
    ],
    [
      "tests an object with more members",
      { a: 1 },
      [{ op: "test", path: "", value: { a: 1, b: 2 } }],
      "#/0 test_failed",
    ],
    [
      "tests an object with other members",
      { a: 1 },
      [{ op: "test", path: "", value: { b: 1 } }],
      "#/0 test_failed",
    ],
    [
      "tests an object for an inherited member",
      { a: 1 },
      [{ op: "test", path: "", value: { toString: 1 } }],
      "#/0 test_failed",
    ],
    [
      "tests an array with fewer items",
      [1, 2],
      [{ op: "test", path: "", value: [1] }],
      "#/0 test_failed",
    ],
    [
      "tests an array for an object",
      [1],
      [{ op: "test", path: "", value: { 0: 1 } }],
      "#/0 test_failed",
    ],
    ["tests an object for an array", {}, [{ op: "test", path: "", value: [] }], "#/0 test_failed"],
    [
      "tests an empty object for null",
      {},
      [{ op: "test", path: "", value: null }],
      "#/0 test_failed",
    ],
    [
      "tests an object whose size has changed",
      { a: { x: 1 } },
      [
        { op: "add", path: "/a/y", value: 2 },
        { op: "test", path: "/a", value: { x: 1, y: 2 } },
        { op: "add", path: "/a/x", value: 1 },
        { op: "remove", path: "/a/y" },
        { op: "test", path: "/a", value: { x: 1 } },
        { op: "add", path: "/a/z", value: 3 },
        { op: "test", path: "/a", value: { x: 1 } },
      ],
      "#/6 test_failed",
    ],
    [
      "replaces what is absent",
      {},
      [{ op: "replace", path: "/a", value: 1 }],
      "#/0 no_such_target",
    ],
    ["removes what is absent", {}, [{ op: "remove", path: "/a" }], "#/0 no_such_target"],
    [
      "moves what is absent",
      { a: 1 },
      [{ op: "move", from: "/b", path: "/a" }],
      "#/0 no_such_target",
    ],
    [
      "copies what is absent",
      { a: 1 },
      [{ op: "copy", from: "/b", path: "/a" }],
      "#/0 no_such_target",
    ],
    [
      "moves to nowhere",
      { a: 1 },
      [{ op: "move", from: "/a", path: "/b/c" }],
      "#/0 no_such_target",
    ],
    [
      "copies to nowhere",
      { a: 1 },
      [{ op: "copy", from: "/a", path: "/b/c" }],
      "#/0 no_such_target",
    ],
    ["adds beyond the end", [1], [{ op: "add", path: "/2", value: 1 }], "#/0 no_such_target"],
    [
      "moves beyond what is then the end",
      [1, 2],
      [{ op: "move", from: "/0", path: "/2" }],
      "#/0 no_such_target",
    ],
    [
      "adds within a string",
      { a: "text" },
      [{ op: "add", path: "/a/0", value: 1 }],
      "#/0 no_such_target",
    ],
    [
      "adds within null",
      { a: null },
      [{ op: "add", path: "/a/b", value: 1 }],
      "#/0 no_such_target",
    ],
    [
      "adds within a number as root",
      1,
      [{ op: "add", path: "/a", value: 1 }],
      "#/0 no_such_target",
    ],
    [
      "reads within a string",
      { a: "text" },
      [{ op: "copy", from: "/a/0", path: "/b" }],
      "#/0 no_such_target",
    ],
    [
      "reads the length of an array",
      { a: [1] },
      [{ op: "copy", from: "/a/length", path: "/b" }],
      "#/0 no_such_target",
    ],
    [
      "removes the length of an array",
      { a: [1] },
      [{ op: "remove", path: "/a/length" }],
      "#/0 no_such_target",
    ],
    [
      "copies an inherited method",
      {},
      [{ op: "copy", from: "/toString", path: "/a" }],
      "#/0 no_such_target",
    ],
    [
      "writes to a constructor",
      {},
      [{ op: "add", path: "/constructor/prototype/x", value: 1 }],
      "#/0 no_such_target",
    ],
    ...["-", "01", "00", "-1", "1.0", "1e0", "+1", " 1", "", "x", "0x0", "١"].flatMap((step) => [
      [
        `replaces the index ${step}`,
        [1, 2, 3],
        [{ op: "replace", path: `/${step}`, value: 9 }],
        "#/0 no_such_target",
      ],
      [
        `removes the index ${step}`,
        [1, 2, 3],
        [{ op: "remove", path: `/${step}` }],
        "#/0 no_such_target",
      ],
      [
        `goes through the index ${step}`,
        [[1], [1]],
        [{ op: "add", path: `/${step}/0`, value: 9 }],
        "#/0 no_such_target",
      ],
      ...(step === "-"
        ? []
        : [
            [
              `adds at the index ${step}`,
              [1, 2, 3],
              [{ op: "add", path: `/${step}`, value: 9 }],
              "#/0 no_such_target",
            ],
          ]),
    ]),
  ] as [string, Json, Json, string][]) {
    test(title, () => {
      assert.deepEqual(conflict(target, patch), [expected]);
    });
  }

  test("tells what failed without showing what is stored", () => {
    const problem = problemOf("patch-conflict", () =>
      apply({ secret: "s3cr3t" }, [{ op: "test", path: "/secret", value: "guess" }]),
    );
    assert.equal(
      problem.details.errors?.[0]?.detail,
      'The value at "/secret" is not the one that the test expects.',
    );
    assert.doesNotMatch(JSON.stringify(problem.details), /s3cr3t/);
  });

  test("leaves the target as it was, and no prototype polluted", () => {
    const target = frozen({ a: { b: [1, 2] } });
    conflict(target, [
      { op: "add", path: "/a/b/-", value: 3 },
      { op: "remove", path: "/a" },
      { op: "test", path: "/x", value: 1 },
    ]);
    assert.deepEqual(target, { a: { b: [1, 2] } });
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});

suite("a document that is no JSON Patch", () => {
  for (const [title, patch, expected] of [
    ["is not an array", { op: "remove", path: "/a" }, ["# invalid_type"]],
    [
      "has operations that are not objects",
      [null, "add", []],
      ["#/0 invalid_type", "#/1 invalid_type", "#/2 invalid_type"],
    ],
    ["lacks everything", [{}], ["#/0/op required", "#/0/path required"]],
    [
      "lacks members of its operations",
      [
        { op: "add", path: "/a" },
        { op: "replace", value: 1 },
        { op: "test" },
        { op: "move", path: "/a" },
        { op: "copy", from: "/a" },
        { op: "remove" },
      ],
      [
        "#/0/value required",
        "#/1/path required",
        "#/2/path required",
        "#/2/value required",
        "#/3/from required",
        "#/4/path required",
        "#/5/path required",
      ],
    ],
    [
      "A.13 has an unknown op",
      [
        { op: "spam", path: "/a" },
        { op: "Add", path: "/a", value: 1 },
        { op: 1, path: "" },
        { op: "toString", path: "" },
      ],
      ["#/0/op unknown_op", "#/1/op unknown_op", "#/2/op unknown_op", "#/3/op unknown_op"],
    ],
    [
      "has bad pointers",
      [
        { op: "remove", path: "a" },
        { op: "remove", path: "#/a" },
        { op: "remove", path: "/a~2" },
        { op: "remove", path: "/~" },
        { op: "remove", path: 1 },
        { op: "remove", path: null },
        { op: "copy", from: "/a~", path: "/~a" },
      ],
      [
        "#/0/path",
        "#/1/path",
        "#/2/path",
        "#/3/path",
        "#/4/path",
        "#/5/path",
        "#/6/path",
        "#/6/from",
      ].map((place) => `${place} malformed_pointer`),
    ],
    [
      "moves values into themselves",
      [
        { op: "move", from: "/a", path: "/a/b/c" },
        { op: "move", from: "", path: "/a" },
      ],
      ["#/0/path moved_into_itself", "#/1/path moved_into_itself"],
    ],
    ["removes the root", [{ op: "remove", path: "" }], ["#/0/path root_removed"]],
    [
      "names the prototype",
      [
        { op: "add", path: "/__proto__/x", value: 1 },
        { op: "copy", from: "/a/__proto__", path: "/b" },
      ],
      ["#/0/path forbidden_name", "#/1/from forbidden_name"],
    ],
  ] as [string, Json, string[]][]) {
    test(title, () => {
      assert.deepEqual(malformed(patch), expected);
    });
  }

  test("is told which op was meant", () => {
    const problem = problemOf("malformed-patch", () =>
      parseJsonPatch([{ op: "repalce", path: "" }]),
    );
    assert.match(problem.details.errors?.[0]?.detail ?? "", /Did you mean "replace"\?$/);
  });

  test("is told at most 50 faults", () => {
    assert.equal(malformed(Array.from({ length: 1000 }, () => ({}))).length, 50);
  });
});

suite("the limits of a JSON Patch", () => {
  const tooLarge = (target: Json, patch: Json, limits: Partial<JsonPatchLimits> = {}): string =>
    problemOf("content-too-large", () => apply(target, patch, { ...LIMITS, ...limits })).message;

  test("bound the number of operations", () => {
    const patch = Array.from({ length: 3 }, () => ({ op: "add", path: "/a", value: 1 }));
    assert.deepEqual(apply({}, patch, { ...LIMITS, maxOperations: 3 }), { a: 1 });
    assert.match(tooLarge({}, patch, { maxOperations: 2 }), /3 operations of 2 allowed/);
  });

  test("stop copies that double the record", () => {
    const doubling = Array.from({ length: 60 }, () => ({ op: "copy", from: "", path: "/a/-" }));
    const start = performance.now();
    tooLarge({ a: ["x".repeat(1000)] }, doubling, { maxDepth: 1000 });
    tooLarge({ a: [[]] }, doubling);
    assert.ok(performance.now() - start < 2000);
  });

  test("stop copies that are removed again", () => {
    const target = { a: "x".repeat(100_000), b: 0 };
    const patch = Array.from({ length: 20 }, () => ({ op: "copy", from: "/a", path: "/b" }));
    assert.match(tooLarge(target, patch), /exceeds 1000000 bytes/);
  });

  test("count the bytes of the result, not its characters", () => {
    const patch = [{ op: "add", path: "/a", value: "漢" }];
    const bytes = Buffer.byteLength('{"a":"漢"}');
    assert.deepEqual(apply({}, patch, { ...LIMITS, maxBytes: bytes }), { a: "漢" });
    tooLarge({}, patch, { maxBytes: bytes - 1 });
  });

  test("bound the nesting of the result as that of a body", () => {
    const nest = (depth: number): Json => (depth === 1 ? [] : [nest(depth - 1)]);
    const patch = [{ op: "add", path: "/0/0", value: nest(2) }];
    assert.deepEqual(apply([[]], patch, { ...LIMITS, maxDepth: 4 }), [[[[]]]]);
    tooLarge([[]], patch, { maxDepth: 3 });
    const deeper = Array.from({ length: 500 }, (_, i) => ({
      op: "add",
      path: "/0".repeat(60 * i),
      value: nest(61),
    }));
    assert.match(tooLarge([], deeper), /deeper than 64/);
  });

  test("keep many operations on a big record quick", () => {
    const members = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`member${i}`, i]));
    const patch = Array.from({ length: 1000 }, (_, i) => [
      { op: "add", path: `/big/new${i}`, value: i },
      { op: "copy", from: "/small", path: `/copy${i}` },
      { op: "add", path: "/items/0", value: i },
    ]).flat();
    const start = performance.now();
    apply({ big: members, small: { a: 1 }, items: Object.keys(members) }, patch, {
      maxOperations: 3000,
      maxBytes: 10_000_000,
    });
    const tests = Array.from({ length: 999 }, () => ({ op: "test", path: "/big", value: {} }));
    assert.throws(() => apply({ big: members }, tests));
    assert.ok(performance.now() - start < 5000);
  });
});

suite("any JSON Patch", () => {
  const step = fc.constantFrom("a", "b", "0", "1", "2", "-", "");
  const path = fc.oneof(
    { weight: 1, arbitrary: fc.constant("") },
    {
      weight: 9,
      arbitrary: fc
        .array(step, { minLength: 1, maxLength: 3 })
        .map((steps) => `/${steps.join("/")}`),
    },
  );
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: "large" },
      fc.constantFrom<Json>(null, 0, 1, "a"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "0", ""), tie("value"), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  }));
  const operation = fc.record({
    op: fc.constantFrom("add", "add", "add", "remove", "replace", "move", "copy", "test"),
    path,
    from: path,
    value,
  });

  const target = fc.oneof(
    value,
    fc.record({ a: value, b: fc.array(value, { minLength: 1 }) }, { noNullPrototype: true }),
  );
  const operations = fc.array(operation, { minLength: 10, maxLength: 30 });

  test("gives what a plain reading of RFC 6902 on a deep copy gives, and changes nothing else", () => {
    let longest = 0;
    fc.assert(
      fc.property(target, operations, (target, operations) => {
        const before = JSON.stringify([target, operations]);
        const fitting: PlainOperation[] = [];
        for (const operation of operations) {
          const patch = [...fitting, operation];
          const expected = referenceResult(target, patch);
          if (expected === undefined) {
            assert.throws(() => apply(target, patch as unknown as Json), Problem);
          } else {
            assert.deepEqual(apply(target, patch as unknown as Json), expected.value);
            fitting.push(operation);
          }
        }
        assert.equal(JSON.stringify([target, operations]), before);
        longest = Math.max(longest, fitting.length);
      }),
      { numRuns: 1000 },
    );
    assert.ok(longest >= 6, "No patch fitted that has enough operations to mean something.");
  });
});

interface PlainOperation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: Json;
}

/** RFC 6902 word for word: everything is copied before everything, so that nothing is shared. */
function referenceResult(
  target: Json,
  patch: readonly PlainOperation[],
): { value: Json } | undefined {
  // The root becomes a member, so that it is replaced as any other member is.
  const holder = { root: structuredClone(target) };
  const locate = (pointer: string): { parent: Record<string, Json>; key: string } | undefined => {
    const steps = ["root", ...pointer.split("/").slice(1)];
    let parent = holder as Record<string, Json>;
    for (const step of steps.slice(0, -1)) {
      const isIndex = !Array.isArray(parent) || /^(0|[1-9]\d*)$/.test(step);
      const child = isIndex && Object.hasOwn(parent, step) ? parent[step] : undefined;
      if (typeof child !== "object" || child === null) {
        return undefined;
      }
      parent = child as Record<string, Json>;
    }
    return { parent, key: steps.at(-1)! };
  };
  const get = (pointer: string): Json | undefined => {
    const place = locate(pointer);
    if (place === undefined || (Array.isArray(place.parent) && !/^\d+$/.test(place.key))) {
      return undefined;
    }
    return Object.hasOwn(place.parent, place.key) ? place.parent[place.key] : undefined;
  };
  const add = (pointer: string, value: Json): boolean => {
    const place = locate(pointer);
    if (place === undefined) {
      return false;
    }
    if (Array.isArray(place.parent)) {
      const index = place.key === "-" ? place.parent.length : Number(place.key || "x");
      if (!(index <= place.parent.length)) {
        return false;
      }
      place.parent.splice(index, 0, structuredClone(value));
    } else {
      place.parent[place.key] = structuredClone(value);
    }
    return true;
  };
  const remove = (pointer: string): boolean => {
    const place = locate(pointer);
    if (place === undefined || pointer === "" || get(pointer) === undefined) {
      return false;
    }
    if (Array.isArray(place.parent)) {
      place.parent.splice(Number(place.key), 1);
    } else {
      delete place.parent[place.key];
    }
    return true;
  };
  const sorted = (value: Json | undefined): string | undefined =>
    JSON.stringify(value, (_, inner: Json) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  const run: Record<string, (operation: PlainOperation) => boolean> = {
    add: ({ path, value }) => add(path, value),
    remove: ({ path }) => remove(path),
    replace: ({ path, value }) =>
      get(path) !== undefined && (path === "" || remove(path)) && add(path, value),
    test: ({ path, value }) => sorted(get(path)) === sorted(value),
    copy: ({ path, from }) => {
      const value = get(from);
      return value !== undefined && add(path, value);
    },
    move: ({ path, from }) => {
      const value = get(from);
      if (value === undefined || path.startsWith(`${from}/`)) {
        return false;
      }
      return from === path || (remove(from) && add(path, value));
    },
  };
  return patch.every((operation) => run[operation.op]!(operation))
    ? { value: holder.root }
    : undefined;
}

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseJson } from "../../src/content/json.ts";
import type { Json } from "../../src/kernel/json.ts";
import { pointer } from "../../src/kernel/json.ts";
import { Problem } from "../../src/kernel/problems.ts";
import { faultsOf, problemOf } from "./problem-of.ts";

const LIMITS = { maxDepth: 64 };
const parse = (text: string | Buffer, limits = LIMITS): Json =>
  parseJson(typeof text === "string" ? Buffer.from(text) : text, limits);
const detailOf = (text: string | Buffer): string | undefined =>
  problemOf("malformed-json", () => parse(text)).details.detail;
const faults = (text: string, limits = LIMITS): string[] =>
  faultsOf("malformed-json", () => parse(text, limits));

suite("JSON that is accepted", () => {
  for (const text of [
    '{"name":"Alice Johnson","email":"alice@example.com","age":30}',
    " [ ] ",
    "{}",
    '"text"',
    "null",
    "-0",
    "0.1e-7",
    "1e-400",
    "9007199254740991",
    "-9007199254740991",
    "1E2",
    '{"a":{"a":{"a":1}},"b":{"a":2}}',
    '[{"a":1},{"a":1}]',
    '{":":1,"\\":":2,"\\\\":3,"{[":4}',
    '{"constructor":1,"toString":2,"hasOwnProperty":3,"length":4}',
    '{"1":1,"0":2,"":3}',
    '"\\ud83d\\ude00"',
    '"\\\\ud800"',
    '{"Zoë":"漢字 😀"}',
    '"\u2028\u007f"',
  ]) {
    test(`reads ${text} as JSON.parse does`, () => {
      assert.deepEqual(parse(text), JSON.parse(text));
    });
  }

  test("agrees with JSON.parse on whatever JSON.stringify writes, or refuses it for cause", () => {
    const isAcceptable = (value: unknown): boolean => {
      switch (typeof value) {
        case "number":
          return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
        case "string":
          return value.isWellFormed();
        case "object":
          return Object.entries(value ?? {}).every(
            ([name, child]) => name !== "__proto__" && isAcceptable(name) && isAcceptable(child),
          );
      }
      return true;
    };
    const { value } = fc.letrec((tie) => {
      const text = fc.oneof(
        { weight: 9, arbitrary: fc.string({ unit: "binary" }) },
        fc.constantFrom("__proto__", "\ud800", "\ud83d\ude00", "\\u"),
      );
      const number = fc.oneof(
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.maxSafeInteger(),
      );
      return {
        value: fc.oneof(
          { maxDepth: 4, withCrossShrink: true },
          fc.constantFrom(null, true, false),
          text,
          number.filter((n) => Math.abs(n) < 1e15),
          { weight: 1, arbitrary: number },
          fc.array(tie("value")),
          fc.array(fc.tuple(text, tie("value"))).map((entries) => Object.fromEntries(entries)),
        ),
      };
    });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        if (isAcceptable(value)) {
          assert.deepEqual(parse(text), JSON.parse(text));
        } else {
          assert.ok(faults(text).length > 0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("ignores a byte order mark", () => {
    assert.deepEqual(parse("\ufeff[1]"), [1]);
    assert.match(detailOf("\ufeff\ufeff[1]") ?? "", /found "U\+FEFF"/);
  });

  test("keeps a line separator and a null character in strings", () => {
    assert.equal(parse('"\\u0000\\u2028"'), "\u0000\u2028");
  });
});

suite("bytes that are not JSON", () => {
  for (const [text, detail] of [
    ["", "Line 1, column 1: expected a value, found the end of the text."],
    [" \n ", "Line 2, column 2: expected a value, found the end of the text."],
    ['{"a":1,}', 'Line 1, column 8: expected a name in double quotes, found "}".'],
    ["[1,]", 'Line 1, column 4: expected a value, found "]".'],
    ["[1 2]", 'Line 1, column 4: expected a comma or "]", found "2".'],
    ['{"a":1\n "b":2}', 'Line 2, column 2: expected a comma or "}", found "\\"".'],
    ['{"a" 1}', 'Line 1, column 6: expected a colon after the name, found "1".'],
    ["{'a':1}", 'Line 1, column 2: expected a name in double quotes, found "\'".'],
    ["{a:1}", 'Line 1, column 2: expected a name in double quotes, found "a".'],
    ['{"a":undefined}', 'Line 1, column 6: expected a value, found "undefined".'],
    ["[NaN]", 'Line 1, column 2: expected a value, found "NaN".'],
    ["[True]", 'Line 1, column 2: expected a value, found "True".'],
    ["[nul]", 'Line 1, column 2: expected a value, found "nul".'],
    ["[1] // one", 'Line 1, column 5: expected nothing after the value, found "/".'],
    ["{}{}", 'Line 1, column 3: expected nothing after the value, found "{".'],
    ["[1", 'Line 1, column 3: expected a comma or "]", found the end of the text.'],
    ['{"a":1]', 'Line 1, column 7: expected a comma or "}", found "]".'],
    ["[01]", 'Line 1, column 3: expected a comma or "]", found "1".'],
    ["[+1]", 'Line 1, column 2: expected a value, found "+1".'],
    ["[.5]", 'Line 1, column 2: expected a value, found ".5".'],
    ["[-]", 'Line 1, column 2: expected a value, found "-".'],
    ["[1.]", 'Line 1, column 4: expected a digit after the decimal point, found "]".'],
    ["[1e]", 'Line 1, column 4: expected a digit in the exponent, found "]".'],
    ['["a', "Line 1, column 4: expected a closing double quote, found the end of the text."],
    ['["a\nb"]', 'Line 1, column 4: expected an escape sequence, found "\\n".'],
    [
      '["\\x"]',
      'Line 1, column 4: expected one of "\\/bfnrt or u with four hexadecimal digits after the backslash, found "x".',
    ],
    ["[1\u00a0]", 'Line 1, column 3: expected a comma or "]", found "U+00A0".'],
    ["{\u0000", 'Line 1, column 2: expected a name in double quotes, found "\\u0000".'],
    ["[😀]", 'Line 1, column 2: expected a value, found "😀".'],
  ] as const) {
    test(`says where ${JSON.stringify(text)} goes wrong`, () => {
      assert.equal(detailOf(text), detail);
    });
  }

  test("are refused when they are not UTF-8", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      assert.match(detailOf(Buffer.from(bytes)) ?? "", /not UTF-8/);
    }
    assert.match(detailOf(Buffer.from("[1]", "utf16le")) ?? "", /found "\\u0000"/);
  });

  test("never throw anything but a problem, and never one without a detail", () => {
    const fragments = fc.constantFrom(
      ..."{}[]:,\"\\-.eE+019 \n\t/u'x漢".split(""),
      "\\u00e9",
      "\\ud800",
      "true",
      "null",
      '"a"',
      '"__proto__"',
      "1e999",
      "9007199254740993",
    );
    const texts = fc
      .array(fragments, { maxLength: 30 })
      .map((parts) => Buffer.from(parts.join("")));
    fc.assert(
      fc.property(fc.oneof(texts, fc.uint8Array().map(Buffer.from)), (bytes) => {
        let value: Json;
        try {
          value = parse(bytes, { maxDepth: 3 });
        } catch (thrown) {
          assert.ok(thrown instanceof Problem);
          assert.equal(thrown.type, "malformed-json");
          assert.ok(thrown.details.detail);
          return;
        }
        assert.deepEqual(value, JSON.parse(bytes.toString()));
      }),
      { numRuns: 20_000 },
    );
  });

  test("are told from JSON exactly as JSON.parse tells them", () => {
    const mutated = fc
      .tuple(fc.jsonValue(), fc.nat(), fc.constantFrom(...'{}[]:,"\\-.e01 \nt'), fc.boolean())
      .map(([value, seed, character, replaces]) => {
        const text = JSON.stringify(value);
        const at = seed % (text.length + 1);
        return text.slice(0, at) + character + text.slice(at + (replaces ? 1 : 0));
      });
    fc.assert(
      fc.property(mutated, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        try {
          parse(text);
          assert.ok(isJson);
        } catch (thrown) {
          assert.ok(thrown instanceof Problem);
          const isSyntax = thrown.details.errors === undefined;
          assert.equal(isSyntax, !isJson, text);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

suite("JSON with more than one meaning", () => {
  for (const [text, expected] of [
    ['{"a":1,"a":2}', ["#/a duplicate_name"]],
    ['{"a":1,"\\u0061":2}', ["#/a duplicate_name"]],
    ['{"a":1,"a":2,"a":3}', ["#/a duplicate_name"]],
    ['{"a":{"b":1,"c":2,"b":3},"a":4}', ["#/a/b duplicate_name", "#/a duplicate_name"]],
    ['[0,{"x":[{"~/":1,"~/":2}]}]', ["#/1/x/0/~0~1 duplicate_name"]],
    ['{"":1,"":2}', ["#/ duplicate_name"]],
    ['{"1":1,"1":2}', ["#/1 duplicate_name"]],
    ['{"__proto__":1}', ["#/__proto__ forbidden_name"]],
    ['{"a":[{"\\u005f_proto__":{}}]}', ["#/a/0/__proto__ forbidden_name"]],
    ['{"__proto__":1,"__proto__":2}', ["#/__proto__ forbidden_name", "#/__proto__ duplicate_name"]],
    ['["\\ud800"]', ["#/0 lone_surrogate"]],
    ['["\\udc00\\ud800"]', ["#/0 lone_surrogate"]],
    ['"\\uD83D😀"', ["# lone_surrogate"]],
    ['{"\\udead":{"a":1e400}}', ["? lone_surrogate", "? number_out_of_range"]],
    ["1e400", ["# number_out_of_range"]],
    ["[-1e400]", ["#/0 number_out_of_range"]],
    ["[9007199254740992]", ["#/0 number_out_of_range"]],
    [
      "[9007199254740993.0,-9007199254740993,1e300,9007199254740991]",
      ["#/0 number_out_of_range", "#/1 number_out_of_range", "#/2 number_out_of_range"],
    ],
  ] as const) {
    test(`is refused in ${text}`, () => {
      assert.deepEqual(faults(text), expected);
    });
  }

  test("is listed with all its places, in their order", () => {
    assert.deepEqual(
      faults('{"a":1e999,"b":{"__proto__":"\\ud800"},"a":[[["\\udfff"]]]}', { maxDepth: 4 }),
      [
        "#/a number_out_of_range",
        "#/b/__proto__ forbidden_name",
        "#/b/__proto__ lone_surrogate",
        "#/a duplicate_name",
        "#/a/0/0/0 lone_surrogate",
      ],
    );
  });

  test("is told by line and column", () => {
    assert.equal(
      detailOf('{\n  "email": 1,\n  "email": 2\n}'),
      'Line 3, column 3: the name "email" is given more than once.',
    );
  });

  test("gives at most 50 faults, none with an endless pointer", () => {
    const many = `[${'"\\ud800",'.repeat(1000)}1]`;
    assert.equal(faults(many).length, 50);
    const problem = problemOf("malformed-json", () => parse(`{"${"n".repeat(5000)}":${many}}`));
    assert.ok(JSON.stringify(problem.details).length < 10_000);
    assert.match(problem.details.detail ?? "", /^At least 50 places/);
  });

  test("is found wherever a duplicate is planted", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), fc.boolean(), (value, seed, escapes) => {
        const planted = plantDuplicate(value, seed, escapes);
        fc.pre(planted !== undefined);
        const found = faults(planted.text).filter((fault) => fault.endsWith(" duplicate_name"));
        assert.deepEqual(found, [`${planted.pointer} duplicate_name`]);
      }),
      { numRuns: 2000 },
    );
  });

  test("is not hidden by a name that another object has", () => {
    assert.deepEqual(faults('{"a":{"x":1},"b":{"x":1,"y":2,"x":3}}'), ["#/b/x duplicate_name"]);
  });
});

suite("nesting", () => {
  test("counts arrays and objects, and is refused beyond the limit", () => {
    assert.deepEqual(parse('[{"a":[]}]', { maxDepth: 3 }), [{ a: [] }]);
    assert.deepEqual(faults('[{"a":[]}]', { maxDepth: 2 }), ["#/0/a too_deep"]);
    assert.deepEqual(parse('"[[["', { maxDepth: 0 }), "[[[");
    assert.deepEqual(faults("[]", { maxDepth: 0 }), ["# too_deep"]);
  });

  test("comes first where the text breaks off deeper", () => {
    assert.deepEqual(faults("[".repeat(1_000_000)), [`#${"/0".repeat(64)} too_deep`]);
  });
});

suite("a large body takes time in proportion to its size", () => {
  const million = Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":${i}`).join(",");
  const bodies = {
    "a string of 10 MB": `"${"x".repeat(10_000_000)}"`,
    "a million names": `{${million}}`,
    "100,000 nested arrays": "[".repeat(100_000) + "]".repeat(100_000),
    "100,000 nested objects": `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
    "a million times the same name": `{${'"a":1,'.repeat(1_000_000)}"a":1}`,
    "a million names and one again": `{${million},"k0":1}`,
    "a million faults": `[${'"\\ud800",'.repeat(1_000_000)}1]`,
    "many faults under a long name": `{"${"n".repeat(5_000_000)}":[${"1e999,".repeat(99)}1]}`,
    "many faults behind many lines": `${"\n".repeat(5_000_000)}[${"1e999,\n".repeat(99)}1]`,
    "a number of 10 MB": "1".repeat(10_000_000),
    "brackets that never close": "[".repeat(10_000_000),
    "a string that never closes": `"${"\\\\".repeat(5_000_000)}`,
  };
  for (const [name, text] of Object.entries(bodies)) {
    test(name, () => {
      const bytes = Buffer.from(text);
      const start = performance.now();
      try {
        parse(bytes, { maxDepth: 1_000_000 });
      } catch (thrown) {
        assert.ok(thrown instanceof Problem);
      }
      // Half a second is usual. What grows faster than the body would take minutes.
      assert.ok(performance.now() - start < 10_000);
    });
  }
});

/** Writes a value as JSON text, with one of its names given again at the end of its object. */
function plantDuplicate(
  root: unknown,
  seed: number,
  escapes: boolean,
): { text: string; pointer: string } | undefined {
  const members: { object: object; name: string; path: (string | number)[] }[] = [];
  const collect = (value: unknown, path: (string | number)[]): void => {
    if (typeof value !== "object" || value === null) {
      return;
    }
    for (const [name, child] of Object.entries(value)) {
      const step = Array.isArray(value) ? Number(name) : name;
      if (!Array.isArray(value)) {
        members.push({ object: value, name, path: [...path, step] });
      }
      collect(child, [...path, step]);
    }
  };
  collect(root, []);
  const chosen = members[seed % members.length];
  if (chosen === undefined) {
    return undefined;
  }
  const writeName = (name: string): string =>
    escapes
      ? `"${name.replaceAll(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`
      : JSON.stringify(name);
  const write = (value: unknown): string => {
    if (Array.isArray(value)) {
      return `[${value.map(write).join(",")}]`;
    }
    if (typeof value !== "object" || value === null) {
      return JSON.stringify(value);
    }
    const written = Object.entries(value).map(
      ([name, child]) => `${JSON.stringify(name)}:${write(child)}`,
    );
    if (value === chosen.object) {
      written.push(`${writeName(chosen.name)}:0`);
    }
    return `{${written.join(", ")}}`;
  };
  return { text: write(root), pointer: pointer(chosen.path) };
}

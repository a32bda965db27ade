import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseQuery } from "../../src/content/query.ts";
import { faultsOf, problemOf } from "./problem-of.ts";

const pairs = (search: string): string[][] =>
  parseQuery(search).map(({ name, value }) => [name, value]);

suite("a query", () => {
  for (const [search, expected] of [
    ["", []],
    ["?", []],
    [
      "?a=1&b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1&a=2&A=3",
      [
        ["a", "1"],
        ["a", "2"],
        ["A", "3"],
      ],
    ],
    ["a", [["a", ""]]],
    ["a=", [["a", ""]]],
    ["=1", [["", "1"]]],
    ["a=b=c", [["a", "b=c"]]],
    [
      "&a=1&&b=2&",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["a=1+2%2B3%20", [["a", "1 2+3 "]]],
    ["na+me=%C3%A9%E6%BC%A2%F0%9F%98%80", [["na me", "é漢😀"]]],
    ["filter%5Bage%5D=%3E30", [["filter[age]", ">30"]]],
    ["__proto__=1", [["__proto__", "1"]]],
  ] as const) {
    test(`is read from ${JSON.stringify(search)}`, () => {
      assert.deepEqual(pairs(search), expected);
    });
  }

  test("names every parameter that can't be decoded", () => {
    assert.deepEqual(
      faultsOf("invalid-query", () =>
        parseQuery("ok=1&a=%zz&b=%&c=%C3&%ff=1&d=%ED%A0%80&e=%C0%AF&f=é&g=a b&h=%4"),
      ),
      ["a", "b", "c", "%ff", "d", "e", "f", "g", "h"].map((name) => `${name} malformed_encoding`),
    );
  });

  test("has at most 100 parameters", () => {
    const search = Array.from({ length: 100 }, (_, i) => `p${i}=${i}`).join("&");
    assert.equal(parseQuery(search).length, 100);
    const problem = problemOf("invalid-query", () => parseQuery(`${search}&more=1`));
    assert.match(problem.details.detail ?? "", /101 parameters/);
  });

  test("reads what URLSearchParams writes", () => {
    const texts = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, texts), { maxLength: 20 }), (expected) => {
        assert.deepEqual(pairs(`${new URLSearchParams(expected)}`), expected);
      }),
    );
  });
});

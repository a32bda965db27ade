import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { charsetOf, parseMediaType } from "../../src/content/media-type.ts";

const read = (header: string): unknown => {
  const mediaType = parseMediaType(header);
  return mediaType && [mediaType.type, Object.fromEntries(mediaType.parameters)];
};

suite("a media type", () => {
  for (const [header, expected] of [
    ["application/json", ["application/json", {}]],
    ["Application/JSON", ["application/json", {}]],
    [" application/json\t", ["application/json", {}]],
    [
      "application/merge-patch+json;charset=UTF-8",
      ["application/merge-patch+json", { charset: "UTF-8" }],
    ],
    ['text/html ; Charset="utf-8" ;x=1', ["text/html", { charset: "utf-8", x: "1" }]],
    ['a/b;x="a;b, \\"c\\" \\\\"', ["a/b", { x: 'a;b, "c" \\' }]],
    ['a/b;x=""', ["a/b", { x: "" }]],
    ["a/b;;x=1;", ["a/b", { x: "1" }]],
    ["a/b ; ", ["a/b", {}]],
    ["a/b;__proto__=1", ["a/b", { ["__proto__"]: "1" }]],
  ] as const) {
    test(`is read from ${header}`, () => {
      assert.deepEqual(read(header), expected);
    });
  }

  for (const header of [
    "",
    "json",
    "application/",
    "/json",
    "application /json",
    "application/json/x",
    "application/json, text/html",
    "application/json charset=utf-8",
    "application/json;charset",
    "application/json;charset=",
    "application/json;charset =utf-8",
    "application/json;charset= utf-8",
    "application/json;charset=utf-8;CHARSET=utf-16",
    'a/b;x="unclosed',
    'a/b;x="a"b',
    "a/b;x=ä",
    "a/b\n",
    "a\u00a0/b",
  ]) {
    test(`is not read from ${JSON.stringify(header)}`, () => {
      assert.equal(parseMediaType(header), undefined);
    });
  }

  test("has the charset utf-8 unless it names another", () => {
    assert.equal(charsetOf(parseMediaType("application/json")!), "utf-8");
    assert.equal(charsetOf(parseMediaType("application/json;charset=UTF-8")!), "utf-8");
    assert.equal(charsetOf(parseMediaType('application/json;charset="Latin1"')!), "latin1");
  });

  test("is the same read again, and after many others", () => {
    const first = parseMediaType("text/plain;a=b");
    assert.equal(parseMediaType("text/plain;a=b"), first);
    for (let i = 0; i < 1000; i++) {
      assert.equal(parseMediaType(`text/x${i}`)?.type, `text/x${i}`);
    }
    assert.deepEqual(parseMediaType("text/plain;a=b"), first);
  });

  test("is read or not in little time, whatever the header", () => {
    for (const header of [
      `a/b${" ".repeat(100_000)}x`,
      `a/b${" ; ".repeat(50_000)}=`,
      `a/b;x="${"\\a".repeat(50_000)}`,
    ]) {
      const start = performance.now();
      assert.equal(parseMediaType(header), undefined);
      assert.ok(performance.now() - start < 1000);
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (header) => void parseMediaType(header)),
    );
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  type ConditionalHeaders,
  evaluateConditions,
  parseEntityTags,
} from "../../src/content/conditions.ts";
import { parseHttpDate } from "../../src/content/http-date.ts";
import { faultsOf } from "./problem-of.ts";

const SECOND = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";
const NOW = { etag: '"v2"', lastModified: Date.UTC(1994, 10, 6, 8, 49, 37, 999) };
const IN_2026 = { now: () => Date.UTC(2026, 0, 1) };

const evaluate = (
  method: string,
  headers: ConditionalHeaders,
  current: typeof NOW | undefined = NOW,
) => evaluateConditions(method, headers, current, IN_2026);

suite("conditions on a record that exists", () => {
  for (const [method, headers, expected] of [
    ["GET", {}, "proceed"],
    ["PUT", { "if-match": '"v2"' }, "proceed"],
    ["PUT", { "if-match": '"v1"' }, "precondition-failed"],
    ["GET", { "if-match": '"v1"' }, "precondition-failed"],
    ["PUT", { "if-match": '"v1", "v2"' }, "proceed"],
    ["PUT", { "if-match": "*" }, "proceed"],
    ["PUT", { "if-match": 'W/"v2"' }, "precondition-failed"],
    ["PUT", { "if-match": "" }, "precondition-failed"],
    ["PUT", { "if-match": '"a,"v2"' }, "malformed"],
    ["PUT", { "if-match": '"a,b","v2"' }, "proceed"],
    ["PUT", { "if-none-match": "*" }, "precondition-failed"],
    ["PUT", { "if-none-match": '"v2"' }, "precondition-failed"],
    ["PUT", { "if-none-match": '"v1"' }, "proceed"],
    ["GET", { "if-none-match": '"v2"' }, "not-modified"],
    ["HEAD", { "if-none-match": '"v2"' }, "not-modified"],
    ["GET", { "if-none-match": 'W/"v2"' }, "not-modified"],
    ["GET", { "if-none-match": '"v1" , W/"v2"' }, "not-modified"],
    ["GET", { "if-none-match": '"V2"' }, "proceed"],
    ["GET", { "if-none-match": "*" }, "not-modified"],
    ["GET", { "if-modified-since": SECOND }, "not-modified"],
    ["GET", { "if-modified-since": AFTER }, "not-modified"],
    ["HEAD", { "if-modified-since": AFTER }, "not-modified"],
    ["GET", { "if-modified-since": BEFORE }, "proceed"],
    ["GET", { "if-modified-since": "yesterday" }, "proceed"],
    ["PUT", { "if-modified-since": AFTER }, "proceed"],
    ["GET", { "if-none-match": '"v1"', "if-modified-since": AFTER }, "proceed"],
    ["GET", { "if-none-match": '"v2"', "if-modified-since": BEFORE }, "not-modified"],
    ["DELETE", { "if-unmodified-since": SECOND }, "proceed"],
    ["DELETE", { "if-unmodified-since": AFTER }, "proceed"],
    ["DELETE", { "if-unmodified-since": BEFORE }, "precondition-failed"],
    ["DELETE", { "if-unmodified-since": "1994-11-06" }, "proceed"],
    ["DELETE", { "if-match": '"v2"', "if-unmodified-since": BEFORE }, "proceed"],
    ["GET", { "if-match": '"v1"', "if-none-match": '"v2"' }, "precondition-failed"],
    ["GET", { "if-match": '"v2"', "if-none-match": '"v2"' }, "not-modified"],
    ["GET", { "if-unmodified-since": BEFORE, "if-none-match": '"v2"' }, "precondition-failed"],
  ] as const) {
    test(`${method} with ${JSON.stringify(headers)}: ${expected}`, () => {
      if (expected === "malformed") {
        assert.throws(() => evaluate(method, headers));
      } else {
        assert.equal(evaluate(method, headers), expected);
      }
    });
  }
});

suite("conditions on a record that does not exist", () => {
  for (const [headers, expected] of [
    [{}, "proceed"],
    [{ "if-match": "*" }, "precondition-failed"],
    [{ "if-match": '"v1"' }, "precondition-failed"],
    [{ "if-none-match": "*" }, "proceed"],
    [{ "if-none-match": '"v1"' }, "proceed"],
    [{ "if-unmodified-since": BEFORE }, "proceed"],
  ] as const) {
    test(`PUT with ${JSON.stringify(headers)}: ${expected}`, () => {
      assert.equal(evaluateConditions("PUT", headers, undefined), expected);
    });
  }
});

suite("entity tags", () => {
  for (const [header, expected] of [
    ["*", "*"],
    [" * ", "*"],
    ['"a"', ['"a"']],
    ['""', ['""']],
    ['"a", W/"b","c"', ['"a"', 'W/"b"', '"c"']],
    [', "a" ,,"b",', ['"a"', '"b"']],
    ['"a,b", "W/", "\\"', ['"a,b"', '"W/"', '"\\"']],
    ['"\u00e9"', ['"\u00e9"']],
    ["", []],
  ] as const) {
    test(`are read from ${JSON.stringify(header)}`, () => {
      const tags = parseEntityTags(header);
      assert.deepEqual(
        Array.isArray(tags) ? tags.map((tag) => (tag.weak ? "W/" : "") + tag.opaque) : tags,
        expected,
      );
    });
  }

  for (const header of [
    "v1",
    '"v1',
    'v1"',
    "'v1'",
    'w/"v1"',
    'W/ "v1"',
    "W/",
    '"a" "b"',
    '"a b"',
    '*, "a"',
    '"a", *',
    "**",
    '"\u0101"',
  ]) {
    test(`are refused in ${header}`, () => {
      assert.equal(parseEntityTags(header), undefined);
      const none = { "if-none-match": header };
      assert.deepEqual(
        [
          ...faultsOf("malformed-header", () => evaluate("PUT", { "if-match": header })),
          ...faultsOf("malformed-header", () => evaluate("GET", none)),
          ...faultsOf("malformed-header", () => evaluateConditions("PUT", none, undefined)),
        ],
        ["If-Match", "If-None-Match", "If-None-Match"].map(
          (name) => `${name} malformed_entity_tag`,
        ),
      );
    });
  }
});

suite("an HTTP date", () => {
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (const [text, expected] of [
    ["Sun, 06 Nov 1994 08:49:37 GMT", time],
    ["Sunday, 06-Nov-94 08:49:37 GMT", time],
    ["Sun Nov  6 08:49:37 1994", time],
    ["Wed, 06-Nov-94 08:49:37 GMT", undefined],
    ["Wednesday, 01-Jan-76 00:00:00 GMT", Date.UTC(2076, 0, 1)],
    ["Friday, 01-Jan-77 00:00:00 GMT", Date.UTC(1977, 0, 1)],
    ["Thu, 29 Feb 2024 23:59:59 GMT", Date.UTC(2024, 1, 29, 23, 59, 59)],
    ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
    ["Sat, 01 Jan 0050 00:00:00 GMT", new Date("0050-01-01T00:00:00Z").getTime()],
    ["Wed, 29 Feb 2023 00:00:00 GMT", undefined],
    ["Sun, 00 Nov 1994 08:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 24:00:00 GMT", undefined],
    ["Sun, 06 Nov 1994 08:49:37 UTC", undefined],
    ["Sun, 06 Nov 1994 08:49:37", undefined],
    ["sun, 06 nov 1994 08:49:37 gmt", undefined],
    ["Sun, 6 Nov 1994 08:49:37 GMT", undefined],
    ["1994-11-06T08:49:37Z", undefined],
    ["784111777", undefined],
    ["", undefined],
  ] as const) {
    test(`${text}: ${expected}`, () => {
      assert.equal(parseHttpDate(text, IN_2026), expected);
    });
  }

  test("is read as JavaScript writes it", () => {
    for (let day = 0; day < 20_000; day += 13) {
      const date = new Date(day * 86_400_000 + 12_345_000);
      assert.equal(parseHttpDate(date.toUTCString()), date.getTime());
    }
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parsePrefer } from "../../src/content/preferences.ts";

suite("a Prefer header", () => {
  for (const [header, expected] of [
    [undefined, {}],
    ["", {}],
    ["return=minimal", { return: "minimal" }],
    ["return=representation", { return: "representation" }],
    ['Return="minimal"', { return: "minimal" }],
    ["return = minimal", { return: "minimal" }],
    ["return=MINIMAL", {}],
    ["return=everything", {}],
    ["return", {}],
    ["return=minimal, return=representation", { return: "minimal" }],
    ["return=everything, return=minimal", {}],
    ["respond-async", { respondAsync: true }],
    ["RESPOND-ASYNC", { respondAsync: true }],
    ['respond-async=""', { respondAsync: true }],
    ["respond-async=", { respondAsync: true }],
    ["respond-async=yes", {}],
    ["respond-async, wait=10", { respondAsync: true, wait: 10 }],
    ["wait=0", { wait: 0 }],
    ['wait="10"', { wait: 10 }],
    ["wait=-1", {}],
    ["wait=1.5", {}],
    ["wait=soon", {}],
    ["wait=99999999999999999999", {}],
    ["wait=1, wait=2", { wait: 1 }],
    ["handling=lenient, depth-noroot;x=1, return=minimal", { return: "minimal" }],
    ['foo; some="a, return=representation", return=minimal;x="y"', { return: "minimal" }],
    ["=broken, return=minimal", { return: "minimal" }],
    ["return=minimal garbage, wait=3", { wait: 3 }],
    [",, wait=3 ,", { wait: 3 }],
    ["__proto__=minimal, constructor", {}],
  ] as const) {
    test(`reads ${header}`, () => {
      assert.deepEqual(parsePrefer(header), expected);
    });
  }

  test("never fails", () => {
    fc.assert(fc.property(fc.string(), (header) => void parsePrefer(header)));
  });
});

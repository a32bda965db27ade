import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { negotiate } from "../../src/content/accept.ts";

const JSON_XML = ["application/json", "application/xml"];

suite("an Accept header", () => {
  for (const [title, accept, expected] of [
    ["that is absent accepts everything", undefined, "application/json"],
    ["with */* accepts everything", "*/*", "application/json"],
    ["that is empty accepts everything", " , ", "application/json"],
    ["picks what it names", "application/xml", "application/xml"],
    ["is read without regard to case", "Application/XML", "application/xml"],
    ["fits a subtype wildcard", "application/*", "application/json"],
    ["fits nothing", "text/html", undefined],
    ["goes by weight", "application/json;q=0.8, application/xml;q=0.9", "application/xml"],
    ["has the weight 1 by default", "application/json;q=0.9, application/xml", "application/xml"],
    ["excludes with weight 0", "application/json;q=0, */*;q=0.1", "application/xml"],
    [
      "excludes with weight 0 against a wildcard before",
      "*/*, application/json;q=0.000",
      "application/xml",
    ],
    ["may exclude everything", "*/*;q=0", undefined],
    [
      "lets the more specific range decide",
      "application/xml;q=0.1, application/*;q=0.5, */*",
      "application/json",
    ],
    ["prefers what it names over what it merely allows", "*/*, application/xml", "application/xml"],
    [
      "prefers what it names first among equals",
      "application/xml, application/json",
      "application/xml",
    ],
    [
      "takes white space and empty elements",
      " ,application/xml ; q=1.0 ,, text/html",
      "application/xml",
    ],
    ["takes Q for q", "application/json;Q=0.1, application/xml;q=0.2", "application/xml"],
    ["may ask for UTF-8", "application/xml; charset=UTF-8", "application/xml"],
    ["can't ask for another charset", "application/xml; charset=latin1", undefined],
    ["can't ask for a parameter that nothing has", "application/json;version=2", undefined],
    [
      "keeps commas within quotes together",
      'text/x;a=",application/xml,", application/json;q=0.1',
      "application/json",
    ],
    [
      "knows an escaped quote",
      'text/x;a="\\",application/xml,", application/json;q=0.1',
      "application/json",
    ],
    [
      "takes the higher of two weights",
      "application/xml;q=0.1, application/json;q=0.5, application/xml",
      "application/xml",
    ],
    [
      "of a browser",
      "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "application/xml",
    ],
    [
      "of an old Java client",
      "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
      "application/json",
    ],
    ["that can't be read counts as anything", "garbage", "application/json"],
    [
      "that can't be read in part still counts in the other",
      "garbage, application/xml",
      "application/xml",
    ],
    [
      "that can't be read in part still excludes in the other",
      "garbage, application/json;q=0",
      "application/xml",
    ],
    ["has no weight beyond 1", "application/xml;q=2, application/json;q=0.5", "application/json"],
    ["has no weight below 0", "application/xml;q=-1, application/json;q=0.5", "application/json"],
    [
      "has no weight in words",
      "application/xml;q=high, application/json;q=0.5",
      "application/json",
    ],
    ["has no empty weight", "application/xml;q=, application/json;q=0.5", "application/json"],
    ["has no type wildcard with a subtype", "*/xml, application/json;q=0.5", "application/json"],
  ] as const) {
    test(title, () => {
      assert.equal(negotiate(accept, JSON_XML), expected);
    });
  }

  test("finds the media types of RFC 9110 section 12.5.1 by their weights", () => {
    const accept =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
    const order = [
      "text/plain;format=flowed",
      "text/plain",
      "image/jpeg",
      "text/plain;format=fixed",
      "text/html",
    ];
    for (let first = 0; first < order.length; first++) {
      assert.equal(negotiate(accept, order.slice(first).reverse()), order[first]);
    }
  });

  test("lets more parameters decide over fewer", () => {
    const accept = "text/html;level=1;x=1;q=0.1, text/html;level=1;q=0.9, text/html;q=0.5";
    assert.equal(negotiate(accept, ["text/html;level=1;x=1", "text/html"]), "text/html");
  });

  test("takes the server's preference among equals", () => {
    assert.equal(negotiate("application/*", [...JSON_XML].reverse()), "application/xml");
  });

  test("gives one of the available types, whatever it says", () => {
    const words = fc.constantFrom(
      "application/json",
      "application/*",
      "*/*",
      "*",
      ";q=0",
      ";q=0.5",
      ";q",
      ",",
      " ",
      '"',
      "\\",
      "text/x",
      ";a=1",
    );
    fc.assert(
      fc.property(
        fc.array(words).map((parts) => parts.join("")),
        (accept) => {
          assert.ok([...JSON_XML, undefined].includes(negotiate(accept, JSON_XML)));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

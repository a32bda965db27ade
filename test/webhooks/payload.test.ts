import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { webhookPayload } from "../../src/webhooks/payload.ts";

const at = Date.UTC(2026, 1, 3, 4, 5, 6, 7);

suite("The body of a webhook", () => {
  test("says what happened, when, and to what", () => {
    const payload = webhookPayload({
      type: "user.created",
      at,
      data: { id: 1, tags: ["ü", null] },
    });
    const expected =
      '{"type":"user.created","timestamp":"2026-02-03T04:05:06.007Z","data":{"id":1,"tags":["ü",null]}}';
    assert.equal(payload, expected);
  });

  test("has a type of identifiers with full stops between them", () => {
    for (const type of ["a", "user.created", "A_1.b.c", "x".repeat(128)]) {
      assert.equal(JSON.parse(webhookPayload({ type, at, data: null })).type, type);
    }
    for (const type of ["", ".", "a.", ".a", "a..b", "a-b", "a b", "ü", "a\n", "x".repeat(129)]) {
      assert.throws(() => webhookPayload({ type, at, data: null }), TypeError, type);
    }
  });

  test("needs a time and data", () => {
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 9e15]) {
      assert.throws(() => webhookPayload({ type: "a", at: time, data: null }), TypeError);
    }
    assert.throws(() => webhookPayload({ type: "a", at, data: undefined as never }), /no data/);
  });

  test("is bounded in bytes, and what fits exactly passes", () => {
    const empty = Buffer.byteLength(webhookPayload({ type: "a", at, data: "" }));
    const data = "x".repeat(65_536 - empty);
    assert.equal(webhookPayload({ type: "a", at, data }).length, 65_536);
    assert.throws(() => webhookPayload({ type: "a", at, data: `${data}x` }), RangeError);
    assert.throws(() => webhookPayload({ type: "a", at, data: `${data.slice(1)}ü` }), RangeError);
    assert.throws(
      () => webhookPayload({ type: "a", at, data: "x" }, { maxBytes: empty }),
      /Send ids instead/,
    );
  });
});

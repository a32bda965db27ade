import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { retryAfterMs } from "../../src/webhooks/retry-after.ts";

const clock = { now: () => Date.UTC(1994, 10, 6, 8, 49, 0) };
const maxMs = 86_400_000;

suite("Retry-After", () => {
  for (const [field, milliseconds] of [
    ["0", 0],
    ["120", 120_000],
    ["86400", maxMs],
    ["86401", maxMs],
    ["9".repeat(400), maxMs],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37_000],
    ["Sun Nov  6 08:49:37 1994", 37_000],
    ["Sun, 06 Nov 1994 08:48:00 GMT", 0],
    ["Sun, 06 Nov 2044 08:49:37 GMT", maxMs],
    [undefined, undefined],
    ["", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["0x10", undefined],
    ["1e3", undefined],
    ["soon", undefined],
    ["1994-11-06T08:49:37Z", undefined],
    ["Sun, 06 Nov 1994 08:49:37 +0200", undefined],
    ["Sun, 06 Nov 1994 08:49:37", undefined],
    ["Sun, 99 Nov 1994 08:49:37 GMT", undefined],
  ] as const) {
    test(`${JSON.stringify(field)?.slice(0, 40)} is ${milliseconds}`, () => {
      assert.equal(retryAfterMs(field, clock, maxMs), milliseconds);
    });
  }

  test("a date is read in UTC, whatever the zone of this machine", () => {
    const zone = process.env.TZ;
    process.env.TZ = "America/New_York";
    try {
      assert.notEqual(new Date(0).getTimezoneOffset(), 0);
      assert.equal(retryAfterMs("Sun Nov  6 08:49:37 1994", clock, maxMs), 37_000);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

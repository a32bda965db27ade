import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, suite, test } from "node:test";
import fc from "fast-check";
import { parseKey } from "../../src/idempotency/key.ts";
import { Problem } from "../../src/kernel/problems.ts";
import keyedApi from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, keyed } from "../support/keyed.ts";
import { assertProblem, detailAt, faultsOf } from "../support/problem.ts";
import { exchange, post, problemIn, typeOf } from "../support/raw-http.ts";
import { inBothModes } from "../support/scenario.ts";

const SEED = Number(process.env.POSTHASTE_SEED ?? 20_260_202);
const longest = (last: string) => `${randomUUID()}${last}`.padStart(255, "k");

/** Value of the header field, and what its refusal says. */
const bad: readonly (readonly [string, string, RegExp])[] = [
  ["empty", "", /is empty/],
  ["of spaces alone", "   ", /is empty/],
  ["an empty String", '""', /is empty/],
  ["of 256 characters", "k".repeat(256), /more than 255 characters/],
  ["of 257 characters", "k".repeat(257), /more than 255 characters/],
  ["of 10,000 characters", "k".repeat(10_000), /more than 255 characters/],
  ["a String of 256 characters", `"${"k".repeat(256)}"`, /more than 255 characters/],
  ["with a space inside", "a b", /characters/],
  ["a String with a space", '"a b"', /characters/],
  ["with a tab", "a\tb", /characters/],
  ["of bytes that are not ASCII", "caf\xe9", /characters/],
  ["a String that is not ASCII", '"caf\xe9"', /characters/],
  ["of two keys", "a,b", /comma/],
  ["of two Strings", '"a", "b"', /comma/],
  ["a String that does not end", '"abc', /characters/],
  ["a String that does not begin", 'abc"', /characters/],
  ["a String with a quote inside", '"a"b"', /characters/],
  ["a String with an escape of something else", '"a\\b"', /characters/],
  ["a String that ends in its escape", '"abc\\"', /characters/],
  ["a String with parameters", '"abc";a=1', /characters/],
  ["with a backslash", "a\\b", /characters/],
];

suite("The Idempotency-Key header field", () => {
  inBothModes(new URL("../fixtures/keyed.ts", import.meta.url), keyedApi, (served) => {
    describe("is refused with 400 before anything is done, when it is", () => {
      for (const [what, value, reason] of bad) {
        test(what, async () => {
          const body = { title: "never made" };
          const bytes = post("/api/orders", body, { "Idempotency-Key": value });
          const answer = await exchange(served.origin, bytes);
          const problem = problemIn(answer);
          assert.equal(answer.status, 400);
          assert.equal(typeOf(problem), "malformed-header");
          assert.equal(problem.errors?.length, 1);
          const [fault] = problem.errors;
          assert.equal(fault?.header, "Idempotency-Key");
          assert.equal(fault?.code, "invalid_key");
          assert.match(fault?.detail ?? "", reason);
          assert.match(problem.detail, /Idempotency-Key .* 1 to 255 visible ASCII characters/);
          assert.deepEqual(served.rows("orders"), []);
          assert.deepEqual(served.rows("effects"), []);
        });
      }

      test("sent on two lines, also where both say the same", async () => {
        for (const [first, second] of [
          ["a", "b"],
          ["a", "a"],
          ['"a', 'b"'],
          ["", ""],
        ]) {
          const bytes = post(
            "/api/orders",
            { title: "x" },
            { "Idempotency-Key": `${first}\r\nIdempotency-Key: ${second}` },
          );
          const answer = await exchange(served.origin, bytes);
          assert.equal(answer.status, 400);
          assert.equal(problemIn(answer).errors?.[0]?.header, "Idempotency-Key");
        }
        assert.deepEqual(served.rows("orders"), []);
      });

      test("of control characters: that is no HTTP", async () => {
        for (const character of ["\0", "\x01", "\x7f", "\x1b"]) {
          const bytes = post("/api/orders", { title: "x" }, { "Idempotency-Key": `a${character}` });
          const { status } = await exchange(served.origin, bytes);
          assert.equal(status, 400, JSON.stringify(character));
        }
        assert.deepEqual(served.rows("orders"), []);
      });
    });

    test("takes every visible character in a String, and all but three in a bare key", async () => {
      const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
      const all = visible.join("");
      const bare = all.replaceAll(/["\\,]/g, "");
      const string = `"${all.replaceAll(/["\\]/g, "\\$&")}"`;
      for (const key of [bare, string]) {
        const body = { title: "made" };
        assertFirst(await served.post("/orders", body, keyed(key)), 201);
        assert.equal((await served.post("/orders", body, keyed(key))).status, 201);
      }
      assert.equal(served.rows("orders").length, 2);
    });

    test("names the same key bare and as a String, whatever stands around it", async () => {
      const key = `order:${randomUUID()}`;
      const first = await served.post("/orders", { title: "one" }, keyed(key));
      assertFirst(first, 201);
      for (const form of [`"${key}"`, ` ${key}`, `"${key}"  `, `\t${key}`]) {
        assertReplay(first, await served.post("/orders", { title: "one" }, keyed(form)));
      }
      assert.equal(served.rows("orders").length, 1);
    });

    test("names the key that a String's escapes stand for", async () => {
      const id = randomUUID();
      const first = await served.post("/orders", { title: "one" }, keyed(`"${id}\\"\\\\"`));
      assertFirst(first, 201);
      const other = await served.post("/orders", { title: "one" }, keyed(`"${id}\\\\\\""`));
      assertFirst(other, 201);
      assertReplay(first, await served.post("/orders", { title: "one" }, keyed(`"${id}\\"\\\\"`)));
      assert.equal(served.rows("orders").length, 2);
    });

    test("has up to 255 characters, and tells keys apart by the last of them", async () => {
      const [a, b] = [longest("a"), longest("b")];
      assert.equal(a.length, 255);
      const first = await served.post("/orders", { title: "one" }, keyed(a));
      assertFirst(first, 201);
      assertFirst(await served.post("/orders", { title: "one" }, keyed(b)), 201);
      assertReplay(first, await served.post("/orders", { title: "one" }, keyed(`"${a}"`)));
      assert.equal(served.rows("orders").length, 2);
    });

    test("counts the characters of the key, and not those that escape them", async () => {
      const key = `${randomUUID()}${'\\"'.repeat(219)}`;
      assertFirst(await served.post("/orders", { title: "one" }, keyed(`"${key}"`)), 201);
      assertProblem(
        await served.post("/orders", { title: "one" }, keyed(`"${key}x"`)),
        400,
        "malformed-header",
      );
      assert.equal(served.rows("orders").length, 1);
    });

    test("tells letters in upper case from those in lower case", async () => {
      const key = randomUUID();
      await served.post("/orders", { title: "one" }, keyed(`a-${key}`));
      assertFirst(await served.post("/orders", { title: "one" }, keyed(`A-${key}`)), 201);
    });

    test("is judged before the body: a bad one with a bad body is told of the key", async () => {
      const answer = await served.post("/orders", "{", keyed("a b"));
      const problem = assertProblem(answer, 400, "malformed-header");
      assert.deepEqual(faultsOf(problem), ["Idempotency-Key invalid_key"]);
      assert.ok(detailAt(problem, "Idempotency-Key").length > 0);
    });
  });
});

suite("The reader of keys", () => {
  const visible = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 255,
  });

  test("throws a problem that names the header field for whatever is no key, and nothing else", () => {
    const character = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    const tricky = fc.constantFrom('"', "\\", ",", " ", "a", "k".repeat(255));
    const field = fc.string({ unit: fc.oneof(character, tricky), maxLength: 300 });
    let keys = 0;
    fc.assert(
      fc.property(field, (text) => {
        try {
          assert.match(parseKey(text), /^[\x21-\x7e]{1,255}$/);
          keys++;
        } catch (error) {
          assert.ok(error instanceof Problem, String(error));
          assert.equal(error.type, "malformed-header");
          assert.equal(error.details.errors?.[0]?.header, "Idempotency-Key");
        }
      }),
      { numRuns: 3_000, seed: SEED },
    );
    assert.ok(keys > 20, `only ${keys} keys among 3,000 fields`);
  });

  test("reads every key back from its String, and from itself where that is allowed", () => {
    fc.assert(
      fc.property(visible, (key) => {
        assert.equal(parseKey(`"${key.replaceAll(/["\\]/g, "\\$&")}"`), key);
        if (!/["\\,]/.test(key)) assert.equal(parseKey(key), key);
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });

  test("takes no longer for a key that fails at its very end", () => {
    const began = performance.now();
    for (const text of [`"${"\\\\".repeat(8_000)}`, `"${"a".repeat(16_000)}`, "a".repeat(16_000)])
      assert.throws(() => parseKey(text), Problem);
    assert.ok(performance.now() - began < 100);
  });
});

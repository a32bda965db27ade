import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { claimDigest, fingerprint } from "../../src/idempotency/fingerprint.ts";
import type { Json } from "../../src/kernel/json.ts";
import keyedApi from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const SEED = Number(process.env.POSTHASTE_SEED ?? 20_260_202);
const JSON_TYPE = { "content-type": "application/json" };

suite("The same request with the same key", () => {
  inBothModes(new URL("../fixtures/keyed.ts", import.meta.url), keyedApi, (served) => {
    const original =
      '{"title":"Zo\\u00eb","amount":1,"extra":{"a":[1,2,{"b":null}],"c":"x/y","d":{},"e":[]}}';

    for (const [what, text] of [
      [
        "with its members in another order, at every depth",
        '{"extra":{"e":[],"d":{},"c":"x/y","a":[1,2,{"b":null}]},"amount":1,"title":"Zo\\u00eb"}',
      ],
      [
        "with other white space",
        '\r\n{ "title" : "Zo\\u00eb",\t"amount":1 , "extra":{"a":[ 1 ,2,{"b":null}],"c":"x/y","d":{ },"e":[\n]}} ',
      ],
      ["with 1.0 for 1", original.replace('"amount":1', '"amount":1.0')],
      ["with 1e0 for 1", original.replace('"amount":1', '"amount":1e0')],
      ["with 10e-1 for 1", original.replace('"amount":1', '"amount":10E-1')],
      ["with characters for their escapes", original.replace("\\u00eb", "ë")],
      ["with escapes in upper case", original.replace("\\u00eb", "\\u00EB")],
      ["with escapes for characters, in names too", original.replace('"title"', '"\\u0074itle"')],
      ["with an escaped slash", original.replace("x/y", "x\\/y")],
      ["with a byte order mark", `\ufeff${original}`],
    ] as const) {
      test(`is a replay ${what}`, async () => {
        const headers = keyed();
        const first = await served.request(
          "POST",
          "/orders",
          { ...JSON_TYPE, ...headers },
          original,
        );
        assertFirst(first, 201);
        const again = await served.request("POST", "/orders", { ...JSON_TYPE, ...headers }, text);
        assertReplay(first, again);
        assert.equal(served.rows("orders").length, 1);
      });
    }

    test("is a replay with other header fields, since they are not what is asked for", async () => {
      const headers = keyed();
      const first = await served.post("/orders", { title: "a" }, headers);
      for (const other of [
        { "content-type": "application/json; charset=UTF-8" },
        { accept: "application/json;q=0.5, text/html" },
        { "user-agent": "another one", "x-request-id": "1" },
        { prefer: "return=minimal" },
      ]) {
        assertReplay(first, await served.post("/orders", { title: "a" }, { ...headers, ...other }));
      }
      assert.equal(served.rows("orders").length, 1);
    });
  });
});

suite("Another request with the same key is 422, and the answer of the first stays", () => {
  inBothModes(new URL("../fixtures/keyed.ts", import.meta.url), keyedApi, (served) => {
    const body = { title: "a", amount: 1, extra: { list: [1, 2], text: "x" } };
    const asText = JSON.stringify(body);

    for (const [what, path, sent] of [
      ["another value", "/orders", asText.replace('"x"', '"X"')],
      ["a member more", "/orders", asText.replace("{", '{"number":"1",')],
      ["a member that has its default anyway", "/orders", asText.replace(',"amount":1', "")],
      ["null for a member that is left out", "/orders", asText.replace('"x"', '"x","none":null')],
      ["another order in an array", "/orders", asText.replace("[1,2]", "[2,1]")],
      ["a number as text", "/orders", asText.replace("[1,2]", '["1",2]')],
      ["a query", "/orders?trace=1", asText],
    ] as const) {
      test(`for ${what}`, async () => {
        const headers = { ...JSON_TYPE, ...keyed() };
        const first = await served.request("POST", "/orders", headers, asText);
        assertFirst(first, 201);
        const other = await served.request("POST", path, headers, sent);
        const problem = assertProblem(other, 422, "idempotency-key-reused");
        assert.equal(other.header("idempotent-replayed"), null);
        assert.match(problem.detail, /new key/);
        assertReplay(first, await served.request("POST", "/orders", headers, asText));
        assert.equal(served.rows("orders").length, 1);
        assert.equal(served.rows("effects").length, 1);
      });
    }

    test("for another query", async () => {
      const headers = keyed();
      const first = await served.post("/orders?trace=1", body, headers);
      assertFirst(first, 201);
      const other = await served.post("/orders?trace=2", body, headers);
      assertProblem(other, 422, "idempotency-key-reused");
      assertReplay(first, await served.post("/orders?trace=1", body, headers));
    });

    test("for another parent in the path", async () => {
      const [one, two] = [
        await served.make("/orders", { title: "1" }),
        await served.make("/orders", { title: "2" }),
      ];
      const headers = keyed();
      const first = await served.post(`${one}/lines`, { text: "a" }, headers);
      assertFirst(first, 201);
      const other = await served.post(`${two}/lines`, { text: "a" }, headers);
      assertProblem(other, 422, "idempotency-key-reused");
      assertReplay(first, await served.post(`${one}/lines`, { text: "a" }, headers));
      assert.deepEqual(
        served.rows("lines").map(({ orderId }) => orderId),
        [1],
      );
    });

    test("however often it is sent, and whatever the first answer was", async () => {
      await served.make("/orders", { title: "a", number: "1" });
      const headers = keyed();
      const first = await served.post("/orders", { title: "b", number: "1" }, headers);
      assertFirst(first, 409);
      for (let time = 0; time < 3; time++) {
        const other = await served.post("/orders", { title: "b", number: "2" }, headers);
        assertProblem(other, 422, "idempotency-key-reused");
      }
      const again = await served.post("/orders", { title: "b", number: "1" }, headers);
      assertReplay(first, again);
      assert.equal(served.rows("orders").length, 1);
    });
  });
});

/** An order of members of its own, and numbers in another form. */
function shuffled(value: Json, next: () => number): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => shuffled(item, next));
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => ({ name, member: shuffled(member as Json, next), at: next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ name, member }) => [name, member]),
  );
}

/** JSON has one zero. */
const read = (value: unknown): Json => JSON.parse(JSON.stringify(value));

suite("Fingerprints", () => {
  const source = (payload: Json) => ({
    method: "POST",
    path: "/api/orders",
    search: "",
    mediaType: "application/json",
    payload,
  });
  const of = (payload: Json) => fingerprint(source(payload));
  const payload = fc.jsonValue({ maxDepth: 5 }).map(read);

  test("are equal for payloads that differ in nothing but the order of members", () => {
    fc.assert(
      fc.property(payload, fc.infiniteStream(fc.double({ noNaN: true })), (value, numbers) => {
        const next = () => numbers.next().value as number;
        assert.equal(of(shuffled(value, next)), of(value));
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  test("are equal for two payloads where these are equal, and only there", () => {
    // Small, so that equal ones come up, and near misses too.
    const atom = fc.constantFrom<Json>(null, true, 0, 1, "", "0", "a", '","', [], {}, [[]], [{}]);
    const name = fc.constantFrom("a", "b", "", '"', "0", "1", "é", "\u{1f600}", "__proto__x");
    const small = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        atom,
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(name, tie("value"), { maxKeys: 2 }),
      ),
    })).value;
    let equals = 0;
    fc.assert(
      fc.property(small, small, (left, right) => {
        const [a, b] = [read(left), read(right)];
        const same = isDeepStrictEqual(a, b);
        if (same) equals++;
        assert.equal(of(a) === of(b), same, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
      }),
      { numRuns: 5_000, seed: SEED },
    );
    assert.ok(equals > 50, `only ${equals} equal pairs`);
  });

  test("differ for another method, path, query or media type", () => {
    const base = source({ a: 1 });
    const prints = [
      base,
      { ...base, method: "PATCH" },
      { ...base, path: "/api/orders/1" },
      { ...base, search: "a=1" },
      { ...base, mediaType: "application/merge-patch+json" },
      // The same characters, on another side of a border.
      { ...base, path: "/api/order", search: "s" },
      { ...base, path: '/api/orders","' },
      { ...base, search: '","application/json' },
    ].map(fingerprint);
    assert.equal(new Set(prints).size, prints.length);
  });

  test("of claims differ by caller, operation, kind and key, whatever is in them", () => {
    const part = fc.constantFrom("", "a", "b", '"', '","', "null", "key", "\\", "a,b");
    const owner = fc.option(part, { nil: undefined });
    const kind = fc.constantFrom("key" as const, "window" as const);
    const claim = fc.tuple(owner, part, kind, part);
    fc.assert(
      fc.property(claim, claim, (left, right) => {
        assert.equal(
          claimDigest(...left) === claimDigest(...right),
          isDeepStrictEqual(left, right),
        );
      }),
      { numRuns: 5_000, seed: SEED },
    );
  });
});

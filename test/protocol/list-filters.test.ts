import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import fixture from "../fixtures/catalogue.ts";
import { assertProblem, detailAt, faultsOf } from "../support/problem.ts";
import { servedFor } from "../support/scenario.ts";

const NOON = Date.UTC(2026, 0, 31, 12);
const SECOND = 1_000;
let now = NOON;

const products = [
  { name: "ant", price: 1, stock: 10, active: true, kind: "book", colour: "red", weight: 5 },
  { name: "bee", price: 2.5, stock: 20, active: false, kind: "film", colour: "blue" },
  { name: "cow, brown", price: -3, stock: 30, active: true, kind: "book", weight: 0.5 },
  { name: "", price: 1e10, stock: 9_007_199_254_740_991, active: false, kind: "film" },
] as const;

suite("Filters of a list", () => {
  const served = servedFor(fixture, { clock: { now: () => now } });
  const fill = async () => {
    now = NOON;
    for (const product of products) {
      await served.make("/products", product);
      now += SECOND;
    }
  };
  const find = async (query: string) => {
    const answer = await served.get(`/products?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as { id: number }[]).map(({ id }) => id);
  };
  const refuse = async (query: string) =>
    assertProblem(await served.get(`/products?${query}`), 400, "invalid-query");

  for (const [about, cases] of Object.entries({
    "a string": {
      "name=ant": [1],
      "name[eq]=ant": [1],
      "name[ne]=ant": [2, 3, 4],
      "name[gt]=ant": [2, 3],
      "name[gte]=ant": [1, 2, 3],
      "name[lt]=bee": [1, 4],
      "name[lte]=bee": [1, 2, 4],
      "name[in]=ant,bee,fly": [1, 2],
      "name=": [4],
      name: [4],
      "name=Ant": [],
      "name=an": [],
      "name=a%25": [],
      "name=cow,+brown": [3],
      "name=cow%2C%20brown": [3],
      "name%5Bgt%5D=bee": [3],
      "name='+OR+1=1--": [],
    },
    "an integer": {
      "stock=20": [2],
      "stock[ne]=20": [1, 3, 4],
      "stock[gt]=20": [3, 4],
      "stock[gte]=20": [2, 3, 4],
      "stock[lt]=20": [1],
      "stock[lte]=20": [1, 2],
      "stock[in]=10,30": [1, 3],
      "stock=9007199254740991": [4],
      "stock[gt]=-1": [1, 2, 3, 4],
    },
    "a number": {
      "price=2.5": [2],
      "price=1.0": [1],
      "price[ne]=2.5": [1, 3, 4],
      "price[gt]=1": [2, 4],
      "price[gte]=1": [1, 2, 4],
      "price[lt]=0": [3],
      "price[lte]=-3": [3],
      "price[in]=1,-3,7": [1, 3],
      "price=1e10": [4],
    },
    "a boolean": {
      "active=true": [1, 3],
      "active=false": [2, 4],
      "active[ne]=true": [2, 4],
      "active[in]=true,false": [1, 2, 3, 4],
    },
    "an enumeration": {
      "kind=film": [2, 4],
      "kind[in]=film,book": [1, 2, 3, 4],
      "kind=radio": [],
    },
    "an optional or a nullable field": {
      "colour=red": [1],
      "colour[in]=red,blue": [1, 2],
      "colour[gt]=a": [1, 2],
      "weight[gte]=0.5": [1, 3],
      "weight[lt]=1": [3],
    },
    "a time": {
      "createdAt=2026-01-31T12:00:01Z": [2],
      "createdAt=2026-01-31T12:00:01.000Z": [2],
      "createdAt=2026-01-31T14:00:01%2B02:00": [2],
      "createdAt[gt]=2026-01-31T12:00:01Z": [3, 4],
      "createdAt[lte]=2026-01-31T12:00:01Z": [1, 2],
      "updatedAt[lt]=2026-01-31T12:00:01.000Z": [1],
    },
    "several things at once": {
      "active=true&kind=book": [1, 3],
      "active=true&price[gt]=0": [1],
      "stock[gte]=10&stock[lt]=30": [1, 2],
      "stock[gte]=10&stock[lt]=30&sort=-stock&limit=1": [2],
    },
  })) {
    describe(`by ${about}`, () => {
      for (const [query, expected] of Object.entries(cases)) {
        test(`${query} finds ${expected.length === 0 ? "nothing" : expected.join(", ")}`, async () => {
          await fill();
          assert.deepEqual(await find(query), expected);
        });
      }
    });
  }

  test("a time is the same wherever the server stands: one without an offset is refused", async () => {
    await fill();
    for (const time of [
      "2026-01-31T12:00:01",
      "2026-01-31T12:00",
      "2026-01-31",
      "2026-01-31T12:00:01 UTC",
      "2026-02-30T12:00:00Z",
      "2026-13-01T12:00:00Z",
      "2026-01-00T12:00:00Z",
      "2026-01-31T25:00:00Z",
      "2026-01-31T12:60:00Z",
      "2026-01-31T12:00:00+99:00",
      "noon",
      "1769860800000",
    ]) {
      const problem = await refuse(`createdAt[gt]=${encodeURIComponent(time)}`);
      assert.deepEqual(faultsOf(problem), ["createdAt[gt] invalid_value"], time);
      assert.match(detailAt(problem, "createdAt[gt]"), /2026-01-31T12:00:00Z/);
    }
  });

  describe("that are not understood are 400, since a filter that is not applied shows too much:", () => {
    for (const [query, faults, detail] of [
      ["nmae=ant", ["nmae unknown_parameter"], /Did you mean "name"\?/],
      ["pirce[gt]=1", ["pirce[gt] unknown_parameter"], /Did you mean "price"\?/],
      ["limt=5", ["limt unknown_parameter"], /Did you mean "limit"\?/],
      ["qqqqqqqq=1", ["qqqqqqqq unknown_parameter"], undefined],
      ["page=2", ["page unknown_parameter"], undefined],
      ["offset=20", ["offset unknown_parameter"], undefined],
      ["unlisted=x", ["unlisted unknown_parameter"], undefined],
      ["details=x", ["details unknown_parameter"], undefined],
      ["id=1", ["id unknown_parameter"], undefined],
      ["__proto__=1", ["__proto__ unknown_parameter"], undefined],
      ["constructor=1", ["constructor unknown_parameter"], undefined],
      ["_version=1", ["_version unknown_parameter"], undefined],
      ["name[like]=a", ["name[like] unknown_comparison"], /eq, ne, gt, gte, lt, lte, in/],
      ["name[gte ]=a", ["name[gte ] unknown_comparison"], /Did you mean "gte"\?/],
      ["name[]=a", ["name[] unknown_comparison"], undefined],
      ["stock=ten", ["stock invalid_value"], /whole number/],
      ["stock=1.5", ["stock invalid_value"], /whole number/],
      ["stock=", ["stock invalid_value"], /whole number/],
      ["stock=9007199254740993", ["stock invalid_value"], /whole number/],
      ["stock[in]=1,x", ["stock[in] invalid_value"], /whole number/],
      ["stock[in]=", ["stock[in] invalid_value"], /whole number/],
      ["price=NaN", ["price invalid_value"], /number/],
      ["price=1e999", ["price invalid_value"], /number/],
      ["price=0x10", ["price invalid_value"], /number/],
      ["active=1", ["active invalid_value"], /true or false/],
      ["name=a&name=b", ["name repeated"], undefined],
      ["limit=1&limit=2", ["limit repeated"], undefined],
      ["sort=name&sort=price", ["sort repeated"], undefined],
      ["sort=nmae", ["sort unknown_field"], /Did you mean "name"\?/],
      ["sort=unlisted", ["sort unknown_field"], undefined],
      ["sort=details", ["sort unknown_field"], undefined],
      ["sort=", ["sort unknown_field"], undefined],
      ["sort=name,", ["sort unknown_field"], undefined],
      ["sort=name,-name", ["sort repeated"], undefined],
      ["sort=--name", ["sort unknown_field"], undefined],
      ["sort=_created", ["sort unknown_field"], undefined],
      [
        "nmae=a&stock=x&sort=pirce&limit=0&active=1",
        [
          "nmae unknown_parameter",
          "stock invalid_value",
          "sort unknown_field",
          "limit out_of_range",
          "active invalid_value",
        ],
        undefined,
      ],
    ] as const) {
      test(query, async () => {
        const problem = await refuse(query);
        assert.deepEqual(faultsOf(problem), [...faults].sort());
        if (detail !== undefined) assert.match(problem.errors?.[0]?.detail ?? "", detail);
      });
    }

    test("text that is not percent-encoded UTF-8", async () => {
      assert.deepEqual(faultsOf(await refuse("name=%ff")), ["name malformed_encoding"]);
      assert.deepEqual(faultsOf(await refuse("name=%")), ["name malformed_encoding"]);
    });

    test("more values or parameters than a list takes", async () => {
      const many = Array.from({ length: 101 }, (_, index) => index).join(",");
      assert.deepEqual(faultsOf(await refuse(`stock[in]=${many}`)), ["stock[in] too_many"]);
      const hundred = many.slice(0, many.lastIndexOf(","));
      assert.deepEqual(await find(`stock[in]=${hundred}`), []);
      await refuse(Array.from({ length: 101 }, (_, index) => `p${index}=1`).join("&"));
    });
  });

  test("unique fields are filters without being named", async () => {
    await served.make("/coins", { code: "EUR" });
    await served.make("/coins", { code: "USD" });
    const answer = await served.get("/coins?code=USD");
    assert.deepEqual(
      (answer.body as { code: string }[]).map(({ code }) => code),
      ["USD"],
    );
  });

  test("a list that has nothing else takes limit, sort by id, and cursor", async () => {
    await served.make("/coins", { code: "EUR" });
    assert.equal((await served.get("/coins?sort=-id&limit=1")).status, 200);
    const problem = assertProblem(await served.get("/coins?sort=code"), 400, "invalid-query");
    assert.match(problem.errors?.[0]?.detail ?? "", /It can by id\./);
  });
});

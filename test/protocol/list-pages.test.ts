import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import fixture from "../fixtures/catalogue.ts";
import { assertProblem, faultsOf } from "../support/problem.ts";
import { type Answer, type Row, servedFor } from "../support/scenario.ts";

interface Product extends Row {
  readonly id: number;
  readonly name: string;
}

const records = (answer: Answer) => answer.body as Product[];
const ids = (answer: Answer) => records(answer).map(({ id }) => id);

function nextOf(answer: Answer): string | undefined {
  return /<([^>]+)>; rel="next"/.exec(answer.header("link") ?? "")?.[1];
}

suite("Pages of a list", () => {
  const served = servedFor(fixture);

  const fill = (count: number, product: (index: number) => object) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        served.make("/products", { name: `product ${index}`, ...product(index) }),
      ),
    );

  /** Follows the links from page to page, doing something in between. */
  async function walk(first: string, between: (page: Product[]) => Promise<void> = async () => {}) {
    const seen: Product[] = [];
    for (let path: string | undefined = first; path !== undefined; ) {
      const answer: Answer = await served.get(path);
      assert.equal(answer.status, 200, answer.text);
      seen.push(...records(answer));
      path = nextOf(answer);
      await between(records(answer));
    }
    return seen;
  }

  test("20 records a page by default, in the order of their ids, until there is no next", async () => {
    await fill(45, () => ({}));
    const first = await served.get("/products");
    assert.equal(records(first).length, 20);
    assert.ok(nextOf(first)?.startsWith("/api/products?"));
    const second = await served.get(nextOf(first) ?? "");
    assert.equal(records(second).length, 20);
    const third = await served.get(nextOf(second) ?? "");
    assert.equal(records(third).length, 5);
    assert.equal(third.header("link"), null);
    assert.deepEqual(
      [first, second, third].flatMap(ids),
      Array.from({ length: 45 }, (_, index) => index + 1),
    );
  });

  test("a last page that is full has no next", async () => {
    await fill(4, () => ({}));
    const first = await served.get("/products?limit=2");
    const second = await served.get(nextOf(first) ?? "");
    assert.deepEqual(ids(second), [3, 4]);
    assert.equal(nextOf(second), undefined);
  });

  test("the link to the next page keeps filters, sort and limit, whatever they contain", async () => {
    const name = "a&b=c d+e/ä,%";
    await fill(5, (index) => ({ name, stock: index }));
    await fill(5, () => ({ name: "other" }));
    const query = new URLSearchParams({
      name,
      "stock[gte]": "1",
      sort: "-stock",
      limit: "3",
    });
    const first = await served.get(`/products?${query}`);
    const next = new URL(nextOf(first) ?? "", served.origin);
    for (const [parameter, value] of query) {
      assert.equal(next.searchParams.get(parameter), value);
    }
    const stocks = (answer: Answer) => records(answer).map(({ stock }) => stock);
    assert.deepEqual(stocks(first), [4, 3, 2]);
    const second = await served.get(`${next.pathname}${next.search}`);
    assert.deepEqual(stocks(second), [1]);
    assert.equal(nextOf(second), undefined);
  });

  test("the limit of the next page may differ from that of the last", async () => {
    await fill(10, () => ({}));
    const next = nextOf(await served.get("/products?limit=2"))?.replace("limit=2", "limit=5");
    assert.deepEqual(ids(await served.get(next ?? "")), [3, 4, 5, 6, 7]);
  });

  describe("of 250 records, while others come and go,", () => {
    const colours = ["blue", "green", "red", undefined];
    const some = (index: number) => ({
      name: `name ${(index * 7) % 10}`,
      price: ((index * 13) % 50) / 4,
      stock: index % 3,
      active: index % 2 === 0,
      ...(colours[index % 4] === undefined ? {} : { colour: colours[index % 4] }),
      weight: index % 5 === 0 ? null : index % 7,
    });

    for (const sort of [
      "",
      "-id",
      "name",
      "-price",
      "active",
      "colour",
      "-colour",
      "-weight",
      "colour,-price",
      "-colour,weight,-name",
      "createdAt,name",
    ]) {
      test(`sorted by ${sort || "nothing"}, none is seen twice or missed`, async () => {
        await fill(250, some);
        const before = records(await served.get("/products?limit=100")).length;
        assert.equal(before, 100);
        const deleted = new Set<number>();
        let round = 0;
        const path = `/products?limit=25${sort === "" ? "" : `&sort=${sort}`}`;
        const seen = await walk(path, async (page) => {
          round++;
          // New ones everywhere in the order, among them some before what was seen already …
          await fill(3, (index) => ({ ...some(round * 31 + index), name: `name ${index * 4}` }));
          // … and two of this page away: the one that the next page begins behind, and another.
          for (const { id } of [page.at(-1), page[Math.floor(page.length / 2)]].filter(
            (each) => each !== undefined,
          )) {
            deleted.add(id);
            await served.delete(`/products/${id}`);
          }
          // … and one that may be ahead.
          const ahead = ((round * 53) % 250) + 1;
          deleted.add(ahead);
          await served.delete(`/products/${ahead}`);
        });
        const found = seen.map(({ id }) => id);
        assert.equal(new Set(found).size, found.length, "none twice");
        const missed = Array.from({ length: 250 }, (_, index) => index + 1).filter(
          (id) => !deleted.has(id) && !found.includes(id),
        );
        assert.deepEqual(missed, []);
        assert.deepEqual(found, inOrder(seen, sort), "and in order");
      });
    }
  });

  test("missing values come last in ascending order and first in descending order", async () => {
    for (const colour of ["b", undefined, "a", undefined, "c"]) {
      await served.make("/products", { name: "x", ...(colour === undefined ? {} : { colour }) });
    }
    const sorted = async (sort: string) => ids(await served.get(`/products?sort=${sort}`));
    assert.deepEqual(await sorted("colour"), [3, 1, 5, 2, 4]);
    assert.deepEqual(await sorted("-colour"), [2, 4, 5, 1, 3]);
    assert.deepEqual(await sorted("-colour,-id"), [4, 2, 5, 1, 3]);
  });

  test("strings sort by their code points", async () => {
    for (const name of ["b", "B", "a", "", "ä", "Z", "1", "😀", "\uffff"]) {
      await served.make("/products", { name });
    }
    const answer = await served.get("/products?sort=name");
    assert.deepEqual(
      records(answer).map(({ name }) => name),
      ["", "1", "B", "Z", "a", "b", "ä", "\uffff", "😀"],
    );
  });

  describe("limit", () => {
    test("has the bounds that the declaration gives, or 100", async () => {
      await fill(101, () => ({}));
      assert.equal(records(await served.get("/products?limit=1")).length, 1);
      assert.equal(records(await served.get("/products?limit=100")).length, 100);
      for (const limit of ["0", "101", "-1", "1.5", "1e1", "ten", "", " 5", "99999999999"]) {
        const answer = await served.get(`/products?limit=${encodeURIComponent(limit)}`);
        const problem = assertProblem(answer, 400, "invalid-query");
        assert.deepEqual(faultsOf(problem), ["limit out_of_range"]);
        assert.match(problem.errors?.[0]?.detail ?? "", /1 to 100/);
      }
    });

    test("of the declaration applies where the client gives none", async () => {
      for (const code of ["a", "b", "c", "d"]) await served.make("/coins", { code });
      assert.equal(records(await served.get("/coins")).length, 2);
      assert.equal(records(await served.get("/coins?limit=3")).length, 3);
      assertProblem(await served.get("/coins?limit=4"), 400, "invalid-query");
    });
  });

  test("UUIDs page in the order of creation", async () => {
    for (const code of ["d", "a", "c", "b", "e"]) await served.make("/coins", { code });
    const codes = async (path: string) => (await walk(path)).map(({ code }) => code);
    assert.deepEqual(await codes("/coins"), ["d", "a", "c", "b", "e"]);
    assert.deepEqual(await codes("/coins?sort=-id"), ["e", "b", "c", "a", "d"]);
  });

  describe("a cursor", () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

    test("that is none is 400, never another page", async () => {
      await fill(3, () => ({}));
      for (const cursor of [
        "",
        "x",
        "2",
        "%00",
        "x".repeat(2_000),
        encode(null),
        encode({}),
        encode([]),
        encode(["id"]),
        encode(["id", 1, 2]),
        encode(["id", null]),
        encode(["id", "1"]),
        encode(["id", [1]]),
        encode(["id", { a: 1 }]),
        encode(["id", true]),
        encode(["__proto__", 1]),
      ]) {
        const problem = assertProblem(
          await served.get(`/products?cursor=${cursor}`),
          400,
          "invalid-query",
        );
        assert.deepEqual(faultsOf(problem), ["cursor invalid_cursor"]);
      }
    });

    test("of one order is not taken for another", async () => {
      await fill(3, () => ({}));
      const next = nextOf(await served.get("/products?limit=1&sort=name")) ?? "";
      for (const sort of ["-name", "price", "name,price", "id"]) {
        const answer = await served.get(next.replace("sort=name", `sort=${sort}`));
        assert.deepEqual(faultsOf(assertProblem(answer, 400, "invalid-query")), [
          "cursor invalid_cursor",
        ]);
      }
      const answer = await served.get(next.replace("&sort=name", ""));
      assertProblem(answer, 400, "invalid-query");
    });

    test("that a client made up never is our fault", async () => {
      await fill(3, () => ({}));
      for (const [sort, position] of [
        ["active", [true, 1]],
        ["active", [2, 1]],
        ["active", ["true", 1]],
        ["price", ["1", 1]],
        ["colour", [7, 1]],
        ["colour", [null, 1]],
        ["weight", [null, null]],
        ["createdAt", ["2026-01-01", 1]],
        ["createdAt", [1e300, 1]],
        ["name", ["\ud800", 1]],
        ["name", ["x".repeat(5_000), 1]],
        ["id", [1.5]],
        ["id", [1e300]],
        ["-id", [-1]],
      ] as const) {
        const cursor = encode([sort === "id" || sort === "-id" ? sort : `${sort},id`, ...position]);
        const answer = await served.get(`/products?sort=${sort}&cursor=${cursor}`);
        assert.ok(
          answer.status === 200 || answer.status === 400,
          `${sort} ${JSON.stringify(position)}: ${answer.status}`,
        );
      }
    });
  });
});

/** The ids in the order that the list promises: by the keys, missing values last, then by id. */
function inOrder(products: readonly Product[], sort: string): number[] {
  const keys = (sort === "" ? [] : sort.split(",")).map((key) => ({
    field: key.replace("-", ""),
    sign: key.startsWith("-") ? -1 : 1,
  }));
  const compare = (one: Product, other: Product): number => {
    for (const { field, sign } of [...keys, { field: "id", sign: 1 }]) {
      const [a, b] = [one[field] ?? undefined, other[field] ?? undefined];
      if (a === b) continue;
      if (a === undefined || b === undefined) return a === undefined ? sign : -sign;
      return (a as string | number) < (b as string | number) ? -sign : sign;
    }
    return 0;
  };
  return [...products].sort(compare).map(({ id }) => id);
}

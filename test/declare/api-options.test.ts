import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { faultsIn, placesOf, things } from "../support/declaration.ts";

const scheme = {
  name: "token",
  challenge: "Bearer",
  openapi: { type: "http", scheme: "bearer" },
  authenticate: () => null,
};
const faultsOf = (options: object) => placesOf(faultsIn({ things: things() }, options));

suite("Options of the whole API are what they have to be, or it does not boot", () => {
  test("authenticate is a list of schemes", () => {
    assert.deepEqual(faultsOf({ authenticate: [] }), []);
    assert.deepEqual(faultsOf({ authenticate: [scheme, { ...scheme, name: "other" }] }), []);
    for (const authenticate of [
      scheme,
      () => null,
      ["bearer"],
      [{ ...scheme, authenticate: undefined }],
      [{ ...scheme, name: undefined }],
      [{ ...scheme, challenge: 7 }],
    ]) {
      const [place, ...others] = faultsOf({ authenticate });
      assert.match(place ?? "none", /authenticate/);
      assert.deepEqual(others, []);
    }
  });

  test("two schemes of one name would be one in the OpenAPI document", () => {
    assert.equal(faultsOf({ authenticate: [scheme, scheme] }).length, 1);
  });

  test("a dialect has all its functions", () => {
    for (const dialect of [{}, "plain", { name: "mine" }]) {
      const [place] = faultsOf({ dialect });
      assert.match(place ?? "none", /dialect/);
    }
  });

  test("title, version and description are text", () => {
    for (const option of ["title", "version", "description"]) {
      assert.deepEqual(faultsOf({ [option]: "x" }), []);
      const [place] = faultsOf({ [option]: 1 });
      assert.match(place ?? "none", new RegExp(option));
    }
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { faultsWith, placesOf } from "../support/declaration.ts";

suite("An example in the documentation is one that the server accepts", () => {
  const example = { name: "a", email: "b" };

  test("a valid one is fine, and so is none", () => {
    assert.deepEqual(faultsWith({ example }), []);
    assert.deepEqual(faultsWith({ example: { ...example, size: 3, address: { city: "x" } } }), []);
    assert.deepEqual(faultsWith({}), []);
  });

  test("every fault is told at its place, with the schema's reason", () => {
    const faults = faultsWith({ example: { name: 7, size: 1.5, address: {} } });
    assert.deepEqual(placesOf(faults), [
      "things.example.address.city",
      "things.example.email",
      "things.example.name",
      "things.example.size",
    ]);
    for (const { fault, mend } of faults) {
      assert.match(fault, /^does not fit the schema: .+\.$/);
      assert.equal(mend, "Mend the example.");
    }
  });

  test("one that is no object is told", () => {
    for (const value of ["x", 7, [], null]) {
      assert.deepEqual(placesOf(faultsWith({ example: value })), ["things.example"]);
    }
  });

  test("fields that the server fills are not missed", () => {
    const options = { set: { name: "x" }, readOnly: ["size"], example: { email: "b" } };
    assert.deepEqual(faultsWith(options), []);
  });

  test("fields that the server would refuse are told: unknown ones, and those it writes itself", () => {
    assert.deepEqual(placesOf(faultsWith({ example: { ...example, colour: "red" } })), [
      "things.example.colour",
    ]);
    assert.deepEqual(
      placesOf(faultsWith({ readOnly: ["size"], example: { ...example, size: 3 } })),
      ["things.example.size"],
    );
    assert.deepEqual(placesOf(faultsWith({ example: { ...example, id: 1 } })), [
      "things.example.id",
    ]);
  });
});

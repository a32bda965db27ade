import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import fixture from "../fixtures/orders.ts";
import { assertInvalid, detailAt } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const order = {
  customer: { name: "Ann", address: { street: "Main St", city: "Bonn" } },
  lines: [{ product: "tea", quantity: 2 }],
  gift: null,
};

suite("Validation lists every fault at once, each with its pointer (422)", () => {
  inBothModes(new URL("../fixtures/orders.ts", import.meta.url), fixture, (served) => {
    const nothingWasDone = () => assert.deepEqual(served.rows("orders"), []);

    test("a valid order is stored as it is", async () => {
      const answer = await served.post("/orders", order);
      assert.equal(answer.status, 201);
      assert.deepEqual(answer.body, { id: 1, ...order });
      assert.deepEqual(served.rows("orders"), [
        {
          id: 1,
          customer: JSON.stringify(order.customer),
          lines: JSON.stringify(order.lines),
          note: null,
          gift: null,
          payment: null,
        },
      ]);
    });

    test("an empty object misses every required field", async () => {
      const problem = assertInvalid(await served.post("/orders", {}), [
        "#/customer required",
        "#/lines required",
      ]);
      assert.equal(detailAt(problem, "#/customer"), "is required");
      nothingWasDone();
    });

    test("faults of nested objects and arrays point to where they are", async () => {
      const answer = await served.post("/orders", {
        customer: { name: "", address: { street: 7 } },
        lines: [
          { product: "tea", quantity: 0 },
          { product: "coffee" },
          { product: "milk", quantity: 1.5 },
          "sugar",
        ],
        note: "x".repeat(201),
      });
      assertInvalid(answer, [
        "#/customer/name too_small",
        "#/customer/address/street invalid_type",
        "#/customer/address/city required",
        "#/lines/0/quantity too_small",
        "#/lines/1/quantity required",
        "#/lines/2/quantity invalid_type",
        "#/lines/3 invalid_type",
        "#/note too_big",
      ]);
      nothingWasDone();
    });

    test("names with / and ~ are escaped in pointers (RFC 6901)", async () => {
      const answer = await served.post("/orders", { ...order, "a/b~c": 1 });
      assertInvalid(answer, ["#/a~1b~0c unknown_field"]);
    });

    describe("an unknown field is a fault, with a suggestion", () => {
      test("at the top, beside the other faults", async () => {
        const answer = await served.post("/orders", {
          custmer: order.customer,
          lines: order.lines,
        });
        const problem = assertInvalid(answer, ["#/custmer unknown_field", "#/customer required"]);
        assert.match(detailAt(problem, "#/custmer"), /Did you mean "customer"\?/);
        nothingWasDone();
      });

      test("that resembles nothing, without one", async () => {
        const answer = await served.post("/orders", { ...order, zzzzzzzz: 1 });
        const problem = assertInvalid(answer, ["#/zzzzzzzz unknown_field"]);
        assert.doesNotMatch(detailAt(problem, "#/zzzzzzzz"), /mean/);
      });

      test("in a nested object", async () => {
        const customer = { ...order.customer, nam: "Ann" };
        const problem = assertInvalid(await served.post("/orders", { ...order, customer }), [
          "#/customer/nam unknown_field",
        ]);
        assert.match(detailAt(problem, "#/customer/nam"), /Did you mean "name"\?/);
        nothingWasDone();
      });

      test("in an object of an array", async () => {
        const lines = [{ product: "tea", quantity: 1, qantity: 2 }];
        assertInvalid(await served.post("/orders", { ...order, lines }), [
          "#/lines/0/qantity unknown_field",
        ]);
        nothingWasDone();
      });

      test("in an object that may also be null", async () => {
        assertInvalid(await served.post("/orders", { ...order, gift: { to: "Bob", frm: "Ann" } }), [
          "#/gift/frm unknown_field",
        ]);
        nothingWasDone();
      });

      test("in one of several alternatives", async () => {
        const payment = { kind: "card", number: "4242", iban: "DE1" };
        assertInvalid(await served.post("/orders", { ...order, payment }), [
          "#/payment/iban unknown_field",
        ]);
        nothingWasDone();
      });

      test("and not dropped in silence by PUT or PATCH either", async () => {
        const path = await served.make("/orders", order);
        assertInvalid(await served.put(path, { ...order, nte: "x" }), ["#/nte unknown_field"]);
        assertInvalid(await served.mergePatch(path, { nte: "x" }), ["#/nte unknown_field"]);
        assertInvalid(await served.mergePatch(path, { customer: { nam: "x" } }), [
          "#/customer/nam unknown_field",
        ]);
        assertInvalid(await served.jsonPatch(path, [{ op: "add", path: "/nte", value: 1 }]), [
          "#/nte unknown_field",
        ]);
        assert.equal(served.row("orders", 1)?.note, null);
      });
    });

    test("null is no way to leave a field out", async () => {
      const answer = await served.post("/orders", { ...order, note: null });
      assertInvalid(answer, ["#/note invalid_type"]);
      nothingWasDone();
    });

    test("names of Object.prototype are names like others", async () => {
      const answer = await served.post("/orders", {
        ...order,
        constructor: 1,
        toString: 2,
        hasOwnProperty: 3,
      });
      assertInvalid(answer, [
        "#/constructor unknown_field",
        "#/toString unknown_field",
        "#/hasOwnProperty unknown_field",
      ]);
      nothingWasDone();
    });

    test("JSON is never coerced: text is no number, and a number no text", async () => {
      const lines = [{ product: 7, quantity: "2" }];
      assertInvalid(await served.post("/orders", { ...order, lines }), [
        "#/lines/0/product invalid_type",
        "#/lines/0/quantity invalid_type",
      ]);
    });

    test("PUT and PATCH are validated as POST is, and change nothing when they fail", async () => {
      const path = await served.make("/orders", order);
      const before = served.rows("orders");
      assertInvalid(await served.put(path, { customer: order.customer }), ["#/lines required"]);
      assertInvalid(await served.mergePatch(path, { lines: [{}], note: 1 }), [
        "#/lines/0/product required",
        "#/lines/0/quantity required",
        "#/note invalid_type",
      ]);
      assert.deepEqual(served.rows("orders"), before);
    });

    test("a body with very many faults is answered with a bounded list", async () => {
      const lines = Array.from({ length: 5_000 }, () => ({}));
      const answer = await served.post("/orders", { ...order, lines });
      assert.equal(answer.status, 422);
      const { errors } = answer.body as { errors: unknown[] };
      assert.ok(errors.length >= 100 && errors.length <= 1_000, `${errors.length} faults`);
    });
  });
});

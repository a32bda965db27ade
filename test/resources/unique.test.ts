import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import fixture from "../fixtures/bookings.ts";
import { assertProblem, detailAt, faultsOf } from "../support/problem.ts";
import { type Answer, inBothModes, serve } from "../support/scenario.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const first = { reference: "A-1", room: "blue", day: "monday" };
const second = { reference: "B-2", room: "red", day: "friday" };

function assertConflict(answer: Answer, pointers: readonly string[]) {
  const problem = assertProblem(answer, 409, "unique-conflict");
  assert.deepEqual(faultsOf(problem), pointers.map((at) => `${at} unique`).sort());
  return problem;
}

suite("Unique fields", () => {
  inBothModes(new URL("../fixtures/bookings.ts", import.meta.url), fixture, (served) => {
    describe("a create that would repeat", () => {
      test("one value is 409, points at the field, and links to the record that has it", async () => {
        const path = await served.make("/bookings", first);
        const answer = await served.post("/bookings", { ...second, reference: "A-1" });
        const problem = assertConflict(answer, ["#/reference"]);
        assert.equal(problem.existing, path);
        assert.match(answer.header("link") ?? "", new RegExp(`<${path}>; rel="[^"]+"`));
        assert.equal((await served.get(String(problem.existing))).status, 200);
        assert.equal(served.rows("bookings").length, 1);
      });

      test("values that are unique together points at each of them", async () => {
        await served.make("/bookings", first);
        const answer = await served.post("/bookings", { ...first, reference: "B-2" });
        const problem = assertConflict(answer, ["#/room", "#/day"]);
        assert.match(detailAt(problem, "#/room"), /together with day/);
        assert.match(detailAt(problem, "#/day"), /together with room/);
        assert.equal(served.rows("bookings").length, 1);
      });

      test("one of the values that are unique together is no conflict", async () => {
        await served.make("/bookings", first);
        await served.make("/bookings", { ...second, room: "blue" });
        await served.make("/bookings", { reference: "C-3", room: "red", day: "monday" });
        assert.equal(served.rows("bookings").length, 3);
      });

      test("several is told all of them at once", async () => {
        await served.make("/bookings", { ...first, voucher: "V" });
        const answer = await served.post("/bookings", { ...first, voucher: "V" });
        assertConflict(answer, ["#/reference", "#/room", "#/day", "#/voucher"]);
      });

      test("values of several records is told all of them at once", async () => {
        await served.make("/bookings", first);
        await served.make("/bookings", { ...second, voucher: "V" });
        const answer = await served.post("/bookings", { ...first, voucher: "V" });
        assertConflict(answer, ["#/reference", "#/room", "#/day", "#/voucher"]);
        assert.equal(served.rows("bookings").length, 2);
      });
    });

    test("records without the value, or with null, do not conflict", async () => {
      await served.make("/bookings", first);
      await served.make("/bookings", second);
      await served.make("/bookings", { reference: "C", room: "c", day: "c", voucher: null });
      await served.make("/bookings", { reference: "D", room: "d", day: "d", voucher: null });
      assert.equal(served.rows("bookings").length, 4);
    });

    test("values differ that differ in case, or in type of space", async () => {
      await served.make("/bookings", first);
      await served.make("/bookings", { ...second, reference: "a-1" });
      await served.make("/bookings", { reference: "A-1 ", room: "x", day: "x" });
      assert.equal(served.rows("bookings").length, 3);
    });

    describe("an update that would repeat", () => {
      for (const [how, change] of [
        ["PUT", (path: string) => served.put(path, { ...second, reference: "A-1" })],
        ["a merge patch", (path: string) => served.mergePatch(path, { reference: "A-1" })],
        [
          "a JSON Patch",
          (path: string) =>
            served.jsonPatch(path, [{ op: "replace", path: "/reference", value: "A-1" }]),
        ],
      ] as const) {
        test(`a value by ${how} is 409, and changes nothing`, async () => {
          const existing = await served.make("/bookings", first);
          const path = await served.make("/bookings", second);
          const before = served.rows("bookings");
          const etag = (await served.get(path)).header("etag");
          const problem = assertConflict(await change(path), ["#/reference"]);
          assert.equal(problem.existing, existing);
          assert.deepEqual(served.rows("bookings"), before);
          assert.equal((await served.get(path)).header("etag"), etag);
        });
      }

      test("values together, of which it names one, is 409", async () => {
        await served.make("/bookings", first);
        const path = await served.make("/bookings", { ...second, room: "blue" });
        assertConflict(await served.mergePatch(path, { day: "monday" }), ["#/room", "#/day"]);
      });

      test("several is told all of them at once", async () => {
        await served.make("/bookings", { ...first, voucher: "V" });
        const path = await served.make("/bookings", second);
        const answer = await served.put(path, { ...first, voucher: "V" });
        assertConflict(answer, ["#/reference", "#/room", "#/day", "#/voucher"]);
      });

      test("only its own values is none", async () => {
        const path = await served.make("/bookings", first);
        assert.equal((await served.put(path, first)).status, 200);
        assert.equal((await served.mergePatch(path, { guest: "Ann" })).status, 200);
      });
    });

    test("a value is free again once its record is deleted or changed", async () => {
      const path = await served.make("/bookings", first);
      await served.mergePatch(path, { reference: "Z", day: "sunday" });
      const again = await served.make("/bookings", first);
      await served.delete(again);
      assert.equal((await served.post("/bookings", first)).status, 201);
    });

    test("of many creates of the same value at once, exactly one wins", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          served.post("/bookings", { ...first, guest: `guest ${index}` }),
        ),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [
        201,
        ...Array.from({ length: 19 }, () => 409),
      ]);
      const bodies = answers.filter(({ status }) => status === 201).map(({ body }) => body);
      assert.deepEqual(
        served.rows("bookings").map(({ guest }) => guest),
        bodies.map((body) => (body as { guest: string }).guest),
      );
    });

    test("a fault of the body is told before a conflict, which needs a valid one", async () => {
      await served.make("/bookings", first);
      const answer = await served.post("/bookings", { ...first, day: 1 });
      assertProblem(answer, 422, "validation-failed");
    });

    describe("within a parent", () => {
      test("the same value is fine in another parent, and 409 in the same", async () => {
        const [one, two] = [
          await served.make("/floors", { name: "one" }),
          await served.make("/floors", { name: "two" }),
        ];
        await served.make(`${one}/desks`, { number: 1 });
        await served.make(`${two}/desks`, { number: 1 });
        assertConflict(await served.post(`${one}/desks`, { number: 1 }), ["#/number"]);
        assert.equal(served.rows("desks").length, 2);
      });

      test("an update to the value of a sibling is 409", async () => {
        const floor = await served.make("/floors", { name: "one" });
        await served.make(`${floor}/desks`, { number: 1 });
        const desk = await served.make(`${floor}/desks`, { number: 2 });
        assertConflict(await served.mergePatch(desk, { number: 1 }), ["#/number"]);
        assert.equal(served.row("desks", 2)?.number, 2);
      });
    });

    describe("of records that the caller may not read", () => {
      test("conflict without a link to the record", async () => {
        await served.make("/accounts", { email: "a" });
        for (const headers of [{}, { authorization: "Bearer somebody" }]) {
          const answer = await served.post("/accounts", { email: "a" }, headers);
          const problem = assertConflict(answer, ["#/email"]);
          assert.equal(problem.existing, undefined);
          assert.equal(answer.header("link"), null);
          assert.doesNotMatch(answer.text, /accounts\/1/);
        }
      });

      test("conflict with the link for whoever may read them", async () => {
        const path = await served.make("/accounts", { email: "a" });
        const admin = { authorization: "Bearer admin" };
        const problem = assertConflict(await served.post("/accounts", { email: "a" }, admin), [
          "#/email",
        ]);
        assert.equal(problem.existing, path);
      });
    });

    describe("that are never shown", () => {
      test("can't be found out by filtering, though unique fields else are filters", async () => {
        await served.make("/keys", { label: "a", secret: "s3cret" });
        for (const query of ["secret=s3cret", "secret[gte]=s", "secret[in]=a,s3cret"]) {
          assertProblem(await served.get(`/keys?${query}`), 400, "invalid-query");
        }
        const answer = await served.get("/keys?secre=x");
        assert.doesNotMatch(answer.text, /"secret"/);
      });

      test("are not filters in the OpenAPI document", async () => {
        const document = (await (await fetch(`${served.origin}/openapi.json`)).json()) as {
          paths: Record<string, { get: { parameters: { name?: string }[] } }>;
        };
        const names = document.paths["/keys"]?.get.parameters.map(({ name }) => name);
        assert.ok(names?.includes("limit"));
        assert.deepEqual(
          names?.filter((name) => name?.startsWith("secret")),
          [],
        );
      });

      test("conflict by name where clients write them", async () => {
        await served.make("/keys", { label: "a", secret: "s" });
        const answer = await served.post("/keys", { label: "b", secret: "s" });
        assertConflict(answer, ["#/secret"]);
      });

      test("are not named where clients don't know them", async () => {
        await served.make("/keys", { label: "a", secret: "s" });
        const answer = await served.post("/keys", { label: "a", secret: "t" });
        assertConflict(answer, ["#/label"]);
        assert.doesNotMatch(answer.text, /tenant|acme/);
      });
    });
  });

  test("two constraints whose fields read alike are both kept: a_b, and a with b", async (t) => {
    const pairs = resource("pairs", {
      schema: z.object({ a: z.string(), b: z.string(), a_b: z.string() }),
      unique: ["a_b", ["a", "b"]],
      access: open,
    });
    const served = await serve(t, api({ pairs }));
    await served.make("/pairs", { a: "1", b: "1", a_b: "1" });
    assertConflict(await served.post("/pairs", { a: "2", b: "2", a_b: "1" }), ["#/a_b"]);
    assertConflict(await served.post("/pairs", { a: "1", b: "1", a_b: "2" }), ["#/a", "#/b"]);
    assert.equal(served.rows("pairs").length, 1);
  });

  test("two resources whose names and fields read alike are both served", async (t) => {
    const order = resource("order", {
      schema: z.object({ items_state: z.string() }),
      access: open,
      list: { filter: ["items_state"] },
    });
    const items = resource("order-items", {
      schema: z.object({ state: z.string() }),
      access: open,
      list: { filter: ["state"] },
    });
    const served = await serve(t, api({ order, items }));
    await served.make("/order", { items_state: "a" });
    await served.make("/order-items", { state: "a" });
    assert.equal(served.rows("order_items").length, 1);
  });
});

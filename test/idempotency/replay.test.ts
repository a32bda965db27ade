import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, suite, test } from "node:test";
import keyedApi from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, by, keyed } from "../support/keyed.ts";
import { inBothModes } from "../support/scenario.ts";

suite("A replay", () => {
  inBothModes(new URL("../fixtures/keyed.ts", import.meta.url), keyedApi, (served) => {
    const effects = () => served.rows("effects").map(({ text }) => text);

    test("is the first answer byte for byte: status, header fields and body", async () => {
      const headers = keyed();
      const first = await served.post("/orders", { title: "a", extra: { ä: "€" } }, headers);
      assertFirst(first, 201);
      const again = await served.post("/orders", { title: "a", extra: { ä: "€" } }, headers);
      assertReplay(first, again);
      // Said by name, should the comparison of all of them ever leave one out.
      for (const name of ["location", "etag", "last-modified", "content-type", "content-length"]) {
        assert.ok(first.header(name), name);
        assert.equal(again.header(name), first.header(name), name);
      }
      assert.equal(again.header("location"), "/api/orders/1");
      assert.equal(again.header("set-cookie"), null);
      assert.equal(served.rows("orders").length, 1);
      assert.deepEqual(effects(), ["order a"]);
    });

    test("comes as often as it is asked for, and the work is done once", async () => {
      const headers = keyed(randomUUID(), by("ann"));
      const first = await served.post("/orders", { title: "a" }, headers);
      for (let time = 0; time < 5; time++)
        assertReplay(first, await served.post("/orders", { title: "a" }, headers));
      assert.equal(served.rows("orders").length, 1);
      assert.deepEqual(effects(), ["order a"]);
    });

    test("says what was true then, also when the record is another one now, or gone", async () => {
      const headers = keyed();
      const first = await served.post("/orders", { title: "a" }, headers);
      const path = first.header("location")!;
      const changed = await served.mergePatch(path, { title: "b" });
      assert.equal(changed.status, 200);
      assertReplay(first, await served.post("/orders", { title: "a" }, headers));
      assert.equal((await served.get(path)).text, changed.text);
      assert.equal((await served.delete(path)).status, 204);
      assertReplay(first, await served.post("/orders", { title: "a" }, headers));
      assert.deepEqual(served.rows("orders"), []);
    });

    test("of an answer without the record is without it, whatever is preferred by then", async () => {
      const headers = keyed();
      const minimal = { ...headers, prefer: "return=minimal" };
      const first = await served.post("/orders", { title: "a" }, minimal);
      assertFirst(first, 201);
      assert.equal(first.text, "");
      assert.equal(first.header("preference-applied"), "return=minimal");
      assertReplay(first, await served.post("/orders", { title: "a" }, minimal));
      assertReplay(first, await served.post("/orders", { title: "a" }, headers));
      assert.equal(served.rows("orders").length, 1);
    });

    test("of a PATCH that had nothing to say is 204 again", async () => {
      const path = await served.make("/profiles", { name: "ada" });
      const headers = keyed(randomUUID(), { prefer: "return=minimal" });
      const first = await served.mergePatch(path, { tags: ["a"] }, headers);
      assertFirst(first, 204);
      assertReplay(first, await served.mergePatch(path, { tags: ["a"] }, headers));
      assert.equal(served.rows("effects").length, 1);
    });

    test("of a child has the path of the child", async () => {
      const order = await served.make("/orders", { title: "a" });
      const headers = keyed();
      const first = await served.post(`${order}/lines`, { text: "x" }, headers);
      assertFirst(first, 201);
      const again = await served.post(`${order}/lines`, { text: "x" }, headers);
      assertReplay(first, again);
      assert.equal(again.header("location"), `${order}/lines/1`);
      assert.equal(served.rows("lines").length, 1);
    });

    describe("of a refusal that the transaction decided is that refusal", () => {
      const assertRefusedTwice = async (
        status: number,
        send: () => ReturnType<typeof served.post>,
        mend: () => Promise<unknown>,
      ) => {
        const first = await send();
        assertFirst(first, status);
        const before = JSON.stringify([served.rows("orders"), served.rows("lines"), effects()]);
        assertReplay(first, await send());
        assert.equal(
          JSON.stringify([served.rows("orders"), served.rows("lines"), effects()]),
          before,
        );
        // The state that it was refused for is gone, and the answer of this request stays.
        await mend();
        assertReplay(first, await send());
      };

      test("409 for a value that was taken", async () => {
        const taken = await served.make("/orders", { title: "first", number: "7" });
        const headers = keyed();
        await assertRefusedTwice(
          409,
          () => served.post("/orders", { title: "second", number: "7" }, headers),
          () => served.delete(taken),
        );
        assert.deepEqual(served.rows("orders"), []);
      });

      test("422 by a rule", async () => {
        const headers = keyed();
        await assertRefusedTwice(
          422,
          () => served.post("/orders", { title: "a", amount: 2_000 }, headers),
          async () => {},
        );
        assert.deepEqual(served.rows("orders"), []);
        assert.deepEqual(effects(), []);
      });

      test("422 by a hook, with nothing of what it wrote", async () => {
        const headers = keyed();
        await assertRefusedTwice(
          422,
          () => served.post("/orders", { title: "a", does: "refuse" }, headers),
          async () => {},
        );
        assert.deepEqual(served.rows("orders"), []);
        assert.deepEqual(effects(), []);
      });

      test("404 for a parent that was not there", async () => {
        const headers = keyed();
        await assertRefusedTwice(
          404,
          () => served.post("/orders/1/lines", { text: "x" }, headers),
          () => served.make("/orders", { title: "a" }),
        );
        assert.deepEqual(served.rows("lines"), []);
        assertFirst(await served.post("/orders/1/lines", { text: "x" }, keyed()), 201);
      });
    });
  });
});

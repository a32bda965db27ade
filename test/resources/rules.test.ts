import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fixture from "../fixtures/wallets.ts";
import { assertInvalid, assertProblem, detailAt } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

suite("Business rules", () => {
  inBothModes(new URL("../fixtures/wallets.ts", import.meta.url), fixture, (served) => {
    const nothingWasDone = () => {
      assert.deepEqual(served.rows("wallets"), []);
      assert.deepEqual(served.rows("events"), []);
    };

    test("a create that keeps them all is stored", async () => {
      const answer = await served.post("/wallets", { owner: "ann", balance: 100 });
      assert.equal(answer.status, 201);
      assert.equal(served.row("wallets", 1)?.balance, 100);
    });

    test("one that is broken is a 422 with its pointer, code and sentence", async () => {
      const answer = await served.post("/wallets", { owner: "ann", balance: 101 });
      const problem = assertInvalid(answer, ["#/balance over-limit"]);
      assert.equal(detailAt(problem, "#/balance"), "is above the limit");
      nothingWasDone();
    });

    test("several that are broken are told at once", async () => {
      const answer = await served.post("/wallets", { owner: "nobody", balance: 101 });
      assertInvalid(answer, ["#/balance over-limit", "#/owner not-a-person"]);
      nothingWasDone();
    });

    test("one without a sentence gets one from its code", async () => {
      const problem = assertInvalid(await served.post("/wallets", { owner: "nobody" }), [
        "#/owner not-a-person",
      ]);
      assert.equal(detailAt(problem, "#/owner"), "not a person");
    });

    test("they judge only what the schema has let through", async () => {
      const answer = await served.post("/wallets", { owner: "nobody", balance: "101" });
      assertInvalid(answer, ["#/balance invalid_type"]);
    });

    test("they see defaults", async () => {
      assertInvalid(await served.post("/wallets", { owner: "ann", limit: -1 }), [
        "#/balance over-limit",
      ]);
    });

    test("they query the database inside the transaction", async () => {
      await served.make("/wallets", { owner: "ann" });
      await served.make("/wallets", { owner: "ann" });
      await served.make("/wallets", { owner: "bob" });
      const answer = await served.post("/wallets", { owner: "ann", balance: 500 });
      assertInvalid(answer, ["#/balance over-limit", "#/owner too-many-wallets"]);
      assert.equal(served.rows("wallets").length, 3);
    });

    test("what one request writes, the next one's rule sees, also when both come at once", async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => served.post("/wallets", { owner: "ann" })),
      );
      assert.equal(answers.filter(({ status }) => status === 201).length, 2);
      assert.equal(answers.filter(({ status }) => status === 422).length, 10);
      assert.equal(served.rows("wallets").length, 2);
    });

    test("on PUT, a merge patch and a JSON Patch they see the record before", async () => {
      const path = await served.make("/wallets", { owner: "ann", balance: 90 });
      for (const answer of [
        await served.put(path, { owner: "ann", balance: 30 }),
        await served.mergePatch(path, { balance: 30 }),
        await served.jsonPatch(path, [{ op: "replace", path: "/balance", value: 30 }]),
      ]) {
        const problem = assertInvalid(answer, ["#/balance too-fast"]);
        assert.equal(detailAt(problem, "#/balance"), "was 90 before");
      }
      assert.equal(served.row("wallets", 1)?.balance, 90);
      assert.equal((await served.mergePatch(path, { balance: 40 })).status, 200);
      assert.equal(served.row("wallets", 1)?.balance, 40);
    });

    test("a patch is judged as the whole record that it makes", async () => {
      const path = await served.make("/wallets", { owner: "ann", balance: 90 });
      assertInvalid(await served.mergePatch(path, { limit: 80 }), ["#/balance over-limit"]);
      assert.equal(served.row("wallets", 1)?.limit, 100);
    });

    test("they know who calls", async () => {
      assertInvalid(await served.post("/wallets", { owner: "self" }), ["#/owner unknown-self"]);
      const known = await served.post("/wallets", { owner: "self" }, { authorization: "Bearer x" });
      assert.equal(known.status, 201);

      const ann = { authorization: "Bearer ann" };
      const diary = await served.make("/diaries", { text: "Dear diary" }, ann);
      assert.equal(served.rows("diaries")[0]?.author, "ann");
      const bob = { authorization: "Bearer bob" };
      assertInvalid(await served.mergePatch(diary, { text: "Ha" }, bob), ["#/author not-yours"]);
      assert.equal((await served.mergePatch(diary, { text: "Oh" }, ann)).status, 200);
      assert.equal(served.rows("diaries")[0]?.text, "Oh");
    });

    test("one that throws is our fault: 500, nothing told, nothing done", async () => {
      const answer = await served.post("/wallets", { owner: "broken rule" });
      assertProblem(answer, 500, "internal-error");
      assert.doesNotMatch(answer.text, /internals|TypeError/);
      nothingWasDone();
      const failed = served.observed.find(({ event }) => event === "request.failed");
      assert.equal(failed?.requestId, answer.header("request-id"));
      assert.match(String(failed?.error), /internals of the rule/);
    });

    test("DELETE needs no rule", async () => {
      const path = await served.make("/wallets", { owner: "ann" });
      assert.equal((await served.delete(path)).status, 204);
    });
  });
});

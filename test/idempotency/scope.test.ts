import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, suite, test } from "node:test";
import keyedApi, { demoted, revoked } from "../fixtures/keyed.ts";
import { assertFirst, assertReplay, by, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

suite("The scope of a key", () => {
  inBothModes(new URL("../fixtures/keyed.ts", import.meta.url), keyedApi, (served) => {
    afterEach(() => {
      revoked.clear();
      demoted.clear();
    });
    const titles = (table: string) => served.rows(table).map(({ title }) => title);

    test("is the caller: two who send the same with the same key are both served", async () => {
      const key = randomUUID();
      const body = { title: "same" };
      const [ann, bob] = [keyed(key, by("ann")), keyed(key, by("bob"))];
      const first = await served.post("/orders", body, ann);
      const second = await served.post("/orders", body, bob);
      assertFirst(first, 201);
      assertFirst(second, 201);
      assert.notEqual(second.text, first.text);
      assert.notEqual(second.header("location"), first.header("location"));
      assertReplay(first, await served.post("/orders", body, ann));
      assertReplay(second, await served.post("/orders", body, bob));
      assert.deepEqual(titles("orders"), ["same", "same"]);
    });

    test("lets nobody find out by a 422 which keys another caller has", async () => {
      const key = randomUUID();
      await served.post("/orders", { title: "of ann" }, keyed(key, by("ann")));
      const other = await served.post("/orders", { title: "of bob" }, keyed(key, by("bob")));
      assertFirst(other, 201);
      const nobody = await served.post("/orders", { title: "of nobody" }, keyed(key));
      assertFirst(nobody, 201);
      assert.deepEqual(titles("orders"), ["of ann", "of bob", "of nobody"]);
    });

    test("is shared by callers without credentials, and guarded by what they send", async () => {
      const headers = keyed();
      const first = await served.post("/orders", { title: "a" }, headers);
      // A retry may come from another address, over another connection.
      assertReplay(
        first,
        await served.post("/orders", { title: "a" }, { ...headers, connection: "close" }),
      );
      const other = await served.post("/orders", { title: "b" }, headers);
      const problem = assertProblem(other, 422, "idempotency-key-reused");
      assert.doesNotMatch(other.text, /"a"/);
      assert.equal(problem.errors, undefined);
      assert.deepEqual(titles("orders"), ["a"]);
    });

    test("of nobody is not that of somebody whose name looks like nobody", async () => {
      const key = randomUUID();
      for (const name of ["null", "undefined", "anonymous", "0"])
        assertFirst(await served.post("/orders", { title: name }, keyed(key, by(name))), 201);
      assertFirst(await served.post("/orders", { title: "nobody" }, keyed(key)), 201);
      assert.equal(titles("orders").length, 5);
    });

    test("can't be left by a name or a key that runs into what stands beside it", async () => {
      // Joined without care, these would all be one: name, operation and key.
      const pairs = [
        ["ann", 'orders.create","key","1'],
        ["ann\\", "1"],
        ['ann","orders.create', "1"],
      ];
      for (const [name, key] of pairs) {
        const quoted = `"${key!.replaceAll(/["\\]/g, "\\$&")}"`;
        const answer = await served.post("/orders", { title: "a" }, keyed(quoted, by(name!)));
        assertFirst(answer, 201);
      }
      assert.equal(titles("orders").length, 3);
    });

    test("is the operation: the same key at two of them collides nowhere", async () => {
      const headers = keyed();
      const body = { title: "same" };
      const order = await served.post("/orders", body, headers);
      const transfer = await served.post("/transfers", body, headers);
      assertFirst(order, 201);
      assertFirst(transfer, 201);
      assertReplay(order, await served.post("/orders", body, headers));
      assertReplay(transfer, await served.post("/transfers", body, headers));
      assert.deepEqual([titles("orders"), titles("transfers")], [["same"], ["same"]]);
    });

    test("is not widened by a replay: whose credentials were revoked gets 401, and no stored body", async () => {
      const headers = keyed(randomUUID(), by("ann"));
      const first = await served.post("/invoices", { title: "secret" }, headers);
      assertFirst(first, 201);
      revoked.add("ann");
      const answer = await served.post("/invoices", { title: "secret" }, headers);
      assertProblem(answer, 401, "unauthenticated");
      assert.doesNotMatch(answer.text, /secret/);
      assert.equal(answer.header("location"), null);
      revoked.clear();
      assertReplay(first, await served.post("/invoices", { title: "secret" }, headers));
      assert.deepEqual(titles("invoices"), ["secret"]);
    });

    test("is not widened by a replay: who may no longer call the operation gets 403", async () => {
      const headers = keyed(randomUUID(), by("ann"));
      const first = await served.post("/invoices", { title: "secret" }, headers);
      assertFirst(first, 201);
      demoted.add("ann");
      const answer = await served.post("/invoices", { title: "secret" }, headers);
      assertProblem(answer, 403, "forbidden");
      assert.doesNotMatch(answer.text, /secret/);
      assert.equal(answer.header("location"), null);
      demoted.clear();
      assertReplay(first, await served.post("/invoices", { title: "secret" }, headers));
    });

    test("is not widened by a replay: without credentials the key alone opens nothing", async () => {
      const key = randomUUID();
      await served.post("/invoices", { title: "secret" }, keyed(key, by("ann")));
      const answer = await served.post("/invoices", { title: "secret" }, keyed(key));
      assertProblem(answer, 401, "unauthenticated");
      assert.doesNotMatch(answer.text, /secret/);
    });
  });
});

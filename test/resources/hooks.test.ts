import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import { anyone, api, nobody, resource } from "posthaste";
import { z } from "zod";
import fixture from "../fixtures/wallets.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { inBothModes, type Served, serve } from "../support/scenario.ts";

let now = Date.now();

suite("Hooks run inside the transaction", () => {
  const clock = { now: () => now };
  const module = new URL("../fixtures/wallets.ts", import.meta.url);
  inBothModes(module, fixture, scenarios, { clock });

  function scenarios(served: Served) {
    const events = () => served.rows("events").map(({ text }) => text);

    test("created sees the record with its id, and what it writes is committed with it", async () => {
      await served.make("/wallets", { owner: "ann" });
      assert.deepEqual(events(), ["created 1 for ann by anyone"]);
    });

    test("created knows who calls", async () => {
      await served.make("/diaries", { text: "Dear diary" }, { authorization: "Bearer ann" });
      assert.deepEqual(events(), ["diary 1 of ann"]);
    });

    test("updated sees the record before and after, hidden fields included", async () => {
      const path = await served.make("/wallets", { owner: "ann", balance: 10 });
      await served.mergePatch(path, { balance: 20 });
      await served.put(path, { owner: "ann", balance: 30 });
      await served.jsonPatch(path, [{ op: "replace", path: "/balance", value: 40 }]);
      assert.deepEqual(events().slice(1), [
        "updated 1 from 10 to 20, hidden value",
        "updated 1 from 20 to 30, hidden value",
        "updated 1 from 30 to 40, hidden value",
      ]);
    });

    test("deleted sees the record as it was", async () => {
      await served.delete(await served.make("/wallets", { owner: "ann" }));
      assert.deepEqual(events().slice(1), ["deleted 1 of ann with 0"]);
      assert.deepEqual(served.rows("wallets"), []);
    });

    test("the answer shows the record as its hook left it, under the ETag that a read gives", async () => {
      const answer = await served.post("/wallets", { owner: "welcomed" });
      assert.equal((answer.body as { balance: number }).balance, 77);
      const read = await served.get("/wallets/1");
      assert.equal(read.text, answer.text);
      assert.equal(read.header("etag"), answer.header("etag"));
    });

    test("a record that another one's hook changes has another ETag and time from then on", async () => {
      now = Date.UTC(2020, 0, 1);
      const made = await served.post("/wallets", { owner: "state" });
      now = Date.now();
      await served.make("/wallets", { owner: "taxed" });
      const seen = { "if-none-match": made.header("etag") ?? "" };
      const read = await served.get("/wallets/1", seen);
      assert.equal(read.status, 200);
      assert.equal((read.body as { balance: number }).balance, 1);
      assert.notEqual(read.header("last-modified"), made.header("last-modified"));
      const late = await served.delete("/wallets/1", { "if-match": made.header("etag") ?? "" });
      assertProblem(late, 412, "precondition-failed");
    });

    test("reads, and writes that are refused before, run none", async () => {
      const path = await served.make("/wallets", { owner: "ann" });
      await served.get(path);
      await served.get("/wallets");
      await served.post("/wallets", { owner: "nobody" });
      await served.post("/wallets", {});
      await served.mergePatch(path, { balance: "x" });
      await served.mergePatch(path, { balance: 5 }, { "if-match": '"x"' });
      await served.delete(path, { "if-match": '"x"' });
      await served.delete("/wallets/99");
      assert.equal(events().length, 1);
    });

    describe("and roll everything back", () => {
      test("when created marks a fault: 422, no record, none of its own writes", async () => {
        const answer = await served.post("/wallets", { owner: "refused" });
        assertInvalid(answer, ["#/owner refused-by-hook"]);
        assert.deepEqual(served.rows("wallets"), []);
        assert.deepEqual(events(), []);
      });

      test("when updated marks a fault", async () => {
        const path = await served.make("/wallets", { owner: "ann" });
        const etag = (await served.get(path)).header("etag");
        assertInvalid(await served.mergePatch(path, { owner: "refused" }), [
          "#/owner refused-by-hook",
        ]);
        assert.equal(served.row("wallets", 1)?.owner, "ann");
        assert.equal((await served.get(path)).header("etag"), etag);
        assert.equal(events().length, 1);
      });

      test("when deleted marks a fault: the record stays", async () => {
        const path = await served.make("/wallets", { owner: "ann", balance: 5 });
        assertInvalid(await served.delete(path), ["#/balance not-empty"]);
        assert.equal(served.rows("wallets").length, 1);
        assert.equal(events().length, 1);
      });

      for (const owner of ["broken hook", "broken SQL", "slow", "commits"]) {
        test(`when created fails (${owner}): 500 without internals, and the next request works`, async () => {
          const answer = await served.post("/wallets", { owner });
          assertProblem(answer, 500, "internal-error");
          assert.doesNotMatch(answer.text, /internals|no_such_table|transaction|waited/);
          assert.deepEqual(served.rows("wallets"), []);
          assert.deepEqual(events(), []);
          const failed = served.observed.find(({ event }) => event === "request.failed");
          assert.equal(failed?.requestId, answer.header("request-id"));
          assert.ok(failed?.error);
          assert.equal((await served.post("/wallets", { owner: "ann" })).status, 201);
          assert.equal(served.rows("wallets").length, 1);
        });
      }

      test("when updated or deleted throws", async () => {
        const path = await served.make("/wallets", { owner: "undead" });
        assertProblem(await served.delete(path), 500, "internal-error");
        assertProblem(
          await served.mergePatch(path, { owner: "broken hook" }),
          500,
          "internal-error",
        );
        assert.deepEqual(
          served.rows("wallets").map(({ owner }) => owner),
          ["undead"],
        );
        assert.equal(events().length, 1);
      });

      test("and nobody else's work: requests that share a commit succeed around a failing one", async () => {
        const owners = Array.from({ length: 30 }, (_, index) =>
          index % 3 === 0 ? "broken hook" : index % 3 === 1 ? "refused" : `owner ${index}`,
        );
        const answers = await Promise.all(
          owners.map((owner) => served.post("/wallets", { owner })),
        );
        assert.deepEqual(
          answers.map(({ status }) => status),
          owners.map((owner) => ({ "broken hook": 500, refused: 422 })[owner] ?? 201),
        );
        const kept = owners.filter((owner) => owner.startsWith("owner"));
        assert.deepEqual(
          served
            .rows("wallets")
            .map(({ owner }) => owner)
            .sort(),
          kept.sort(),
        );
        assert.equal(events().length, kept.length);
      });
    });
  }

  test("a hook inserts into another resource's table by its declared fields alone", async (t) => {
    const log = resource("log", {
      schema: z.object({ text: z.string() }),
      access: { create: nobody, read: anyone, update: anyone, delete: nobody },
      timestamps: true,
    });
    const notes = resource("notes", {
      schema: z.object({ text: z.string() }),
      access: { create: anyone, read: anyone, update: anyone, delete: anyone },
      created: ({ row, tx }) => tx.insertInto("log").values({ text: row.text }).execute(),
    });
    const served = await serve(t, api({ log, notes }));
    assert.equal((await served.post("/notes", { text: "a" })).status, 201);
    const answer = await served.get("/log/1");
    assert.equal(answer.status, 200);
    const { text, createdAt } = answer.body as { text: string; createdAt: string };
    assert.equal(text, "a");
    assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000);
  });
});

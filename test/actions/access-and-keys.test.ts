import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import fixture from "../fixtures/deeds.ts";
import { assertReplay, by, keyed } from "../support/keyed.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { inBothModes, type Served } from "../support/scenario.ts";

suite("Who may call an action, and how often it happens", () => {
  inBothModes(new URL("../fixtures/deeds.ts", import.meta.url), fixture, scenarios);

  function scenarios(served: Served) {
    const effects = () => served.rows("effects").map(({ text }) => text);

    test("signedIn asks for credentials, and the action knows whose they are", async () => {
      const answer = await served.request("POST", "/whoami");
      assertProblem(answer, 401, "unauthenticated");
      assert.equal(answer.header("www-authenticate"), "Bearer");
      assert.deepEqual((await served.request("POST", "/whoami", by("ann"))).body, { id: "ann" });
    });

    test("a function decides, before a byte of the body is judged", async () => {
      assertProblem(await served.post("/govern", "{"), 401, "unauthenticated");
      assertProblem(await served.post("/govern", "{", by("ann")), 403, "forbidden");
      assertInvalid(await served.post("/govern", {}, by("root")), ["#/law required"]);
      assert.equal((await served.post("/govern", { law: "peace" }, by("root"))).status, 204);
      assert.deepEqual(effects(), ["law peace"]);
    });

    test("a key that is required is asked for, and nothing runs without", async () => {
      assertProblem(await served.post("/charge", { amount: 1 }), 400, "idempotency-key-required");
      assert.deepEqual(effects(), []);
    });

    test("the second request with a key gets the first answer, byte for byte", async () => {
      const key = randomUUID();
      const first = await served.post("/charge", { amount: 1 }, keyed(key));
      assert.equal(first.status, 200, first.text);
      await served.post("/charge", { amount: 9 }, keyed());
      assertReplay(first, await served.post("/charge", { amount: 1 }, keyed(key)));
      assert.deepEqual(effects(), ["charge 1", "charge 9"]);
    });

    test("twins with a key that come together happen once", async () => {
      const key = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => served.post("/charge", { amount: 5 }, keyed(key))),
      );
      assert.deepEqual([...new Set(answers.map(({ text }) => text))], ['{"receipt":1}']);
      assert.equal(answers.filter((each) => each.header("idempotent-replayed") === null).length, 1);
      assert.deepEqual(effects(), ["charge 5"]);
    });

    test("the key of another payload is refused, and the first answer stays", async () => {
      const key = randomUUID();
      const first = await served.post("/refund", { amount: 1 }, keyed(key));
      const other = await served.post("/refund", { amount: 2 }, keyed(key));
      assertProblem(other, 422, "idempotency-key-reused");
      assertReplay(first, await served.post("/refund", { amount: 1 }, keyed(key)));
      assert.deepEqual(effects(), ["refund 1"]);
    });

    test("two actions with the same key are two requests, and so are two paths of one", async () => {
      const key = randomUUID();
      const charge = await served.post("/charge", { amount: 3 }, keyed(key));
      const refund = await served.post("/refund", { amount: 3 }, keyed(key));
      assert.deepEqual(
        [charge, refund].map(({ status, body }) => [status, body]),
        [
          [200, { receipt: 1 }],
          [200, { receipt: -3 }],
        ],
      );
      const good = { email: "ann@example.com", lines: [{ item: "nail", amount: 3 }] };
      assert.equal((await served.post("/shops/1/orders", good, keyed(key))).status, 200);
      const elsewhere = await served.post("/shops/2/orders", good, keyed(key));
      assertProblem(elsewhere, 422, "idempotency-key-reused");
      assert.equal(effects().length, 3);
    });

    test("a refusal of its own is kept with the key, a failure of ours is not", async () => {
      const key = randomUUID();
      const poor = { email: "poor@example.com", lines: [{ item: "nail", amount: 3 }] };
      const refused = await served.post("/shops/1/orders", poor, keyed(key));
      assert.equal(refused.status, 422);
      const again = await served.post("/shops/1/orders", poor, keyed(key));
      assert.equal(again.header("idempotent-replayed"), "true");
      assert.equal(again.text, refused.text);
      const broken = await served.post("/misdeed", { does: "throw" }, keyed(key));
      const anew = await served.post("/misdeed", { does: "throw" }, keyed(key));
      assert.deepEqual([broken.status, anew.status], [500, 500]);
      assert.equal(anew.header("idempotent-replayed"), null);
      assert.notEqual(anew.text, broken.text, "it ran again, as a request of its own");
    });

    test("an answer without a body is replayed as one", async () => {
      const key = randomUUID();
      const first = await served.request("POST", "/ping", keyed(key));
      assert.equal(first.status, 204);
      assertReplay(first, await served.request("POST", "/ping", keyed(key)));
      assert.deepEqual(effects(), ["ping"]);
    });

    test("where keys are ignored, each request is another one", async () => {
      const key = randomUUID();
      await served.request("POST", "/knock", keyed(key));
      await served.request("POST", "/knock", keyed(key));
      assert.deepEqual(effects(), ["knock", "knock"]);
    });
  }
});

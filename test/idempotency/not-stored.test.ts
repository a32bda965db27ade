import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, suite, test } from "node:test";
import keyedApi, { demoted, revoked } from "../fixtures/keyed.ts";
import { serveHoldable } from "../support/held-lane.ts";
import { assertFirst, assertReplay, by, keyed } from "../support/keyed.ts";
import { exchange, post, problemIn, typeOf } from "../support/raw-http.ts";
import { type Answer, inBothModes } from "../support/scenario.ts";

const module = new URL("../fixtures/keyed.ts", import.meta.url);

suite("What was decided before the work began, or failed, leaves its key free", () => {
  inBothModes(module, keyedApi, (served) => {
    afterEach(() => {
      revoked.clear();
      demoted.clear();
    });

    /** Is refused; then the same key works as a new one, and is replayed from then on. */
    const assertFreed = async (
      status: number,
      refused: () => Promise<Answer>,
      retry: () => Promise<Answer>,
      success = 201,
    ) => {
      for (let time = 0; time < 2; time++) assertFirst(await refused(), status);
      const done = await retry();
      assertFirst(done, success);
      assertReplay(done, await retry());
    };
    const order = { title: "a" };
    const rows = () => served.rows("orders").length;

    test("400 for a body that is no JSON", async () => {
      const headers = keyed();
      await assertFreed(
        400,
        () => served.post("/orders", '{"title":', headers),
        () => served.post("/orders", order, headers),
      );
      assert.equal(rows(), 1);
    });

    test("400 for a patch that is none", async () => {
      const path = await served.make("/profiles", { name: "ada" });
      const headers = keyed();
      await assertFreed(
        400,
        () => served.jsonPatch(path, [{ op: "nothing" }], headers),
        () => served.jsonPatch(path, [{ op: "add", path: "/tags/-", value: "x" }], headers),
        200,
      );
      assert.equal(served.row("profiles", 1)?.tags, '["x"]');
    });

    test("400 for a condition that can't be read", async () => {
      const path = await served.make("/profiles", { name: "ada" });
      const headers = keyed();
      const etag = (await served.get(path)).header("etag")!;
      await assertFreed(
        400,
        () => served.mergePatch(path, { tags: ["x"] }, { ...headers, "if-match": "no quotes" }),
        () => served.mergePatch(path, { tags: ["x"] }, { ...headers, "if-match": etag }),
        200,
      );
    });

    test("412 for a state that was not there: If-Match is no part of the request's fingerprint", async () => {
      const path = await served.make("/profiles", { name: "ada" });
      const etag = (await served.get(path)).header("etag")!;
      const headers = keyed();
      await assertFreed(
        412,
        () => served.mergePatch(path, { tags: ["x"] }, { ...headers, "if-match": '"another"' }),
        () => served.mergePatch(path, { tags: ["x"] }, { ...headers, "if-match": etag }),
        200,
      );
    });

    test("401 for credentials that did not count", async () => {
      const headers = keyed(randomUUID(), by("ann"));
      revoked.add("ann");
      await assertFreed(
        401,
        () => served.post("/invoices", order, headers),
        () => {
          revoked.clear();
          return served.post("/invoices", order, headers);
        },
      );
    });

    test("403 for a caller who was not allowed", async () => {
      const headers = keyed(randomUUID(), by("ann"));
      demoted.add("ann");
      await assertFreed(
        403,
        () => served.post("/invoices", order, headers),
        () => {
          demoted.clear();
          return served.post("/invoices", order, headers);
        },
      );
      assert.equal(served.rows("invoices").length, 1);
    });

    test("403 for a patch that would have told what the caller could not read", async () => {
      const path = await served.make("/dossiers", { title: "a" });
      const headers = keyed(randomUUID(), by("ann"));
      const patch = [{ op: "replace", path: "/title", value: "b" }];
      demoted.add("ann");
      await assertFreed(
        403,
        () => served.jsonPatch(path, patch, headers),
        () => {
          demoted.clear();
          return served.jsonPatch(path, patch, headers);
        },
        200,
      );
    });

    test("406 for an answer that can't be given", async () => {
      const headers = keyed();
      await assertFreed(
        406,
        () => served.post("/orders", order, { ...headers, accept: "image/png" }),
        () => served.post("/orders", order, headers),
      );
      assert.equal(rows(), 1);
    });

    test("413 for too large a body", async () => {
      const headers = keyed();
      await assertFreed(
        413,
        () => served.post("/orders", { title: "a".repeat(300_000) }, headers),
        () => served.post("/orders", order, headers),
      );
      assert.equal(rows(), 1);
    });

    test("415 for a body of another type", async () => {
      const headers = keyed();
      await assertFreed(
        415,
        () => served.post("/orders", order, { ...headers, "content-type": "text/plain" }),
        () => served.post("/orders", order, headers),
      );
      assert.equal(rows(), 1);
    });

    test("422 by the schema: the mended body may come with the same key", async () => {
      const headers = keyed();
      await assertFreed(
        422,
        () => served.post("/orders", { title: "" }, headers),
        () => served.post("/orders", order, headers),
      );
      assert.equal(rows(), 1);
    });

    test("500 by a hook that broke: a retry succeeds, and the hook's work is there once", async () => {
      const headers = keyed();
      const body = { title: "a", does: "break in the dark" };
      await assertFreed(
        500,
        () => served.post("/orders", body, headers),
        async () => {
          await served.post("/lights", { name: "on" });
          return served.post("/orders", body, headers);
        },
      );
      assert.equal(rows(), 1);
      assert.deepEqual(
        served.rows("effects").map(({ text }) => text),
        ["order a"],
      );
      assert.equal(served.observed.filter(({ event }) => event === "request.failed").length, 2);
    });
  });

  for (const [mode, options] of [
    ["with the writer in a thread", { module }],
    ["with the lane on the main thread", {}],
  ] as const) {
    test(`503 for a lane that was full, ${mode}`, async (t) => {
      const { origin, hold } = await serveHoldable(t, keyedApi, { ...options, maxWaiting: 1 });
      const give = await hold();
      const requests = ["a", "b"].map((title) =>
        post("/api/orders", { title }, { "Idempotency-Key": randomUUID() }),
      );
      const sent = requests.map(async (bytes) => ({
        bytes,
        answer: await exchange(origin, bytes),
      }));
      // One of the two has the only place in the lane, and waits there.
      const refused = await Promise.race(sent);
      assert.equal(typeOf(problemIn(refused.answer)), "overloaded");
      assert.equal((await exchange(origin, refused.bytes)).status, 503);
      await give();
      for (const { bytes, answer } of await Promise.all(sent)) {
        const done = bytes === refused.bytes ? await exchange(origin, bytes) : answer;
        assert.equal(done.status, 201);
        assert.equal(done.headers.has("idempotent-replayed"), false);
        const again = await exchange(origin, bytes);
        assert.equal(again.headers.get("idempotent-replayed"), "true");
        assert.deepEqual(again.body, done.body);
      }
    });
  }
});

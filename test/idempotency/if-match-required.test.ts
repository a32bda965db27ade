import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import records from "../fixtures/guarded-records.ts";
import { assertReplay, keyed } from "../support/keyed.ts";
import { assertProblem } from "../support/problem.ts";
import { rawRequest } from "../support/raw-request.ts";
import { type Answer, inBothModes } from "../support/scenario.ts";

suite('ifMatch: "required"', () => {
  inBothModes(new URL("../fixtures/guarded-records.ts", import.meta.url), records, (served) => {
    type Headers = Record<string, string>;
    const changes: readonly [
      string,
      (path: string, headers?: Headers) => Promise<Answer>,
      number,
    ][] = [
      ["PUT", (path, headers) => served.put(path, { text: "new" }, headers), 200],
      ["a merge patch", (path, headers) => served.mergePatch(path, { text: "new" }, headers), 200],
      [
        "a JSON patch",
        (path, headers) =>
          served.jsonPatch(path, [{ op: "replace", path: "/text", value: "new" }], headers),
        200,
      ],
      ["DELETE", (path, headers) => served.delete(path, headers), 204],
    ];
    const texts = (table = "sheets") => served.rows(table).map(({ text }) => text);

    for (const [what, change, success] of changes) {
      describe(what, () => {
        test("without If-Match is 428, says what to send, and changes nothing", async () => {
          const path = await served.make("/sheets", { text: "old" });
          const problem = assertProblem(await change(path), 428, "precondition-required");
          assert.equal(
            problem.detail,
            'This operation needs If-Match. GET /api/sheets/1 and send its ETag: If-Match: "…".',
          );
          assert.deepEqual(texts(), ["old"]);
        });

        test("with the present ETag is done", async () => {
          const path = await served.make("/sheets", { text: "old" });
          const etag = (await served.get(path)).header("etag")!;
          assert.equal((await change(path, { "if-match": etag })).status, success);
          assert.deepEqual(texts(), success === 204 ? [] : ["new"]);
        });

        test("with an older ETag is 412", async () => {
          const path = await served.make("/sheets", { text: "oldest" });
          const etag = (await served.get(path)).header("etag")!;
          await served.put(path, { text: "old" }, { "if-match": etag });
          const answer = await change(path, { "if-match": etag });
          assertProblem(answer, 412, "precondition-failed");
          assert.deepEqual(texts(), ["old"]);
        });

        test("with If-Match: * is done: the client has said that it means any state", async () => {
          const path = await served.make("/sheets", { text: "old" });
          assert.equal((await change(path, { "if-match": "*" })).status, success);
        });

        test("is let past by no other condition", async () => {
          const path = await served.make("/sheets", { text: "old" });
          const later = new Date(Date.now() + 60_000).toUTCString();
          for (const headers of [
            { "if-none-match": '"of another time"' },
            { "if-none-match": '"another"' },
            { "if-none-match": 'W/"another"' },
            { "if-none-match": "" },
            { "if-none-match": "**" },
            { "if-unmodified-since": later },
            { "if-modified-since": later },
            { "if-range": '"x"' },
          ] as Headers[]) {
            const answer = await change(path, headers);
            assertProblem(answer, 428, "precondition-required");
          }
          const unless = await change(path, { "if-none-match": "*" });
          assertProblem(unless, 412, "precondition-failed");
          assert.deepEqual(texts(), ["old"]);
        });

        test("with an empty If-Match matches nothing", async () => {
          const path = await served.make("/sheets", { text: "old" });
          assertProblem(await change(path, { "if-match": "" }), 412, "precondition-failed");
          assert.deepEqual(texts(), ["old"]);
        });
      });
    }

    test("is asked for before the body is read", async () => {
      const path = await served.make("/sheets", { text: "old" });
      for (const [method, type] of [
        ["PUT", "application/json"],
        ["PATCH", "application/merge-patch+json"],
      ] as const) {
        const answer = await rawRequest(served.origin, {
          method,
          path,
          headers: { "content-type": type, expect: "100-continue" },
          body: "{",
        });
        assert.equal(answer.status, 428);
        assert.equal(answer.continued, false);
      }
    });

    test("is asked for whether the record exists or not", async () => {
      assertProblem(await served.put("/sheets/1", { text: "a" }), 428, "precondition-required");
      assertProblem(await served.delete("/sheets/1"), 428, "precondition-required");
      const answer = await served.delete("/sheets/1", { "if-match": '"x"' });
      assertProblem(answer, 404, "not-found");
      assertProblem(await served.delete("/sheets/x"), 404, "not-found");
    });

    test("says nothing of POST and GET", async () => {
      const path = await served.make("/sheets", { text: "old" });
      assert.equal((await served.get(path)).status, 200);
      assert.equal((await served.get("/sheets")).status, 200);
    });

    test("is nobody's affair where it is not declared", async () => {
      const path = await served.make("/scraps", { text: "old" });
      assert.equal((await served.put(path, { text: "new" })).status, 200);
      assert.equal((await served.delete(path)).status, 204);
    });

    describe("where ids are the client's", () => {
      test("PUT with If-None-Match: * makes a record, and overwrites none", async () => {
        const unless = { "if-none-match": " * " };
        assert.equal((await served.put("/papers/a", { text: "one" }, unless)).status, 201);
        const again = await served.put("/papers/a", { text: "two" }, unless);
        assertProblem(again, 412, "precondition-failed");
        assert.deepEqual(texts("papers"), ["one"]);
      });

      test("PUT without a condition is 428, also where there is no record yet", async () => {
        const answer = await served.put("/papers/a", { text: "one" });
        assertProblem(answer, 428, "precondition-required");
        assert.deepEqual(texts("papers"), []);
      });

      test("PUT with a tag that no record has makes none, and changes none", async () => {
        for (const headers of [{ "if-none-match": '"x"' }, { "if-none-match": '"x", *' }])
          assertProblem(
            await served.put("/papers/a", { text: "one" }, headers),
            428,
            "precondition-required",
          );
        const answer = await served.put("/papers/a", { text: "one" }, { "if-match": '"x"' });
        assertProblem(answer, 412, "precondition-failed");
        assert.deepEqual(texts("papers"), []);
      });
    });

    describe("beside a key that is required", () => {
      test("both are asked for, and both together are taken", async () => {
        const path = await served.make("/ledgers", { text: "old" }, keyed());
        const etag = (await served.get(path)).header("etag")!;
        const patch = (headers: Headers) => served.mergePatch(path, { text: "new" }, headers);
        assertProblem(await patch(keyed()), 428, "precondition-required");
        assertProblem(await patch({ "if-match": etag }), 400, "idempotency-key-required");
        const headers = { ...keyed(), "if-match": etag };
        const first = await patch(headers);
        assert.equal(first.status, 200);
        assertReplay(first, await patch(headers));
      });
    });
  });
});

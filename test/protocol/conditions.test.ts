import assert from "node:assert/strict";
import { beforeEach, describe, suite, test } from "node:test";
import fixture from "../fixtures/notes.ts";
import { assertProblem } from "../support/problem.ts";
import { type Answer, inBothModes } from "../support/scenario.ts";

/** Half a second past noon: HTTP dates know whole seconds only. */
const NOON = Date.UTC(2026, 5, 15, 12, 0, 0, 500);
const httpDate = (time: number) => new Date(time).toUTCString();
const SECOND = 1_000;

let now = NOON;
const clock = { now: () => now };

suite("ETags and conditional requests (RFC 9110 section 13)", () => {
  inBothModes(
    new URL("../fixtures/notes.ts", import.meta.url),
    fixture,
    (served) => {
      let etag = "";
      beforeEach(async () => {
        now = NOON;
        const answer = await served.post("/notes", { text: "a" });
        etag = answer.header("etag") ?? "";
      });
      const text = () => served.row("notes", 1)?.text;

      /** The three ways to change the record, and the one to delete it. */
      const writes: Record<string, (headers: Record<string, string>) => Promise<Answer>> = {
        PUT: (headers) => served.put("/notes/1", { text: "b" }, headers),
        "a merge patch": (headers) => served.mergePatch("/notes/1", { text: "b" }, headers),
        "a JSON Patch": (headers) =>
          served.jsonPatch("/notes/1", [{ op: "replace", path: "/text", value: "b" }], headers),
        DELETE: (headers) => served.delete("/notes/1", headers),
      };
      const reads: Record<string, (headers: Record<string, string>) => Promise<Answer>> = {
        GET: (headers) => served.get("/notes/1", headers),
        HEAD: (headers) => served.head("/notes/1", headers),
      };

      test("the ETag is strong, stays with the state, and changes with every write", async () => {
        assert.match(etag, /^"[\x21\x23-\x7e]+"$/);
        assert.equal((await served.get("/notes/1")).header("etag"), etag);
        assert.equal((await served.get("/notes/1")).header("etag"), etag);
        const tags = [etag];
        for (const write of ["PUT", "a merge patch", "a JSON Patch"]) {
          tags.push((await writes[write]!({})).header("etag") ?? "");
        }
        assert.equal(new Set(tags).size, 4);
      });

      test("two records with the same content have different ETags", async () => {
        const other = await served.post("/notes", { text: "a" });
        assert.notEqual(other.header("etag"), etag);
      });

      test("Last-Modified is the time of the last write", async () => {
        assert.equal((await served.get("/notes/1")).header("last-modified"), httpDate(NOON));
        now = NOON + 90 * SECOND;
        const answer = await served.mergePatch("/notes/1", { text: "b" });
        assert.equal(answer.header("last-modified"), httpDate(now));
        assert.equal((await served.get("/notes/1")).header("last-modified"), httpDate(now));
      });

      describe("If-None-Match on a read", () => {
        for (const [method, read] of Object.entries(reads)) {
          test(`${method} of what the client has is 304, with the ETag and without a body`, async () => {
            for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
              const answer = await read({ "if-none-match": tags });
              assert.equal(answer.status, 304, tags);
              assert.equal(answer.text, "");
              assert.equal(answer.header("etag"), etag);
              assert.equal(answer.header("content-type"), null);
            }
          });

          test(`${method} of what has changed is 200`, async () => {
            await served.mergePatch("/notes/1", { text: "b" });
            assert.equal((await read({ "if-none-match": etag })).status, 200);
            assert.equal((await read({ "if-none-match": '"other"' })).status, 200);
          });
        }
      });

      describe("If-Modified-Since on a read", () => {
        for (const [method, read] of Object.entries(reads)) {
          test(`${method} of what has not changed since is 304`, async () => {
            for (const time of [NOON, NOON + SECOND, NOON + 3_600 * SECOND]) {
              const answer = await read({ "if-modified-since": httpDate(time) });
              assert.equal(answer.status, 304);
              assert.equal(answer.header("etag"), etag);
            }
          });

          test(`${method} of what has changed since is 200`, async () => {
            const answer = await read({ "if-modified-since": httpDate(NOON - SECOND) });
            assert.equal(answer.status, 200);
          });
        }

        test("is not looked at beside If-None-Match, nor when it is no date", async () => {
          const both = { "if-none-match": '"other"', "if-modified-since": httpDate(NOON) };
          assert.equal((await served.get("/notes/1", both)).status, 200);
          const wrong = { "if-modified-since": "yesterday" };
          assert.equal((await served.get("/notes/1", wrong)).status, 200);
        });

        test("is not looked at by writes", async () => {
          const answer = await writes.PUT!({ "if-modified-since": httpDate(NOON) });
          assert.equal(answer.status, 200);
        });
      });

      describe("If-Match", () => {
        for (const [method, write] of Object.entries(writes)) {
          test(`${method} of the state that the client has seen is done`, async () => {
            const answer = await write({ "if-match": `"other", ${etag}` });
            assert.ok(answer.status === 200 || answer.status === 204, answer.text);
            assert.equal(text(), method === "DELETE" ? undefined : "b");
          });

          test(`${method} of any state is done with *`, async () => {
            const answer = await write({ "if-match": "*" });
            assert.ok(answer.status === 200 || answer.status === 204, answer.text);
          });

          test(`${method} of another state is 412, names the ETag, and does nothing`, async () => {
            for (const tags of ['"other"', `W/${etag}`, '"a", "b"', ""]) {
              const answer = await write({ "if-match": tags });
              assertProblem(answer, 412, "precondition-failed");
              assert.equal(answer.header("etag"), etag);
            }
            assert.equal(text(), "a");
          });

          test(`${method} of a record that is not there is 404, condition or not`, async () => {
            await served.delete("/notes/1");
            for (const headers of [
              { "if-match": "*" },
              { "if-match": etag },
              { "if-none-match": "*" },
              { "if-unmodified-since": httpDate(NOON) },
            ]) {
              // Section 13.2.1: conditions are ignored where the answer without them is no success.
              assertProblem(await write(headers), 404, "not-found");
            }
          });
        }

        for (const [method, read] of Object.entries(reads)) {
          test(`${method} of another state is 412`, async () => {
            assert.equal((await read({ "if-match": '"other"' })).status, 412);
            assert.equal((await read({ "if-match": etag })).status, 200);
          });
        }

        test("that can't be read is 400: a guard that is not understood must not be dropped", async () => {
          for (const tags of ["unquoted", '"a" "b"', '"open']) {
            for (const write of Object.values(writes)) {
              const problem = assertProblem(
                await write({ "if-match": tags }),
                400,
                "malformed-header",
              );
              assert.equal(problem.errors?.[0]?.header, "If-Match");
            }
            assertProblem(
              await served.get("/notes/1", { "if-match": tags }),
              400,
              "malformed-header",
            );
          }
          assert.equal(text(), "a");
        });

        test("lets one of many writers win that have seen the same state", async () => {
          const answers = await Promise.all(
            Array.from({ length: 20 }, (_, index) =>
              served.mergePatch("/notes/1", { text: `writer ${index}` }, { "if-match": etag }),
            ),
          );
          const won = answers.findIndex(({ status }) => status === 200);
          assert.deepEqual(answers.map(({ status }) => status).sort(), [
            200,
            ...Array.from({ length: 19 }, () => 412),
          ]);
          assert.equal(text(), `writer ${won}`);
        });

        test("is checked before the content: 412 for a patch that would not be valid either", async () => {
          const answer = await served.mergePatch("/notes/1", { text: 1 }, { "if-match": '"x"' });
          assertProblem(answer, 412, "precondition-failed");
        });

        test("with the ETag of the 412 succeeds", async () => {
          const refused = await writes.PUT!({ "if-match": '"other"' });
          const answer = await writes.PUT!({ "if-match": refused.header("etag") ?? "" });
          assert.equal(answer.status, 200);
        });
      });

      describe("If-None-Match on a write", () => {
        for (const [method, write] of Object.entries(writes)) {
          test(`${method} is 412 where the record is in that state`, async () => {
            for (const tags of ["*", etag, `W/${etag}`]) {
              assertProblem(await write({ "if-none-match": tags }), 412, "precondition-failed");
            }
            assert.equal(text(), "a");
          });

          test(`${method} is done where it is in another`, async () => {
            const answer = await write({ "if-none-match": '"other"' });
            assert.ok(answer.status < 300, answer.text);
          });
        }
      });

      describe("If-Unmodified-Since", () => {
        for (const [method, write] of Object.entries(writes)) {
          test(`${method} is 412 where the record has changed since`, async () => {
            const answer = await write({ "if-unmodified-since": httpDate(NOON - SECOND) });
            assertProblem(answer, 412, "precondition-failed");
            assert.equal(text(), "a");
          });

          test(`${method} is done where it has not`, async () => {
            const answer = await write({ "if-unmodified-since": httpDate(NOON) });
            assert.ok(answer.status < 300, answer.text);
          });
        }

        test("is not looked at beside If-Match, nor when it is no date", async () => {
          const past = httpDate(NOON - SECOND);
          const both = { "if-match": etag, "if-unmodified-since": past };
          assert.equal((await writes.PUT!(both)).status, 200);
          assert.equal((await writes.PUT!({ "if-unmodified-since": "soon" })).status, 200);
        });

        test("guards a read as well", async () => {
          const answer = await served.get("/notes/1", {
            "if-unmodified-since": httpDate(NOON - SECOND),
          });
          assertProblem(answer, 412, "precondition-failed");
        });
      });

      describe("on a POST", () => {
        test("If-Match can't be met by a collection, which has no ETag: 412, and nothing is made", async () => {
          // Section 13.1.1: the method MUST NOT be performed where the condition is false.
          const answer = await served.post("/notes", { text: "b" }, { "if-match": etag });
          assertProblem(answer, 412, "precondition-failed");
          assert.equal(served.rows("notes").length, 1);
        });
      });
    },
    { clock },
  );
});

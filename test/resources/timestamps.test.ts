import assert from "node:assert/strict";
import { beforeEach, suite, test } from "node:test";
import fixture from "../fixtures/diary.ts";
import { assertInvalid } from "../support/problem.ts";
import { inBothModes } from "../support/scenario.ts";

const MADE = Date.UTC(2026, 0, 31, 12, 0, 0, 7);
const CHANGED = MADE + 3_600_000;
const createdAt = "2026-01-31T12:00:00.007Z";
const updatedAt = "2026-01-31T13:00:00.007Z";
let now = MADE;

suite("Timestamps", () => {
  inBothModes(
    new URL("../fixtures/diary.ts", import.meta.url),
    fixture,
    (served) => {
      beforeEach(async () => {
        now = MADE;
        await served.make("/entries", { text: "a" });
        now = CHANGED;
      });
      const made = { id: 1, text: "a", createdAt, updatedAt: createdAt };

      test("a new record was created and updated at the same moment, in UTC", async () => {
        assert.deepEqual((await served.get("/entries/1")).body, made);
        assert.deepEqual((await served.get("/entries")).body, [made]);
      });

      test("the answer to a create shows them as a read does", async () => {
        now = MADE;
        const answer = await served.post("/entries", { text: "b" });
        assert.deepEqual(answer.body, { ...made, id: 2, text: "b" });
        assert.equal((await served.get("/entries/2")).text, answer.text);
      });

      for (const [how, change] of [
        ["PUT", () => served.put("/entries/1", { text: "b" })],
        ["a merge patch", () => served.mergePatch("/entries/1", { text: "b" })],
        [
          "a JSON Patch",
          () => served.jsonPatch("/entries/1", [{ op: "replace", path: "/text", value: "b" }]),
        ],
      ] as const) {
        test(`${how} changes updatedAt and Last-Modified, and leaves createdAt`, async () => {
          const answer = await change();
          assert.deepEqual(answer.body, { ...made, text: "b", updatedAt });
          assert.equal(answer.header("last-modified"), new Date(CHANGED).toUTCString());
          assert.deepEqual((await served.get("/entries/1")).body, answer.body);
        });
      }

      test("clients can't write or remove them, and may send them back as they are", async () => {
        const later = { createdAt: "2030-01-01T00:00:00.000Z", updatedAt: null };
        assertInvalid(await served.post("/entries", { text: "b", ...later }), [
          "#/createdAt read_only",
          "#/updatedAt read_only",
        ]);
        assertInvalid(await served.put("/entries/1", { text: "b", ...later }), [
          "#/createdAt read_only",
          "#/updatedAt read_only",
        ]);
        assertInvalid(await served.mergePatch("/entries/1", { createdAt: null }), [
          "#/createdAt read_only",
        ]);
        assert.deepEqual((await served.get("/entries/1")).body, made);
        assert.equal((await served.put("/entries/1", { ...made, text: "b" })).status, 200);
      });

      test("a refused write leaves them alone", async () => {
        await served.put("/entries/1", { text: 1 });
        await served.mergePatch("/entries/1", { text: "b" }, { "if-match": '"other"' });
        assert.deepEqual((await served.get("/entries/1")).body, made);
      });

      test("hooks see them as clients do", async () => {
        assert.equal(served.row("plain", 1)?.text, `${createdAt} ${createdAt}`);
      });

      test("a resource that does not ask for them shows none, and has Last-Modified all the same", async () => {
        const answer = await served.post("/plain", { text: "a" });
        assert.deepEqual(answer.body, { id: 2, text: "a" });
        assert.equal(answer.header("last-modified"), new Date(CHANGED).toUTCString());
      });
    },
    { clock: { now: () => now } },
  );
});

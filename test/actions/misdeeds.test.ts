import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import fixture from "../fixtures/deeds.ts";
import { assertProblem } from "../support/problem.ts";
import { inBothModes, type Served, servedFor } from "../support/scenario.ts";
import { within } from "../support/time.ts";

const module = new URL("../fixtures/deeds.ts", import.meta.url);

suite("An action that does what it should not", () => {
  inBothModes(module, fixture, scenarios);

  function scenarios(served: Served) {
    const effects = () => served.rows("effects").map(({ text }) => text);

    /** What the operator is told of a request. */
    const toldOf = (requestId: string | null) =>
      String(
        served.observed.find(
          (each) => each.event === "request.failed" && each.requestId === requestId,
        )?.error,
      );

    for (const [does, told] of [
      [
        "give what does not fit",
        /The result of the action "misdeed" does not fit its output schema: #\/text .+; #\/size /,
      ],
      ["give nothing", /action "misdeed" does not fit its output schema/],
      [
        "give too much",
        /The result of the action "misdeed" has more than 1048576 characters as JSON: make a record/,
      ],
      [
        "give a path with a line break",
        /The location that the action "misdeed" gave is not a path: "\/a\\r\\nx-injected.*encodeURIComponent/,
      ],
      ["give a path in Greek", /The location that the action "misdeed" gave is not a path/],
      ["throw", /internals of the action/],
      ["throw nothing", /undefined/],
      ["sleep", /waited for something that is not the database\. Await tx only/],
      ["fetch", /waited for something that is not the database/],
      ["hang", /waited for something that is not the database/],
      ["commit", /begin|transaction/i],
    ] as const) {
      test(`${does}: 500 that tells nothing, a log that tells it, and nothing is left`, async () => {
        const answer = await within(
          5_000,
          "it is answered",
          served.post("/misdeed", {
            does: does === "fetch" ? `fetch ${served.origin}/health/ready` : does,
          }),
        );
        assertProblem(answer, 500, "internal-error");
        assert.doesNotMatch(answer.text, /internals|schema|location|waited/);
        assert.match(toldOf(answer.header("request-id")), told);
        assert.equal(answer.header("x-injected"), null);
        assert.deepEqual(effects(), []);
        assert.equal((await served.request("POST", "/ping")).status, 204);
        assert.deepEqual(effects(), ["ping"]);
      });
    }

    test("harms nobody who shares the commit", async () => {
      const deeds = Array.from({ length: 40 }, (_, index) =>
        index % 4 === 0 ? "hang" : index % 4 === 1 ? "throw" : `deed ${index}`,
      );
      const answers = await within(
        10_000,
        "all are answered",
        Promise.all(deeds.map((does) => served.post("/misdeed", { does }))),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        deeds.map((does) => (does.startsWith("deed") ? 200 : 500)),
      );
      assert.deepEqual(
        effects().sort(),
        deeds
          .filter((does) => does.startsWith("deed"))
          .map((does) => `misdeed ${does}`)
          .sort(),
      );
    });
  }
});

suite("An action that loops for ever", () => {
  describe("with the writer in a thread", () => {
    const served = servedFor(fixture, { module, writerTimeoutMs: 500 });

    test("has the thread replaced in time: it is told that it failed, and who waited behind it is answered", async () => {
      const began = performance.now();
      const first = served.post("/misdeed", { does: "loop" });
      const others = Array.from({ length: 5 }, () => served.request("POST", "/ping"));
      const [loop, ...answers] = await within(
        20_000,
        "all are told",
        Promise.all([first, ...others]),
      );
      const took = performance.now() - began;
      assert.ok(took >= 450, `${took} ms: the bound has to be what ended it`);
      assertProblem(loop!, 500, "internal-error");
      const failed = served.observed.find(
        (each) => each.event === "request.failed" && each.requestId === loop!.header("request-id"),
      );
      assert.match(String(failed?.error), /brought the writer down, or held it for too long/);
      assert.ok(served.observed.some(({ event }) => event === "writer.died"));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [204, 204, 204, 204, 204],
      );
      assert.deepEqual(
        served.rows("effects").map(({ text }) => text),
        ["ping", "ping", "ping", "ping", "ping"],
      );
    });
  });
});

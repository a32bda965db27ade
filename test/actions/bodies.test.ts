import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fixture from "../fixtures/deeds.ts";
import { assertInvalid, assertProblem, detailAt } from "../support/problem.ts";
import { exchange, post, problemIn, request, typeOf } from "../support/raw-http.ts";
import { inBothModes, type Served } from "../support/scenario.ts";

const good = { email: "ann@example.com", lines: [{ item: "nail", amount: 3 }] };

suite("What an action takes and gives", () => {
  inBothModes(new URL("../fixtures/deeds.ts", import.meta.url), fixture, scenarios);

  function scenarios(served: Served) {
    const effects = () => served.rows("effects").map(({ text }) => text);

    test("200 with what it gave, as its output schema has it", async () => {
      const answer = await served.post("/shops/1/orders", good);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.header("content-type"), "application/json");
      assert.equal(answer.header("location"), null);
      assert.deepEqual(answer.body, { note: "none" }, "with the default of the input");
      assert.deepEqual((await served.request("POST", "/count")).body, { projects: 0 });
    });

    test("201 with the path of what was made, and nothing that the schema does not know", async () => {
      const answer = await served.post("/draft", { title: "Bridge" });
      assert.equal(answer.status, 201);
      assert.equal(answer.header("location"), "/api/projects/1");
      assert.equal(answer.text, '{"id":1,"title":"Bridge"}');
      assert.equal(
        ((await served.get(answer.header("location")!)).body as { title: string }).title,
        "Bridge",
      );
    });

    test("204 without a body where it has nothing to say", async () => {
      const bytes = request("POST", "/api/ping");
      const answer = await exchange(served.origin, bytes);
      assert.equal(answer.status, 204);
      assert.equal(answer.body.length, 0);
      assert.equal(answer.headers.get("content-length"), undefined);
    });

    test("every fault of the body is listed at once, each with its place", async () => {
      const answer = await served.post("/shops/1/orders", {
        email: "ann",
        lines: [{ item: "", amount: 0 }, { item: "nail" }, { item: "nail", amount: 1, colour: 1 }],
        address: { city: "Rome", zip: "00100" },
        note: "too long",
        nte: "x",
      });
      const problem = assertInvalid(answer, [
        "#/address/zip unknown_field",
        "#/email invalid_format",
        "#/lines/0/amount too_small",
        "#/lines/0/item too_small",
        "#/lines/1/amount required",
        "#/lines/2/colour unknown_field",
        "#/note too_big",
        "#/nte unknown_field",
      ]);
      assert.match(detailAt(problem, "#/nte"), /Did you mean "note"\?/);
      assert.deepEqual(effects(), []);
    });

    test("a body that is no object is refused where one is expected", async () => {
      for (const body of ["[]", "7", '"x"', "null"]) {
        assertProblem(await served.post("/shops/1/orders", body), 422, "validation-failed");
      }
      assertProblem(await served.post("/shops/1/orders", ""), 400, "malformed-json");
      assertProblem(await served.post("/shops/1/orders", "{"), 400, "malformed-json");
      assert.deepEqual(effects(), []);
    });

    test("a body without a type, or of another one, is never guessed at", async () => {
      const body = JSON.stringify(good);
      for (const headers of [
        { "content-type": "text/plain" },
        { "content-type": "application/merge-patch+json" },
        { "content-type": "application/json; charset=iso-8859-1" },
      ]) {
        const answer = await served.request("POST", "/shops/1/orders", headers, body);
        assertProblem(answer, 415, "unsupported-media-type");
        assert.equal(answer.header("accept"), "application/json");
        assert.equal(answer.header("accept-post"), "application/json");
      }
      const untyped = request("POST", "/api/shops/1/orders", {}, body);
      assert.equal(
        typeOf(problemIn(await exchange(served.origin, untyped))),
        "unsupported-media-type",
      );
      const without = request("POST", "/api/shops/1/orders");
      assert.equal(
        typeOf(problemIn(await exchange(served.origin, without))),
        "unsupported-media-type",
      );
      const encoded = await served.post("/shops/1/orders", body, { "content-encoding": "gzip" });
      assertProblem(encoded, 415, "unsupported-content-encoding");
      assert.deepEqual(effects(), []);
    });

    test("a body where none is taken is refused, of any type, also in chunks", async () => {
      for (const headers of [
        { "content-type": "application/json" },
        { "content-type": "text/plain" },
      ])
        assertProblem(
          await served.request("POST", "/ping", headers, "{}"),
          415,
          "unsupported-media-type",
        );
      const chunked = request(
        "POST",
        "/api/ping",
        { "Transfer-Encoding": "chunked" },
        "2\r\n{}\r\n0\r\n\r\n",
      );
      assert.equal((await exchange(served.origin, chunked)).status, 415);
      assert.deepEqual(effects(), []);
      const typed = await served.request("POST", "/ping", { "content-type": "application/json" });
      assert.equal(typed.status, 204, "a type of nothing is nothing");
    });

    test("a body of too many bytes is refused before it is read", async () => {
      const answer = await exchange(
        served.origin,
        post("/api/shops/1/orders", "x", { "Content-Length": "262145" }),
      );
      assert.equal(typeOf(problemIn(answer)), "content-too-large");
    });

    test("what can't be produced is refused before anything is done", async () => {
      const answer = await served.request("POST", "/ping", { accept: "image/png" });
      assertProblem(answer, 406, "not-acceptable");
      assert.deepEqual(effects(), []);
    });

    test("what it finds wrong is a 422 with all of it, and what it had written is undone", async () => {
      const answer = await served.post("/shops/1/orders", {
        email: "poor@example.com",
        lines: [good.lines[0], { item: "moon", amount: 1 }, { item: "moon", amount: 2 }],
      });
      const problem = assertInvalid(answer, [
        "#/email no-credit",
        "#/lines/1/item not-for-sale",
        "#/lines/2/item not-for-sale",
      ]);
      assert.equal(detailAt(problem, "#/lines/1/item"), "can't be bought");
      assert.equal(detailAt(problem, "#/email"), "no credit");
      assert.deepEqual(effects(), []);
    });
  }
});

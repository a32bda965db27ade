import assert from "node:assert/strict";
import { beforeEach, describe, suite, test } from "node:test";
import { type AuthenticationScheme, anyone, api, resource, signedIn } from "posthaste";
import { z } from "zod";
import fixture from "../fixtures/guarded.ts";
import { assertProblem } from "../support/problem.ts";
import { rawRequest } from "../support/raw-request.ts";
import { type Answer, inBothModes, serve, servedFor } from "../support/scenario.ts";

const ann = { authorization: "Bearer ann" };
const admin = { authorization: "Bearer admin" };
const wrong = { authorization: "Bearer wrong" };
const apiKey = { "x-api-key": "robot" };
const text = { text: "a" };

suite("Access (PROTOCOL 3 and 9)", () => {
  inBothModes(new URL("../fixtures/guarded.ts", import.meta.url), fixture, (served) => {
    beforeEach(async () => {
      for (const path of ["/open", "/members", "/admins"]) await served.make(path, text, admin);
    });

    /** Every operation of a resource with one record, and whether it left the record as it was. */
    const operations = (path: string): Record<string, (headers: object) => Promise<Answer>> => {
      const given = (headers: object) => headers as Record<string, string>;
      return {
        "POST of a record": (headers) => served.post(path, text, given(headers)),
        "GET of the list": (headers) => served.get(path, given(headers)),
        "GET of a record": (headers) => served.get(`${path}/1`, given(headers)),
        "HEAD of a record": (headers) => served.head(`${path}/1`, given(headers)),
        "PUT of a record": (headers) => served.put(`${path}/1`, { text: "b" }, given(headers)),
        "a merge patch": (headers) => served.mergePatch(`${path}/1`, {}, given(headers)),
        "a JSON Patch": (headers) => served.jsonPatch(`${path}/1`, [], given(headers)),
        "DELETE of a record": (headers) => served.delete(`${path}/1`, given(headers)),
      };
    };
    const refused = (answer: Answer, status: number, type: string) => {
      assert.equal(answer.status, status, answer.text);
      if (answer.text !== "") assertProblem(answer, status, type);
    };

    for (const name of Object.keys(operations(""))) {
      test(`${name}: anyone may where anyone may`, async () => {
        for (const headers of [{}, ann, { "x-api-key": "robot" }]) {
          await served.make("/open", text);
          const { status } = await operations("/open")[name]!(headers);
          assert.ok(status < 300 || name.startsWith("DELETE"), String(status));
        }
      });

      test(`${name}: wrong credentials are 401 invalid_token, even where anyone may`, async () => {
        for (const path of ["/open", "/members", "/admins"]) {
          for (const headers of [wrong, { "x-api-key": "wrong" }, { ...wrong, ...apiKey }]) {
            const answer = await operations(path)[name]!(headers);
            refused(answer, 401, "unauthenticated");
            assert.match(answer.header("www-authenticate") ?? "", /error="invalid_token"/);
          }
          assert.deepEqual(served.rows(path.slice(1)), [{ id: 1, ...text }]);
        }
      });

      test(`${name}: no credentials are 401 with every challenge where some are needed`, async () => {
        for (const path of ["/members", "/admins"]) {
          for (const headers of [
            {},
            { authorization: "Basic YTpi" },
            { authorization: "Bearer" },
          ]) {
            const answer = await operations(path)[name]!(headers);
            refused(answer, 401, "unauthenticated");
            assert.equal(
              answer.header("www-authenticate"),
              'Bearer, ApiKey realm="the API"',
              "RFC 6750 section 3.1: no error where no credentials came",
            );
          }
          assert.deepEqual(served.rows(path.slice(1)), [{ id: 1, ...text }]);
        }
      });

      test(`${name}: known and not allowed is 403, without a challenge`, async () => {
        for (const headers of [ann, { "x-api-key": "robot" }]) {
          const answer = await operations("/admins")[name]!(headers);
          refused(answer, 403, "forbidden");
          assert.equal(answer.header("www-authenticate"), null);
        }
        assert.deepEqual(served.rows("admins"), [{ id: 1, ...text }]);
      });

      test(`${name}: signed in by either scheme, or allowed by the function, is let in`, async () => {
        for (const [path, headers] of [
          ["/members", ann],
          ["/members", apiKey],
          ["/admins", admin],
        ] as const) {
          await served.make(path, text, admin);
          const { status } = await operations(path)[name]!(headers);
          assert.ok(status < 300 || (name.startsWith("DELETE") && status === 404), String(status));
        }
      });

      test(`${name}: what nobody may does not exist, for an admin neither`, async () => {
        refused(await operations("/closed")[name]!(admin), 404, "not-found");
      });
    }

    test("each operation has its own word", async () => {
      const path = await served.make("/mixed", text);
      refused(await served.get(path), 401, "unauthenticated");
      assert.equal((await served.get(path, ann)).status, 200);
      refused(await served.put(path, { text: "b" }, ann), 403, "forbidden");
      refused(await served.mergePatch(path, {}, ann), 403, "forbidden");
      assert.equal((await served.put(path, { text: "b" }, admin)).status, 200);
      const removed = await served.delete(path, admin);
      refused(removed, 405, "method-not-allowed");
      assert.equal(removed.header("allow")?.includes("DELETE"), false);
      assert.deepEqual(served.rows("mixed"), [{ id: 1, text: "b" }]);
    });

    describe("a rule that does not say true", () => {
      test("lets nobody in: nothing, a promise and a number are no yes", async () => {
        refused(await served.post("/vague", text, ann), 403, "forbidden");
        refused(await served.get("/vague", ann), 403, "forbidden");
        refused(await served.put("/vague/1", text, ann), 403, "forbidden");
        assert.deepEqual(served.rows("vague"), []);
      });

      test("because it throws is our fault, and lets nobody in", async () => {
        const answer = await served.delete("/vague/1", ann);
        assertProblem(answer, 500, "internal-error");
        assert.doesNotMatch(answer.text, /internals/);
      });
    });

    test("a scheme that throws is our fault: 500 without internals, told to the operator", async () => {
      const answer = await served.post("/open", text, { authorization: "Bearer broken" });
      assertProblem(answer, 500, "internal-error");
      assert.doesNotMatch(answer.text, /internals|hunter2/);
      assert.equal(served.rows("open").length, 1);
      const failed = served.observed.find(({ event }) => event === "request.failed");
      assert.match(String(failed?.error), /hunter2/);
    });

    test("whoever may write and not read is not shown the record by writing to it", async () => {
      const path = await served.make("/dropbox", { text: "for the admin's eyes" });
      refused(await served.get(path, ann), 403, "forbidden");
      for (const answer of [
        await served.mergePatch(path, {}, ann),
        await served.jsonPatch(path, [], ann),
      ]) {
        assert.doesNotMatch(answer.text, /eyes/);
        assert.ok(answer.status === 204 || answer.status === 403, String(answer.status));
      }
      const probe = (value: string) =>
        served.jsonPatch(path, [{ op: "test", path: "/text", value }], ann);
      assert.equal(
        (await probe("for the admin's eyes")).status,
        (await probe("a guess")).status,
        "a JSON Patch test must not find out either",
      );
      for (const write of [
        (number: number) => served.mergePatch(path, { number }, ann),
        (number: number) => served.put(path, { text: "b", number }, ann),
      ]) {
        const statuses = [(await write(42)).status, (await write(41)).status];
        assert.equal(
          statuses[0],
          statuses[1],
          "nor sending the value of a field to see it refused",
        );
      }
    });
  });

  describe("is decided before anything else that costs or tells", () => {
    const served = servedFor(fixture);
    const send = (headers: Record<string, string>, body: string) =>
      served.request("POST", "/admins", headers, new TextEncoder().encode(body));

    for (const [who, headers, status] of [
      ["nobody known", {}, 401],
      ["somebody not allowed", ann, 403],
    ] as const) {
      test(`by ${who}: a body that is malformed, of no type, or too large is not looked at`, async () => {
        const json = { "content-type": "application/json", ...headers };
        assert.equal((await send(json, "{")).status, status);
        assert.equal((await send(json, "{}")).status, status);
        assert.equal((await send(headers, "{}")).status, status);
        assert.equal((await send({ ...headers, "content-type": "x" }, "{}")).status, status);
        assert.equal((await send({ ...json, "content-encoding": "gzip" }, "{}")).status, status);
        assert.equal((await send(json, "x".repeat(1_000_000))).status, status);
        assert.equal((await send({ ...json, accept: "image/png" }, "{}")).status, status);
      });

      test(`by ${who}: the body is not asked for`, async () => {
        const answer = await rawRequest(served.origin, {
          method: "POST",
          path: "/api/admins",
          headers: {
            ...headers,
            "content-type": "application/json",
            "content-length": "12",
            expect: "100-continue",
          },
          body: '{"text":"a"}',
        });
        assert.equal(answer.status, status);
        assert.equal(answer.continued, false);
      });

      test(`by ${who}: whether a record exists is not told`, async () => {
        await served.make("/admins", text, admin);
        for (const path of ["/admins/1", "/admins/2", "/admins/x"]) {
          assert.equal((await served.get(path, headers)).status, status);
          assert.equal((await served.delete(path, headers)).status, status);
        }
        assert.equal((await served.get("/admins?nonsense=1", headers)).status, status);
      });
    }

    test("a path or method that does not exist needs no credentials to be told so", async () => {
      assertProblem(await served.get("/nothing"), 404, "not-found");
      assertProblem(await served.request("PUT", "/admins"), 405, "method-not-allowed");
      assert.equal((await served.request("OPTIONS", "/admins")).status, 204);
    });
  });

  test("answers to somebody known are not for shared caches", async (t) => {
    const served = await serve(t, fixture);
    const path = await served.make("/members", text, ann);
    for (const answer of [await served.get(path, ann), await served.get("/members", ann)]) {
      assert.match(answer.header("cache-control") ?? "", /\bprivate\b/);
      assert.match(answer.header("vary") ?? "", /authorization/i);
    }
  });

  test("a 401 never says which part of the credentials was wrong", async (t) => {
    const served = await serve(t, fixture);
    const [one, other] = [
      await served.get("/members", wrong),
      await served.get("/members", { authorization: "Bearer wrong-in-another-way" }),
    ];
    const content = ({ body, header }: Answer) => ({
      ...(body as object),
      instance: "",
      challenge: header("www-authenticate"),
    });
    assert.deepEqual(content(one), content(other));
  });

  describe("challenges", () => {
    const schema = z.object({ text: z.string() });
    const notes = resource("notes", {
      schema,
      access: { create: signedIn, read: signedIn, update: signedIn, delete: signedIn },
    });
    const scheme = (challenge: string): AuthenticationScheme => ({
      name: "scheme",
      challenge,
      openapi: { type: "http", scheme: "bearer" },
      authenticate: ({ headers }) => (headers.authorization === undefined ? null : "invalid"),
    });

    test("keep their own parameters apart from error (RFC 9110 section 11.6.1)", async (t) => {
      for (const [challenge, expected] of [
        ["Bearer", 'Bearer error="invalid_token"'],
        ['Bearer realm="x"', 'Bearer realm="x", error="invalid_token"'],
      ] as const) {
        const served = await serve(t, api({ notes }, { authenticate: [scheme(challenge)] }));
        const answer = await served.get("/notes", wrong);
        assert.equal(answer.header("www-authenticate"), expected);
      }
    });

    test("exist even where the API has no scheme, since a 401 needs one", async (t) => {
      const served = await serve(t, api({ notes }));
      const answer = await served.post("/notes", text);
      assertProblem(answer, 401, "unauthenticated");
      assert.equal(answer.header("www-authenticate"), "Bearer");
      assert.deepEqual(served.rows("notes"), []);
    });
  });

  test("credentials that no scheme asks for are no matter where anyone may", async (t) => {
    const notes = resource("notes", {
      schema: z.object({ text: z.string() }),
      access: { create: anyone, read: anyone, update: anyone, delete: anyone },
    });
    const served = await serve(t, api({ notes }));
    assert.equal((await served.post("/notes", text, wrong)).status, 201);
  });

  test("the OpenAPI document has no operation that nobody may use, and says who needs what", async (t) => {
    const served = await serve(t, fixture);
    const { paths } = (await (await fetch(`${served.origin}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { security: object[] }>>;
    };
    assert.deepEqual(
      Object.keys(paths).filter((path) => path.startsWith("/closed")),
      [],
    );
    assert.deepEqual(Object.keys(paths["/mixed/{id}"] ?? {}).sort(), ["get", "patch", "put"]);
    assert.deepEqual(paths["/mixed"]?.post?.security, [{}, { token: [] }, { key: [] }]);
    assert.deepEqual(paths["/mixed"]?.get?.security, [{ token: [] }, { key: [] }]);
  });
});

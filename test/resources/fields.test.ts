import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, suite, test } from "node:test";
import { type } from "arktype";
import { anyone, api, resource } from "posthaste";
import fixture from "../fixtures/members.ts";
import { assertInvalid, assertProblem, detailAt, type Problem } from "../support/problem.ts";
import { type Answer, inBothModes, serve } from "../support/scenario.ts";

const ann = { email: "ann@example.com", password: "correct horse" };
const NOON = Date.UTC(2026, 0, 31, 12);
const shown = {
  id: 1,
  email: "ann@example.com",
  nickname: "anonymous",
  credits: 0,
  state: "invited",
  joined: "2026-01-31T12:00:00.000Z",
};
const stored = {
  ...shown,
  city: null,
  password: "correct horse",
  pin: null,
  token: "secret-token",
  remarks: null,
};

/** No secret value, and no name of a hidden field, in any part of the answer. */
function assertKeepsSecrets(answer: Answer) {
  const everything = `${answer.text}\n${JSON.stringify(answer.headers)}`;
  assert.doesNotMatch(everything, /correct horse|secret-token|token|remarks/);
}

/** Two answers that differ in nothing but the request's id. */
function assertSameAnswer(one: Answer, other: Answer) {
  const content = ({ body }: Answer) => ({ ...(body as Problem), instance: "" });
  assert.equal(one.status, other.status);
  assert.deepEqual(content(one), content(other));
}

suite("What clients may write, and what they see", () => {
  inBothModes(
    new URL("../fixtures/members.ts", import.meta.url),
    fixture,
    (served) => {
      test("a created record has defaults and set values, and shows what is not secret", async () => {
        const answer = await served.post("/members", ann);
        assert.equal(answer.status, 201);
        assert.deepEqual(answer.body, shown);
        assert.deepEqual(served.rows("members"), [stored]);
      });

      test("reading, listing, replacing and patching show exactly the same fields", async () => {
        const path = await served.make("/members", ann);
        assert.deepEqual((await served.get(path)).body, shown);
        assert.deepEqual((await served.get("/members")).body, [shown]);
        assert.deepEqual((await served.put(path, ann)).body, shown);
        assert.deepEqual((await served.mergePatch(path, {})).body, shown);
        assert.deepEqual((await served.jsonPatch(path, [])).body, shown);
        assert.deepEqual(served.rows("members"), [stored]);
      });

      test("an optional field that has no value is not there, rather than null", async () => {
        const path = await served.make("/members", ann);
        assert.ok(!("city" in ((await served.get(path)).body as object)));
      });

      describe("a create that writes", () => {
        for (const [field, value] of [
          ["credits", 1_000],
          ["credits", 0],
          ["state", "active"],
          ["state", "invited"],
          ["joined", "2000-01-01T00:00:00.000Z"],
          ["id", 7],
        ] as const) {
          test(`${field}, which the server writes, is refused, be it ${value}`, async () => {
            const answer = await served.post("/members", { ...ann, [field]: value });
            assertInvalid(answer, [`#/${field} read_only`]);
            assert.deepEqual(served.rows("members"), []);
          });
        }

        test("a hidden field is answered as one that does not exist", async () => {
          for (const field of ["token", "remarks"]) {
            const hidden = await served.post("/members", { ...ann, [field]: "x" });
            const problem = assertInvalid(hidden, [`#/${field} unknown_field`]);
            assert.equal(detailAt(problem, `#/${field}`), "is not a field.");
          }
          assert.deepEqual(served.rows("members"), []);
        });

        test("something like a hidden field is not told its name", async () => {
          const answer = await served.post("/members", { ...ann, tokn: "x", remark: "x" });
          assertInvalid(answer, ["#/tokn unknown_field", "#/remark unknown_field"]);
          assert.doesNotMatch(answer.text, /"token"|"remarks"/);
        });

        test("everything at once is told everything at once", async () => {
          const answer = await served.post("/members", {
            email: "ann",
            password: "short",
            credits: 1,
            token: "x",
            id: 1,
            nickname: "x".repeat(21),
            colour: "red",
          });
          assertInvalid(answer, [
            "#/email invalid_format",
            "#/password too_small",
            "#/credits read_only",
            "#/token unknown_field",
            "#/id read_only",
            "#/nickname too_big",
            "#/colour unknown_field",
          ]);
          assert.doesNotMatch(answer.text, /short/);
        });
      });

      describe("PUT", () => {
        test("of what GET showed, with the password, is accepted and changes nothing else", async () => {
          const path = await served.make("/members", ann);
          const answer = await served.put(path, { ...shown, password: "battery staple" });
          assert.equal(answer.status, 200, answer.text);
          assert.deepEqual(answer.body, shown);
          assert.deepEqual(served.rows("members"), [{ ...stored, password: "battery staple" }]);
        });

        test("without the password is not a whole record, since what is unseen is replaced too", async () => {
          const path = await served.make("/members", ann);
          assertInvalid(await served.put(path, shown), ["#/password required"]);
          assert.deepEqual(served.rows("members"), [stored]);
        });

        test("takes away optional fields that it leaves out, and puts defaults back", async () => {
          const path = await served.make("/members", {
            ...ann,
            city: "Bonn",
            nickname: "Ann",
            pin: "1234",
          });
          const answer = await served.put(path, ann);
          assert.deepEqual(answer.body, shown);
          assert.deepEqual(served.rows("members"), [stored]);
        });

        test("can't write what the server writes", async () => {
          const path = await served.make("/members", ann);
          const answer = await served.put(path, {
            ...shown,
            ...ann,
            id: 2,
            credits: 1_000,
            state: "active",
            joined: "later",
          });
          assertInvalid(answer, [
            "#/id read_only",
            "#/credits read_only",
            "#/state read_only",
            "#/joined read_only",
          ]);
          assert.deepEqual(served.rows("members"), [stored]);
        });

        test("can't find out a hidden value by sending the right one", async () => {
          const path = await served.make("/members", ann);
          const right = await served.put(path, { ...ann, token: "secret-token" });
          const wrong = await served.put(path, { ...ann, token: "a guess" });
          assertInvalid(right, ["#/token unknown_field"]);
          assertSameAnswer(right, wrong);
        });
      });

      describe("PATCH", () => {
        test("changes the named fields only", async () => {
          const path = await served.make("/members", ann);
          const answer = await served.mergePatch(path, { nickname: "Ann", city: "Bonn" });
          assert.deepEqual(answer.body, { ...shown, nickname: "Ann", city: "Bonn" });
          assert.deepEqual(served.rows("members"), [{ ...stored, nickname: "Ann", city: "Bonn" }]);
        });

        test("writes a write-only field, by either kind of patch, and does not show it", async () => {
          const path = await served.make("/members", ann);
          const merged = await served.mergePatch(path, { password: "battery staple" });
          assert.deepEqual(merged.body, shown);
          assert.equal(served.row("members", 1)?.password, "battery staple");
          const patched = await served.jsonPatch(path, [
            { op: "add", path: "/password", value: "staple battery" },
          ]);
          assert.deepEqual(patched.body, shown);
          assert.equal(served.row("members", 1)?.password, "staple battery");
        });

        test("keeps unseen fields that it does not name", async () => {
          const path = await served.make("/members", { ...ann, pin: "1234" });
          await served.mergePatch(path, { nickname: "Ann" });
          await served.jsonPatch(path, [{ op: "replace", path: "/nickname", value: "Anna" }]);
          assert.deepEqual(served.rows("members"), [{ ...stored, pin: "1234", nickname: "Anna" }]);
        });

        test("can't take away a field that the client can't see", async () => {
          const path = await served.make("/members", { ...ann, pin: "1234" });
          for (const name of ["password", "pin", "token"]) {
            await served.mergePatch(path, { [name]: null });
            await served.jsonPatch(path, [{ op: "remove", path: `/${name}` }]);
            await served.jsonPatch(path, [{ op: "move", from: `/${name}`, path: "/city" }]);
            await served.jsonPatch(path, [{ op: "copy", from: `/${name}`, path: "/city" }]);
          }
          assert.deepEqual(served.rows("members"), [{ ...stored, pin: "1234" }]);
        });

        test("a JSON Patch test can't find out an unseen value", async () => {
          const path = await served.make("/members", { ...ann, pin: "1234" });
          for (const [name, right] of [
            ["password", "correct horse"],
            ["pin", "1234"],
            ["token", "secret-token"],
            ["remarks", null],
          ] as const) {
            const ask = (value: unknown) =>
              served.jsonPatch(path, [{ op: "test", path: `/${name}`, value }]);
            const answer = await ask(right);
            assertProblem(answer, 409, "patch-conflict");
            assertSameAnswer(answer, await ask("a guess"));
          }
        });

        test("a copy of an unseen value finds nothing to copy", async () => {
          const path = await served.make("/members", ann);
          for (const op of ["copy", "move"]) {
            const answer = await served.jsonPatch(path, [
              { op, from: "/password", path: "/nickname" },
            ]);
            assertProblem(answer, 409, "patch-conflict");
            assertKeepsSecrets(answer);
          }
          assert.deepEqual(served.rows("members"), [stored]);
        });

        test("can't write what the server writes, and may name it as it is", async () => {
          const path = await served.make("/members", ann);
          assertInvalid(await served.mergePatch(path, { id: 2, credits: 9, state: "active" }), [
            "#/id read_only",
            "#/credits read_only",
            "#/state read_only",
          ]);
          const answer = await served.mergePatch(path, { credits: 0, state: "invited", id: 1 });
          assert.equal(answer.status, 200);
          assert.deepEqual(served.rows("members"), [stored]);
        });

        test("can't take away what the server writes, and is told of its other faults as well", async () => {
          const path = await served.make("/members", ann);
          assertInvalid(await served.mergePatch(path, { id: null, credits: null, email: "x" }), [
            "#/id read_only",
            "#/credits read_only",
            "#/email invalid_format",
          ]);
          assertInvalid(
            await served.jsonPatch(path, [
              { op: "remove", path: "/state" },
              { op: "add", path: "/nickname", value: "x".repeat(21) },
            ]),
            ["#/state read_only", "#/nickname too_big"],
          );
          assert.deepEqual(served.rows("members"), [stored]);
        });

        test("a hidden field is answered as one that does not exist", async () => {
          const path = await served.make("/members", ann);
          const right = await served.mergePatch(path, { token: "secret-token" });
          assertInvalid(right, ["#/token unknown_field"]);
          assertSameAnswer(right, await served.mergePatch(path, { token: "a guess" }));
          assert.deepEqual(served.rows("members"), [stored]);
        });
      });

      test("a unique conflict shows the record's path, and nothing of what it holds", async () => {
        const path = await served.make("/members", ann);
        const answer = await served.post("/members", { ...ann, password: "another one" });
        assert.equal(assertProblem(answer, 409, "unique-conflict").existing, path);
        assertKeepsSecrets(answer);
        assert.doesNotMatch(answer.text, /another one/);
      });

      test("lists can't be filtered or sorted by what is unseen", async () => {
        await served.make("/members", ann);
        for (const name of ["password", "pin", "token", "remarks"]) {
          for (const query of [
            `${name}=secret-token`,
            `${name}[gt]=a`,
            `${name}[in]=a,b`,
            `sort=${name}`,
            `sort=-${name}`,
          ]) {
            assertProblem(await served.get(`/members?${query}`), 400, "invalid-query");
          }
        }
        // What is like a hidden field is not told its name either.
        const answer = await served.get("/members?tokn=x&sort=remark");
        assert.doesNotMatch(answer.text, /"token"|"remarks"/);
      });

      test("the OpenAPI document shows hidden fields nowhere, and write-only ones as such", async () => {
        const document = await (await fetch(`${served.origin}/openapi.json`)).text();
        assert.doesNotMatch(document, /"token"|"remarks"/);
        assert.match(document, /"password"/);
      });

      test("no error shows a stored or a sent secret", async () => {
        const path = await served.make("/members", ann);
        for (const answer of [
          await served.mergePatch(path, { email: 1, password: "corr" }),
          await served.put(path, { ...ann, password: 12_345_678 }),
          await served.jsonPatch(path, [{ op: "add", path: "/password", value: "corr" }]),
          await served.delete(path, { "if-match": '"x"' }),
        ]) {
          assert.ok(answer.status >= 400);
          assert.doesNotMatch(answer.text, /corr|12345678|secret/);
        }
      });
    },
    { clock: { now: () => NOON } },
  );

  test("a stored secret that a stricter schema refuses is not quoted, though its library does", async (t) => {
    const access = { create: anyone, read: anyone, update: anyone, delete: anyone };
    const folder = mkdtempSync(join(tmpdir(), "posthaste-fields-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const store = join(folder, "store.db");
    const options = { writeOnly: ["password"], access } as const;
    const loose = type({ name: "string", password: "string" });
    const before = await serve(
      t,
      api({ people: resource("people", { schema: loose, ...options }) }),
      {
        store,
      },
    );
    await before.make("/people", { name: "Ann", password: "hunter2" });
    await before.close();

    const strict = type({ name: "string", password: /^[a-z]{20}$/ });
    const after = await serve(
      t,
      api({ people: resource("people", { schema: strict, ...options }) }),
      {
        store,
      },
    );
    for (const answer of [
      await after.mergePatch("/people/1", { name: "Anna" }),
      await after.post("/people", { name: "Bob", password: "swordfish" }),
    ]) {
      const problem = assertProblem(answer, 422, "validation-failed");
      assert.equal(problem.errors?.[0]?.pointer, "#/password");
      assert.doesNotMatch(answer.text, /hunter2|swordfish/);
    }
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { anyone } from "posthaste";
import { faultsIn, faultsWith, things } from "../support/declaration.ts";

suite("A misspelt option is told, with the one that was meant", () => {
  test("of a resource", () => {
    const [fault, ...others] = faultsWith({ uniqe: ["email"] });
    assert.equal(fault?.where, "things.uniqe");
    assert.equal(fault?.fault, 'is not an option. Did you mean "unique"?');
    assert.match(fault?.mend ?? "", /^The options here are "schema", "access", "id", /);
    assert.deepEqual(others, []);
  });

  test("of access, where an operation would else stay open or closed by mistake", () => {
    const access = { create: anyone, read: anyone, update: anyone, delete: anyone, craete: anyone };
    assert.deepEqual(faultsWith({ access }), [
      {
        where: "things.access.craete",
        fault: 'is not an option. Did you mean "create"?',
        mend: 'The options here are "create", "read", "update", "delete".',
      },
    ]);
  });

  test("of a list", () => {
    assert.deepEqual(faultsWith({ list: { sorts: ["name"] } }), [
      {
        where: "things.list.sorts",
        fault: 'is not an option. Did you mean "sort"?',
        mend: 'The options here are "filter", "sort", "limit", "maxLimit".',
      },
    ]);
  });

  test("of idempotency, which only POST and PATCH have", () => {
    for (const [operation, meant] of [
      ["creat", ' Did you mean "create"?'],
      ["delete", ""],
      ["key", ""],
    ] as const) {
      assert.deepEqual(faultsWith({ idempotency: { [operation]: {} } }), [
        {
          where: `things.idempotency.${operation}`,
          fault: `is not an option.${meant}`,
          mend: 'The options here are "create", "patch".',
        },
      ]);
    }
  });

  test("of an idempotency policy, where a key would else be kept for another time", () => {
    for (const operation of ["create", "patch"]) {
      assert.deepEqual(faultsWith({ idempotency: { [operation]: { keeps: "1 hour" } } }), [
        {
          where: `things.idempotency.${operation}.keeps`,
          fault: 'is not an option. Did you mean "keep"?',
          mend: 'The options here are "key", "keep", "window", "anonymousKeys".',
        },
      ]);
    }
  });

  test("of ifMatch", () => {
    const [fault, ...others] = faultsWith({ ifmatch: "required" });
    assert.equal(fault?.where, "things.ifmatch");
    assert.equal(fault?.fault, 'is not an option. Did you mean "ifMatch"?');
    assert.deepEqual(others, []);
  });

  test("of api()", () => {
    const [fault] = faultsIn({ things: things() }, { tilte: "Things" });
    assert.equal(fault?.where, "the options of api().tilte");
    assert.equal(fault?.fault, 'is not an option. Did you mean "title"?');
  });

  test("one that resembles nothing gets no suggestion, and the list of all", () => {
    const [fault] = faultsWith({ xyzzy: 1 });
    assert.equal(fault?.fault, "is not an option.");
    assert.match(fault?.mend ?? "", /"unique"/);
  });

  test("a name of Object.prototype is no option either", () => {
    assert.deepEqual(
      faultsWith({ toString: 1, constructor: 2 }).map(({ where }) => where),
      ["things.toString", "things.constructor"],
    );
  });

  test("a declaration that is no resource is told, whatever it is", () => {
    for (const value of [undefined, null, {}, "users", () => {}, { kind: "resource" }, []]) {
      assert.deepEqual(faultsIn({ users: value }), [
        {
          where: "users",
          fault: "is not a resource, an action, a job or a workflow.",
          mend: 'Write users: resource("users", { … }).',
        },
      ]);
    }
  });

  test("every option that there is is known", () => {
    assert.deepEqual(
      faultsWith({
        id: "uuid",
        unique: ["email"],
        readOnly: ["size"],
        writeOnly: ["address"],
        set: { name: "x" },
        rules: [],
        created: () => {},
        updated: () => {},
        deleted: () => {},
        list: { filter: ["name"], sort: ["name"], limit: 10, maxLimit: 20 },
        timestamps: true,
        onParentDelete: "cascade",
        maxBodyBytes: 10,
        idempotency: {
          create: { key: "required", keep: "7 days", window: "1 minute", anonymousKeys: "uuid" },
          patch: { key: "accepted" },
        },
        ifMatch: "required",
        description: "Things.",
        example: { email: "a" },
      }),
      [],
    );
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { faultsIn, things } from "../support/declaration.ts";

suite("A resource has a path and a table of its own", () => {
  test("lower case words joined by - are a name", () => {
    for (const name of ["users", "order-items", "a", "x2", "group", "order", "select"]) {
      assert.deepEqual(faultsIn({ users: things({}, name) }), [], name);
    }
  });

  test("what can't be a path and a table is told", () => {
    for (const name of [
      "Users",
      "order_items",
      "2things",
      "a--b",
      "-a",
      "a-",
      "",
      "ä",
      "a/b",
      "a b",
    ]) {
      assert.deepEqual(faultsIn({ users: things({}, name) }), [
        {
          where: "users",
          fault: `the name ${JSON.stringify(name)} can't be a path and a table.`,
          mend: 'Write it in lower case, words joined by "-": resource("order-items", …).',
        },
      ]);
    }
  });

  test("paths and tables of the framework are its own", () => {
    for (const name of [
      "docs",
      "health",
      "problems",
      "openapi",
      "sqlite-things",
      "posthaste-meta",
    ]) {
      assert.deepEqual(faultsIn({ users: things({}, name) }), [
        {
          where: "users",
          fault: `the name "${name}" is the framework's own.`,
          mend: "Choose another.",
        },
      ]);
    }
  });

  test("two resources of one name are told by the names that the file gives them", () => {
    assert.deepEqual(faultsIn({ users: things({}, "people"), members: things({}, "people") }), [
      {
        where: "members",
        fault: '"people" is the name of users already.',
        mend: "Give one of them another name: resource(NAME, …).",
      },
    ]);
  });

  test("one resource under two names is the same fault", () => {
    const people = things({}, "people");
    assert.deepEqual(
      faultsIn({ users: people, members: people }).map(({ where }) => where),
      ["members"],
    );
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { plain } from "posthaste";
import { z } from "zod";
import { faultsIn, faultsWith, things } from "../support/declaration.ts";

const withFields = (...names: string[]) => ({
  schema: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))),
});

suite("A field is a column of its own", () => {
  test("letters, digits and _ are a name, SQL's own words too", () => {
    const schema = withFields("a", "aB", "a_b", "a2", "order", "group", "select", "x".repeat(60));
    assert.deepEqual(faultsWith(schema), []);
  });

  test("what can't be a column is told", () => {
    for (const name of ["_version", "2a", "a-b", "a b", "ä", "", "a.b", 'a"b', "x".repeat(61)]) {
      assert.deepEqual(faultsWith(withFields(name)), [
        {
          where: `things.schema.${name}`,
          fault: "can't be a column.",
          mend: "Names of fields are letters, digits and _, begin with a letter and have at most 60 of them.",
        },
      ]);
    }
  });

  test("id is the server's, in any case", () => {
    for (const name of ["id", "ID", "Id"]) {
      assert.deepEqual(faultsWith(withFields(name)), [
        {
          where: `things.schema.${name}`,
          fault: '"id" is given by the server.',
          mend: 'Rename the field; "id" are the server\'s.',
        },
      ]);
    }
  });

  test("so are timestamps where they are asked for, and the parent's id", () => {
    const posts = things({}, "posts");
    const fields = withFields("createdAt", "updatedAt", "postId");
    assert.deepEqual(faultsWith(fields), []);
    const comments = things({ ...fields, parent: { post: posts }, timestamps: true }, "comments");
    assert.deepEqual(
      faultsIn({ posts, comments }).map(({ where, fault }) => `${where} ${fault}`),
      [
        'comments.schema.createdAt "createdAt" is given by the server.',
        'comments.schema.updatedAt "updatedAt" is given by the server.',
        'comments.schema.postId "postId" is given by the server.',
      ],
    );
  });

  test("fields that differ only in case are told, since columns can't", () => {
    const [fault, ...others] = faultsWith(withFields("name", "Name"));
    assert.equal(fault?.where, "things.schema.Name");
    assert.equal(fault?.fault, 'differs from "name" only in case.');
    assert.deepEqual(others, []);
  });

  test("fields that a dialect calls by one name are told", () => {
    const dialect = {
      ...plain,
      fieldName: (name: string) => name.replaceAll("_", "").toLowerCase(),
    };
    const faults = faultsIn({ things: things(withFields("ab", "a_b", "i_d")) }, { dialect });
    assert.deepEqual(faults, [
      {
        where: "things.schema.a_b",
        fault: 'the dialect calls it "ab", as it does "ab".',
        mend: "Rename one of them, or make the dialect's fieldName one to one.",
      },
      {
        where: "things.schema.i_d",
        fault: 'the dialect calls it "id", as it does "id".',
        mend: "Rename one of them, or make the dialect's fieldName one to one.",
      },
    ]);
  });
});

import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import { z } from "zod";
import { faultsIn, faultsWith, placesOf, things } from "../support/declaration.ts";

const listOptions = (list: string, value: unknown) => {
  const [outer, inner] = list.split(".");
  return inner === undefined ? { [outer!]: value } : { [outer!]: { [inner]: value } };
};

suite("Every list of fields names fields that exist, and that it makes sense for", () => {
  for (const option of ["unique", "readOnly", "writeOnly", "hidden", "list.filter", "list.sort"]) {
    describe(option, () => {
      test("with a field that does not exist is told, with the one that was meant", () => {
        const [fault, ...others] = faultsWith(listOptions(option, ["siez"]));
        assert.equal(fault?.where, `things.${option}`);
        assert.equal(fault?.fault, '"siez" is not a field. Did you mean "size"?');
        assert.match(fault?.mend ?? "", /^The fields are "name", "email", "size", "address"/);
        assert.deepEqual(others, []);
      });

      test("that is no list is told, and nothing breaks", () => {
        for (const value of ["size", { size: true }, 7, true]) {
          const [fault, ...others] = faultsWith(listOptions(option, value));
          assert.deepEqual(fault, {
            where: `things.${option}`,
            fault: "is not an array of fields.",
            mend: `Write ${option}: ["name"].`,
          });
          assert.deepEqual(others, []);
        }
      });

      test("with something that is no name is told", () => {
        for (const value of [[7], [null], [{}]]) {
          assert.deepEqual(placesOf(faultsWith(listOptions(option, value))), [`things.${option}`]);
        }
      });

      test("with a field twice is told", () => {
        const faults = faultsWith(listOptions(option, ["size", "size"]));
        assert.deepEqual(faults, [
          { where: `things.${option}`, fault: "names a field twice.", mend: "Name it once." },
        ]);
      });

      test("with every fault is told every fault", () => {
        assert.equal(faultsWith(listOptions(option, ["a1", "b2", "c3"])).length, 3);
      });
    });
  }

  test("set names fields, too", () => {
    const [fault] = faultsWith({ set: { nmae: "x" } });
    assert.equal(fault?.where, "things.set");
    assert.equal(fault?.fault, '"nmae" is not a field. Did you mean "name"?');
  });

  describe("unique", () => {
    test("takes fields together, and the parent's id among them", () => {
      const posts = things({}, "posts");
      const unique = ["email", ["name", "size"], ["postId", "name"]];
      const comments = things({ parent: { post: posts }, unique }, "comments");
      assert.deepEqual(faultsIn({ posts, comments }), []);
    });

    test("with nothing in a group, or a field twice in it, is told", () => {
      for (const unique of [
        [[]],
        [["name", "name"]],
        [
          ["name", "email"],
          ["name", "email"],
        ],
      ]) {
        assert.deepEqual(
          placesOf(faultsWith({ unique })),
          ["things.unique"],
          JSON.stringify(unique),
        );
      }
    });

    test("keeps apart what would only look the same: a_b, and a with b", () => {
      const schema = z.object({ a: z.string(), b: z.string(), a_b: z.string() });
      assert.deepEqual(faultsWith({ schema, unique: ["a_b", ["a", "b"]] }), []);
    });
  });

  describe("fields that have no order", () => {
    for (const option of ["unique", "list.filter", "list.sort"]) {
      test(`are none for ${option}`, () => {
        assert.deepEqual(faultsWith(listOptions(option, ["address"])), [
          {
            where: `things.${option}`,
            fault: '"address" is an object, an array or of several types.',
            mend: "Such a field has no order to compare by: move the value into a field of its own.",
          },
        ]);
        const schema = z.object({
          tags: z.array(z.string()),
          either: z.union([z.string(), z.int()]),
        });
        for (const name of ["tags", "either"]) {
          assert.equal(faultsWith({ schema, ...listOptions(option, [name]) }).length, 1);
        }
      });
    }
  });

  describe("contradictions are told:", () => {
    for (const [option, options] of [
      ["writeOnly", { writeOnly: ["size"], readOnly: ["size"] }],
      ["writeOnly", { writeOnly: ["size"], hidden: ["size"] }],
      ["writeOnly", { writeOnly: ["size"], set: { size: 1 } }],
      ["readOnly", { readOnly: ["size"], hidden: ["size"] }],
    ] as const) {
      test(JSON.stringify(options), () => {
        const [fault, ...others] = faultsWith(options);
        assert.equal(fault?.where, `things.${option}`);
        assert.match(fault?.fault ?? "", /^"size" is in (readOnly|hidden|set) too\.$/);
        assert.match(fault?.mend ?? "", /^hidden means neither shown nor written;/);
        assert.deepEqual(others, []);
      });
    }

    test("set with readOnly or hidden is none", () => {
      assert.deepEqual(faultsWith({ set: { size: 1, name: "x" }, readOnly: ["size"] }), []);
      assert.deepEqual(faultsWith({ set: { size: 1 }, hidden: ["size"] }), []);
    });

    for (const secret of ["hidden", "writeOnly"]) {
      for (const option of ["filter", "sort"]) {
        test(`${secret} and list.${option}: what nobody sees must not be found out`, () => {
          const faults = faultsWith({ [secret]: ["size"], list: { [option]: ["size"] } });
          assert.deepEqual(
            faults.map(({ where, fault }) => `${where} ${fault}`),
            [`things.list.${option} "size" is in hidden or writeOnly too.`],
          );
        });
      }
    }
  });

  test("timestamps can be filtered and sorted by where they are asked for", () => {
    const list = { filter: ["createdAt"], sort: ["updatedAt"] };
    assert.deepEqual(faultsWith({ list, timestamps: true }), []);
    assert.deepEqual(placesOf(faultsWith({ list })), ["things.list.filter", "things.list.sort"]);
  });

  test("a filter by a field that is called as a parameter of every list is told", () => {
    for (const name of ["limit", "sort", "cursor"]) {
      const schema = z.object({ [name]: z.string() });
      assert.deepEqual(faultsWith({ schema }), []);
      assert.deepEqual(placesOf(faultsWith({ schema, list: { filter: [name] } })), [
        "things.list.filter",
      ]);
    }
  });
});

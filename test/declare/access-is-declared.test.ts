import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { anyone, nobody, signedIn } from "posthaste";
import { faultsWith, placesOf } from "../support/declaration.ts";

suite("Access is declared on every operation, or the API does not boot", () => {
  test("every way to say who may is taken", () => {
    const access = { create: anyone, read: signedIn, update: nobody, delete: () => true };
    assert.deepEqual(faultsWith({ access }), []);
  });

  test("an operation without a word is told with the question that it leaves open", () => {
    const access = { create: anyone, read: anyone, delete: anyone };
    assert.deepEqual(faultsWith({ access }), [
      {
        where: "things.access.update",
        fault: "is missing: who may change one?",
        mend: "Add access: { update: … } with anyone, signedIn, nobody, or (principal) => boolean.",
      },
    ]);
  });

  test("no access at all is four open questions", () => {
    for (const access of [undefined, null, {}, "anyone", 7]) {
      assert.deepEqual(placesOf(faultsWith({ access })), [
        "things.access.create",
        "things.access.delete",
        "things.access.read",
        "things.access.update",
      ]);
    }
  });

  test("what is no rule is told, and how to write one", () => {
    for (const rule of [true, "anyone", { rule: "everyone" }, null, ["anyone"]]) {
      const access = { create: rule, read: anyone, update: anyone, delete: anyone };
      const [fault, ...others] = faultsWith({ access });
      assert.equal(fault?.where, "things.access.create");
      assert.equal(fault?.fault, "is not an access rule.");
      assert.match(fault?.mend ?? "", /anyone, signedIn, nobody, or \(principal\) => boolean/);
      assert.deepEqual(others, []);
    }
  });

  test("a constant from another copy of the package is the same word", () => {
    const access = { create: { rule: "anyone" }, read: anyone, update: anyone, delete: anyone };
    assert.deepEqual(faultsWith({ access }), []);
  });
});

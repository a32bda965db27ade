import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { anyone, api } from "posthaste";
import { testServer } from "posthaste/testing";
import { z } from "zod";
import { DeclarationError } from "../../src/declare/verify/index.ts";
import { things } from "../support/declaration.ts";

/** One fault for each rule of src/declare/verify. */
const faulty = {
  nothing: "not a resource",
  Named: things({}, "Named"),
  opened: things({ access: { create: anyone, read: anyone, update: anyone } }, "opened"),
  unread: things({ schema: "none" }, "unread"),
  ranged: things({ maxBodyBytes: "1mb" }, "ranged"),
  orphan: things({ parent: { post: things({}, "posts") } }, "orphan"),
  crowded: things({ schema: z.object({ id: z.string() }) }, "crowded"),
  listed: things({ unique: ["emial"] }, "listed"),
  unfilled: things({ hidden: ["name"] }, "unfilled"),
  coerced: things({ schema: z.object({ flag: z.stringbool() }) }, "coerced"),
  exemplary: things({ example: { name: 1, email: "a" } }, "exemplary"),
};

const places = [
  "nothing",
  "Named",
  "opened.access.delete",
  "unread.schema",
  "ranged.maxBodyBytes",
  "orphan.parent.post",
  "crowded.schema.id",
  "listed.unique",
  "unfilled.hidden",
  "coerced.schema.flag",
  "exemplary.example.name",
];

suite("A wrong declaration is told at boot", () => {
  test("all faults at once, each with its place and its mend, and no file is touched", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "posthaste-declare-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const store = join(folder, "store.db");
    const error = await testServer(t, api(faulty as never), { store }).then(
      () => assert.fail("it booted"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof DeclarationError, String(error));
    assert.deepEqual(error.faults.map(({ where }) => where).sort(), [...places].sort());
    assert.match(error.message, /^The declaration has 11 faults:/);
    for (const { where, fault, mend } of error.faults) {
      assert.ok(error.message.includes(`  ${where}: ${fault}\n    ${mend}`));
      assert.match(mend, /^[A-Z].*\.$/s, "a mend is a sentence");
    }
    assert.equal(existsSync(store), false);
  });

  test("one fault is told as one", async (t) => {
    const error = await testServer(t, api({ things: things({ id: "serial" }) } as never)).catch(
      (reason: unknown) => reason,
    );
    assert.match(String(error), /The declaration has a fault:\n {2}things\.id: "serial" is not/);
  });
});

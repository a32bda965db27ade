import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { scenarios } from "../../src/check/scenarios/index.ts";

const page = readFileSync(new URL("../../docs/check.md", import.meta.url), "utf8");

suite("docs/check.md", () => {
  test("lists every scenario with its level, its rule and where to read", () => {
    const rows = scenarios.map(
      ({ id, level, rule, sections }) =>
        `| \`${id}\` | ${level} | ${rule} | ${sections.join(", ")} |`,
    );
    assert.equal(page.slice(page.indexOf(rows[0]!)), `${rows.join("\n")}\n`);
  });

  test("has a heading for every section of it that a scenario names", () => {
    const anchors = scenarios
      .flatMap(({ sections }) => sections)
      .filter((section) => section.includes("docs/check.md#"))
      .map((section) => section.slice(section.indexOf("#") + 1));
    assert.ok(anchors.length > 0);
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!.toLowerCase().replaceAll("'", "").replaceAll(" ", "-"),
    );
    assert.deepEqual(
      anchors.filter((anchor) => !headings.includes(anchor)),
      [],
    );
  });
});

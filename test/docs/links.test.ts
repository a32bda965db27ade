import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { suite, test } from "node:test";
import { headings, pages, prose, root } from "./pages.ts";

suite("Links in the documentation", () => {
  const anchors = new Map(
    pages.map((page) => [page.path, new Set(headings(page).map(({ anchor }) => anchor))]),
  );

  for (const page of pages) {
    test(`of ${page.path} lead to a file, and to a heading of it`, () => {
      const dead = targetsOf(prose(page)).filter((target) => {
        const [file = "", fragment] = target.split("#");
        const path = file === "" ? page.path : join(dirname(page.path), file);
        if (!existsSync(join(root, path))) return true;
        return fragment !== undefined && anchors.get(path)?.has(`#${fragment}`) !== true;
      });
      assert.deepEqual(dead, []);
    });
  }

  test("reach every page of docs/ from the README", () => {
    const reached = new Set(["README.md"]);
    for (const path of reached) {
      const page = pages.find((each) => each.path === path);
      for (const target of page === undefined ? [] : targetsOf(prose(page))) {
        const file = target.split("#")[0]!;
        if (file !== "") reached.add(relative(root, join(root, dirname(path), file)));
      }
    }
    assert.deepEqual(
      pages.map(({ path }) => path).filter((path) => !reached.has(path)),
      [],
    );
  });
});

/** Targets within the house; what other hosts serve is not looked at. */
function targetsOf(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return links.filter((target) => !/^[a-z]+:/.test(target));
}

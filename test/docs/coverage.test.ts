import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type ProblemName, problemTypes } from "../../src/kernel/problems.ts";
import { page, pages, root } from "./pages.ts";

/** Names that a module exports, types included. */
function exportsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
    names!.split(",").map((name) =>
      name
        .trim()
        .replace(/^type /, "")
        .replace(/^.* as /, ""),
    ),
  );
  const declared = [
    ...text.matchAll(/^export (?:async )?(?:function|const|class|interface|type) (\w+)/gm),
  ].map(([, name]) => name!);
  return [...listed, ...declared].filter((name) => name !== "");
}

/** Exported for another file of the house, and promised to nobody. */
const internal = ["servePosthaste"];

suite("The documentation is complete", () => {
  const docs = pages.filter(({ path }) => path.startsWith("docs/"));
  const entries = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).exports as Record<
    string,
    string | { "posthaste-source": string }
  >;

  for (const [entry, target] of Object.entries(entries)) {
    if (typeof target === "string") continue;
    test(`every export of posthaste${entry.slice(1)} is named in docs/`, () => {
      const names = exportsOf(target["posthaste-source"]).filter(
        (name) => !internal.includes(name),
      );
      assert.ok(names.length > 0);
      const unnamed = names.filter(
        (name) => !docs.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text)),
      );
      assert.deepEqual(unnamed, []);
    });
  }

  for (const [path, of, kept] of [
    ["docs/resources.md", "resource()", "resourceOptions"],
    ["docs/actions.md", "action()", "actionOptions"],
    ["docs/jobs.md", "job()", "jobOptions"],
  ] as const) {
    test(`${path} has a line for every option of ${of}`, () => {
      const source = readFileSync(join(root, "src/declare/verify/options-are-known.ts"), "utf8");
      const known = new RegExp(`const ${kept}[^{]*\\{([^}]*)\\}`).exec(source)![1]!;
      const options = [...known.matchAll(/(\w+): true/g)].map(([, name]) => name!);
      assert.ok(options.length > 10);
      const { text } = page(path);
      const table = /^## Options\n[\s\S]*?(?=^##)/m.exec(text)![0];
      assert.deepEqual(
        options.filter((option) => !table.includes(`\`${option}\``)),
        [],
      );
    });
  }

  for (const [about, file, pattern] of [
    ["event of the log", "src/kernel/observations.ts", /event: "([\w.-]+)"/g],
    ["option of the command line", "src/cli/main.ts", /"(--[a-z-]+)/g],
    ["variable of the environment", "src/cli/main.ts", /\benv\.([A-Z_]+)/g],
  ] as const) {
    test(`docs/operating.md has every ${about}`, () => {
      const source = readFileSync(join(root, file), "utf8");
      const names = [...source.matchAll(pattern)].map(([, name]) => name!);
      assert.ok(names.length >= 3);
      const { text } = page("docs/operating.md");
      assert.deepEqual(
        names.filter((name) => !new RegExp(`\`${name}\\b`).test(text)),
        [],
      );
    });
  }

  test("docs/errors.md shows an answer for every problem type, as the registry has it", () => {
    const sections = page("docs/errors.md").text.split(/^## /m).slice(1);
    for (const section of sections) {
      const name = section.slice(0, section.indexOf("\n")) as ProblemName;
      const example = /^```json\n([\s\S]*?)^```$/m.exec(section)?.[1];
      assert.ok(example !== undefined, `${name} has no example`);
      const { type, title, status } = JSON.parse(example) as Record<string, unknown>;
      const registered = problemTypes[name];
      assert.deepEqual(
        { type, title, status },
        { type: `/problems/${name}`, title: registered.title, status: registered.status },
      );
    }
  });

  test("docs/errors.md lists every code that the framework gives", () => {
    const { text } = page("docs/errors.md");
    const listed = new Set([...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code!));
    const sources = ["json-faults", "json-patch-document", "json-patch", "conditions", "query"]
      .map((name) => `src/content/${name}.ts`)
      .concat(
        "src/pipeline/list-query.ts",
        "src/pipeline/validation.ts",
        "src/pipeline/transaction/change.ts",
        "src/pipeline/transaction/conflicts.ts",
      );
    const given = sources.flatMap((path) => {
      const source = readFileSync(join(root, path), "utf8");
      return [
        ...source.matchAll(/code: "(\w+)"|, "([a-z]+_[a-z_]+)"|, "(required|repeated)"/g),
      ].map(([, ...codes]) => codes.find((code) => code !== undefined)!);
    });
    assert.ok(given.length > 20);
    assert.deepEqual(
      given.filter((code) => !listed.has(code)),
      [],
    );
  });
});

suite("docs/guide.md", () => {
  /** `| G4 | … | done | tests | pages |` */
  const rows = page("docs/guide.md")
    .text.split("\n")
    .filter((line) => /^\| G\d+ /.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );

  test("has each line of the guide once, in its order", () => {
    assert.deepEqual(
      rows.map(([line]) => line),
      Array.from({ length: 28 }, (_, index) => `G${index + 1}`),
    );
  });

  test("names tests that exist, by their own names", () => {
    const missing = rows.flatMap(([line, , tests = ""]) => {
      const named = [...tests.matchAll(/`(test\/[^`]+\.test\.ts)`((?:(?!`test\/).)*)/g)];
      return named.flatMap(([, file, rest]) => {
        if (!existsSync(join(root, file!))) return [`${line}: ${file}`];
        const source = readFileSync(join(root, file!), "utf8");
        return [...rest!.matchAll(/“([^”]+)”/g)]
          .map(([, name]) => name!)
          .filter((name) => !source.includes(name))
          .map((name) => `${line}: ${file}: ${name}`);
      });
    });
    assert.deepEqual(missing, []);
  });

  test("has a test and a page for a line that is done, and says so of one that is not", () => {
    for (const [line, , tests = "", docs = ""] of rows) {
      const notYet = /^not yet\b/.test(tests) && !/`test\//.test(tests);
      const done = /`test\//.test(tests) && /\]\(/.test(docs);
      assert.ok(notYet || done, `${line}: ${tests} | ${docs}`);
    }
  });
});

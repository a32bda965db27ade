import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The storeys of the house, top first. Whatever stands on one storey doesn't know its neighbours. */
const storeys = [
  ["cli", "testing"],
  ["http"],
  ["pipeline"],
  ["check", "content", "idempotency", "jobs", "mail", "webhooks"],
  ["store"],
  ["declare"],
  ["kernel"],
];

interface Planted {
  readonly file: string;
  readonly text: string;
}

/** The rules of the linter that each planted file breaks, with the project's own settings. */
function lint(planted: readonly Planted[]): Map<string, Set<string>> {
  const folder = mkdtempSync(join(tmpdir(), "posthaste-layers-"));
  try {
    copyFileSync(join(root, "biome.json"), join(folder, "biome.json"));
    for (const { file, text } of planted) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const { stdout } = spawnSync(
      join(root, "node_modules/.bin/biome"),
      ["lint", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none", "src"],
      { cwd: folder, encoding: "utf8" },
    );
    const broken = new Map(planted.map(({ file }) => [file, new Set<string>()]));
    for (const [, rule, file] of stdout.matchAll(/title=lint\/\w+\/(\w+),file=([^,]+)/g)) {
      broken.get(relative(folder, resolve(folder, file!)))?.add(rule!);
    }
    return broken;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const value = (from: string) => `import { planted } from "${from}";\n\nplanted();\n`;
const type = (from: string) => `import type { P } from "${from}";\n\nexport const p: P = 1;\n`;

describe("The house", () => {
  test("every folder of src has its storey", () => {
    const folders = readdirSync(`${root}src`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    assert.deepEqual(folders.sort(), storeys.flat().sort());
  });

  test("imports only go down, those of types included", () => {
    const upward = storeys.flatMap((storey, index) =>
      storey.flatMap((folder) => {
        const unknown = [
          ...storeys.slice(0, index).flat(),
          ...storey.filter((name) => name !== folder),
        ];
        return unknown.flatMap((other) => [
          { file: `src/${folder}/value-${other}.ts`, text: value(`../${other}/x.ts`) },
          { file: `src/${folder}/type-${other}.ts`, text: type(`../${other}/x.ts`) },
          { file: `src/${folder}/deep/value-${other}.ts`, text: value(`../../${other}/x.ts`) },
        ]);
      }),
    );
    for (const [file, rules] of lint(upward)) assert.ok(rules.has("noRestrictedImports"), file);
  });

  test("what stands below may be imported", () => {
    const downward = storeys.flatMap((storey, index) =>
      storey.flatMap((folder) =>
        storeys.slice(index + 1).flatMap((below) =>
          below.map((other) => ({
            file: `src/${folder}/${other}.ts`,
            text: value(`../${other}/x.ts`),
          })),
        ),
      ),
    );
    for (const [file, rules] of lint(downward)) assert.ok(!rules.has("noRestrictedImports"), file);
  });

  test("nothing above the store's port knows SQLite, and nothing below http knows Fastify", () => {
    const planted = [
      { file: "src/http/a.ts", text: value("node:sqlite") },
      { file: "src/pipeline/a.ts", text: value("../store/sqlite/connection.ts") },
      { file: "src/declare/a.ts", text: value("node:sqlite") },
      { file: "src/pipeline/b.ts", text: value("fastify") },
      { file: "src/store/b.ts", text: type("fastify") },
    ];
    for (const [file, rules] of lint(planted)) assert.ok(rules.has("noRestrictedImports"), file);
  });

  test("no cycles, those of types included", () => {
    const cycle = [
      { file: "src/kernel/a.ts", text: 'import type { B } from "./b.ts";\n\nexport type A = B;\n' },
      { file: "src/kernel/b.ts", text: 'import type { A } from "./a.ts";\n\nexport type B = A;\n' },
    ];
    for (const [file, rules] of lint(cycle)) assert.ok(rules.has("noImportCycles"), file);
  });
});

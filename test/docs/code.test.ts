import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type Api, isApi } from "../../src/declare/api.ts";
import { compile } from "../../src/declare/compile.ts";
import { cleanEnvironment } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { pages, root } from "./pages.ts";

const run = promisify(execFile);

interface Example {
  /** Page and line: `docs/resources.md:31`. */
  readonly where: string;
  readonly file: string;
  readonly text: string;
}

/** Every block of TypeScript that stands by itself, behind the lines that its page begins with. */
function examples(): Example[] {
  return pages.flatMap(({ path, blocks }) => {
    const code = blocks.filter(({ language }) => language === "ts");
    const prelude = code.find(({ marker }) => marker === "prelude")?.text ?? "";
    return code
      .filter(({ marker }) => marker !== "fragment" && marker !== "prelude")
      .map(({ text, line, marker }) => ({
        where: `${path}:${line}`,
        file: join(
          basename(path, ".md"),
          /^file: (\S+)$/.exec(marker ?? "")?.[1] ?? `line-${line}.ts`,
        ),
        text: `${prelude}${text}${/^export /m.test(text) ? "" : "export {};\n"}`,
      }));
  });
}

/** Writes them as files of a project that has the packages which they import. */
function writeProject(folder: string, files: readonly Example[]): void {
  for (const name of ["zod", "fastify", "kysely", "@types"]) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
  symlinkSync(root, join(folder, "node_modules/posthaste"));
  for (const { file, text } of files) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const compilerOptions = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions,
      include: ["**/*.ts"],
    }),
  );
}

suite("Code in the documentation", { concurrency: true }, () => {
  const all = examples();
  const folder = temporaryFolder({ after });
  writeProject(folder, all);
  const at = (file: string) => all.find((each) => each.file === file)?.where ?? file;

  test("is type-checked, all of it but a few fragments", async () => {
    const fragments = pages.flatMap(({ path, blocks }) =>
      blocks.filter(({ marker }) => marker === "fragment").map(({ line }) => `${path}:${line}`),
    );
    assert.ok(all.length >= 20, `only ${all.length} examples were found`);
    assert.ok(fragments.length <= 5, fragments.join(", "));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const complaints = await run(process.execPath, [compiler, "-p", folder], {
      cwd: folder,
    }).then(
      () => "",
      ({ stdout }: { stdout: string }) => stdout,
    );
    assert.equal(complaints.replaceAll(/^(\S+?\.ts)/gm, at), "");
  });

  test("declares APIs that would be served", async () => {
    const declared = all.filter(({ text }) => /^export default api\(/m.test(text));
    assert.ok(declared.length >= 5);
    for (const { file, where } of declared) {
      const url = pathToFileURL(join(folder, file)).href;
      const module = (await import(url)) as { default: unknown };
      assert.ok(isApi(module.default), where);
      assert.doesNotThrow(() => compile(module.default as Api), where);
    }
  });

  test("has tests that pass where it shows tests", async () => {
    const tests = all.filter(({ file }) => file.endsWith(".test.ts")).map(({ file }) => file);
    assert.ok(tests.length > 0);
    // Without the environment by which a runner knows that it was started by another one.
    const options = { cwd: folder, env: cleanEnvironment() };
    const args = ["--conditions=posthaste-source", "--test", ...tests];
    const { stdout } = await run(process.execPath, args, options);
    assert.match(stdout, /fail 0/);
    assert.doesNotMatch(stdout, /pass 0/);
  });
});

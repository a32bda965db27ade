/**
 * `npm run build`: makes `dist`, which is what the package holds. The docs page's script comes from a
 * development dependency, so it is put into the package, with its licence beside it.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
const require = createRequire(import.meta.url);

// What an earlier build left must not get into the package.
rmSync(dist, { recursive: true, force: true });

const compiler = require.resolve("typescript/package.json");
execFileSync(
  process.execPath,
  [join(dirname(compiler), "bin/tsc"), "-p", join(root, "tsconfig.build.json")],
  { stdio: "inherit" },
);

const { docsScript } = (await import(join(dist, "http/docs-page.js"))) as {
  docsScript(): { readonly body: Buffer };
};
writeFileSync(join(dist, "http/docs-page.bundle.js"), docsScript().body);
const page = dirname(dirname(require.resolve("@scalar/fastify-api-reference")));
copyFileSync(join(page, "LICENSE"), join(dist, "http/docs-page.bundle.LICENSE"));

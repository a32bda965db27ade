import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { eventually, within } from "../support/time.ts";

const root = resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  exports: Record<string, unknown>;
  devDependencies: Record<string, string>;
};
const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
const NPM_BOUND_MS = 120_000;

/**
 * As in a user's shell, with this Node.js first: nothing of the test runner and of the npm that runs
 * these tests. How the registry is reached (npm_config_registry, NODE_EXTRA_CA_CERTS) stays.
 */
function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of Object.keys(env)) {
    if (
      /^(NODE_(ENV|TEST_)|POSTHASTE_|npm_(package|lifecycle|command|config_local_prefix))/.test(
        name,
      )
    )
      delete env[name];
  }
  env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  return env;
}

async function run(cwd: string, command: string, ...args: string[]) {
  try {
    return await promisify(execFile)(command, args, {
      cwd,
      env: environment(),
      timeout: NPM_BOUND_MS,
      maxBuffer: 10_000_000,
    });
  } catch (error) {
    const { stdout, stderr, message } = error as {
      stdout: string;
      stderr: string;
      message: string;
    };
    throw new Error(`${message}\n${stdout}\n${stderr}`);
  }
}

/**
 * Starts a command that serves, in a process group of its own, and gives its origin. It is stopped as
 * Ctrl+C in a terminal does it: npm and the shell that it starts get the signal along with the server.
 */
async function serve(t: TestContext, cwd: string, command: string, ...args: string[]) {
  const child = spawn(command, args, {
    cwd,
    env: environment({ PORT: "0" }),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const exited = once(child, "exit");
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
    }
  };
  t.after(() => signal("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const found = () => {
    assert.equal(child.exitCode, null, said);
    return /API +(http:\/\/\S+)\/api\n/.exec(said);
  };
  const [, origin] = await eventually(15_000, "it serves", found);
  return {
    origin: origin!,
    async stop() {
      signal("SIGINT");
      const [code] = await within(5_000, "it stops", exited);
      return code as number | null;
    },
  };
}

const post = (url: string, body: unknown) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

suite("the package that npm pack makes", { timeout: 300_000 }, () => {
  let folder: string;
  let project: string;
  let tarball: string;
  let files: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "posthaste-package-"));
    // A copy, so that neither dist nor the tarball of a developer is touched.
    const checkout = join(folder, "checkout");
    const left = new Set(["node_modules", ".git", "dist", "coverage"]);
    cpSync(root, checkout, {
      recursive: true,
      filter: (path) => !(left.has(path.slice(root.length + 1)) || /\.(db|tgz)$/.test(path)),
    });
    symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
    const packed = await run(checkout, "npm", "pack", "--json", "--loglevel=error");
    const [{ filename, files: listed }] = JSON.parse(
      packed.stdout.slice(packed.stdout.indexOf("[")),
    ) as [{ filename: string; files: { path: string }[] }];
    tarball = join(checkout, filename);
    files = listed.map(({ path }) => path);

    project = join(folder, "project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
    const tools = ["typescript", "@types/node", "zod"].map(
      (name) => `${name}@${manifest.devDependencies[name]}`,
    );
    await run(project, "npm", ...INSTALL, tarball, ...tools);
  });

  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

  test("holds what is needed and nothing else", () => {
    const outside = files.filter((path) => !path.startsWith("dist/")).sort();
    assert.deepEqual(outside, ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
    const odd = files.filter(
      (path) => path.startsWith("dist/") && !/(\.js|\.d\.ts|\.bundle\.LICENSE)$/.test(path),
    );
    assert.deepEqual(odd, []);
    for (const path of ["dist/http/docs-page.bundle.js", "dist/http/docs-page.bundle.LICENSE"])
      assert.ok(files.includes(path), path);
    // Every source is there once, built; nothing from an earlier build is.
    const built = (extension: string) =>
      files
        .filter((path) => path.endsWith(extension) && !path.includes(".bundle."))
        .map((path) => path.slice("dist/".length, -extension.length))
        .sort();
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => path.slice(0, -".ts".length))
      .sort();
    assert.deepEqual(built(".js"), sources);
    assert.deepEqual(built(".d.ts"), sources);
    const installed = join(project, "node_modules/posthaste/dist/http/docs-page.bundle.LICENSE");
    assert.match(readFileSync(installed, "utf8"), /MIT License\s+Copyright \(c\) .*Scalar/);
  });

  test("brings no development dependency along", () => {
    for (const name of ["@scalar", "@biomejs", "playwright-core", "fast-check", "arktype"])
      assert.equal(existsSync(join(project, "node_modules", name)), false, name);
  });

  test("gives every export it promises, and nothing behind them", async () => {
    const names = Object.keys(manifest.exports)
      .filter((name) => !name.endsWith(".json"))
      .map((name) => `posthaste${name.slice(1)}`);
    writeFileSync(
      join(project, "exports.mjs"),
      `const found = {};
       for (const name of ${JSON.stringify(names)}) found[name] = Object.keys(await import(name)).sort();
       const { default: manifest } = await import("posthaste/package.json", { with: { type: "json" } });
       found.version = manifest.version;
       found.deep = await import("posthaste/dist/store/open.js").catch(({ code }) => code);
       console.log(JSON.stringify(found));`,
    );
    const { stdout } = await run(project, process.execPath, "exports.mjs");
    const sources = await Promise.all(
      names.map(async (name) => [name, Object.keys(await import(name)).sort()] as const),
    );
    assert.deepEqual(JSON.parse(stdout), {
      ...Object.fromEntries(sources),
      version: manifest.version,
      deep: "ERR_PACKAGE_PATH_NOT_EXPORTED",
    });
  });

  test("types a consumer's file, strictly, its own declarations checked too", async () => {
    writeFileSync(
      join(project, "consumer.ts"),
      `import { anyone, api, resource, type RowOf } from "posthaste";
       import { posthaste } from "posthaste/fastify";
       import { testServer } from "posthaste/testing";
       import { z } from "zod";

       const users = resource("users", {
         schema: z.object({ name: z.string(), age: z.int().optional() }),
         access: { create: anyone, read: anyone, update: anyone, delete: anyone },
         rules: [({ input, fail }) => input.name === "" && fail("/name", "empty")],
         created: async ({ row, tx }) => {
           const id: number = row.id;
           await tx.selectFrom("users").select("name").where("id", "=", id).execute();
         },
       });
       export const row: RowOf<typeof users> = { id: 1, name: "a" };
       // @ts-expect-error an id is a number here
       export const wrong: RowOf<typeof users> = { id: "1", name: "a" };
       // @ts-expect-error delete is not spoken for
       resource("posts", { schema: z.object({}), access: { create: anyone, read: anyone, update: anyone } });

       const declared = api({ users });
       export default declared;
       export const plugin = posthaste(declared, { store: "./data.db" });
       export const server = testServer;`,
    );
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "es2024",
          module: "nodenext",
          types: ["node"],
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
        },
        files: ["consumer.ts"],
      }),
    );
    const { stdout } = await run(project, join(project, "node_modules/.bin/tsc"), "-p", ".");
    assert.equal(stdout, "");
  });

  test("serves a module through its command, with the docs page from the package", async (t) => {
    writeFileSync(
      join(project, "api.ts"),
      `import { anyone, api, resource } from "posthaste";
       import { z } from "zod";
       const users = resource("users", {
         schema: z.object({ name: z.string() }),
         unique: ["name"],
         access: { create: anyone, read: anyone, update: anyone, delete: anyone },
       });
       export default api({ users });`,
    );
    const bin = join(project, "node_modules/.bin/posthaste");
    const { stdout } = await run(project, bin, "--version");
    assert.equal(stdout.trim(), manifest.version);
    const server = await serve(t, project, bin, "serve", "api.ts");
    const made = await post(`${server.origin}/api/users`, { name: "a" });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("location"), "/api/users/1");
    assert.equal((await post(`${server.origin}/api/users`, { name: "a" })).status, 409);
    const docs = await fetch(`${server.origin}/docs`);
    assert.equal(docs.status, 200);
    const [, script] = /<script src="([^"]+)"/.exec(await docs.text())!;
    const bundle = await fetch(`${server.origin}${script}`);
    assert.equal(bundle.status, 200);
    assert.ok((await bundle.arrayBuffer()).byteLength > 1_000_000);
    assert.equal((await fetch(`${server.origin}/problems/not-found`)).status, 200);
    assert.equal(await server.stop(), 0);
  });

  test("mounts in a Fastify app of the consumer's own", async () => {
    writeFileSync(
      join(project, "mounted.ts"),
      `import Fastify from "fastify";
       import { posthaste } from "posthaste/fastify";
       import declared from "./api.ts";
       const app = Fastify();
       await app.register(posthaste(declared, { store: "./mounted.db" }), { prefix: "/v1" });
       const made = await app.inject({ method: "POST", url: "/v1/users", payload: { name: "a" } });
       console.log(made.statusCode, made.headers.location);
       await app.close();`,
    );
    const { stdout } = await run(project, process.execPath, "mounted.ts");
    assert.equal(stdout.trim(), "201 /v1/users/1");
  });

  test("makes a new project whose test passes and which starts", async (t) => {
    await run(project, join(project, "node_modules/.bin/posthaste"), "new", "../demo");
    const demo = join(folder, "demo");
    await run(demo, "npm", ...INSTALL, tarball);
    const tested = await run(demo, "npm", "test");
    assert.match(tested.stdout, /pass 1\b/);
    const server = await serve(t, demo, "npm", "start");
    const made = await post(`${server.origin}/api/tasks`, { title: "a" });
    assert.equal(made.status, 201);
    assert.deepEqual(await made.json(), { id: 1, title: "a", done: false });
    await server.stop();
    await eventually(5_000, "the server is gone", () =>
      fetch(`${server.origin}/health/live`).then(
        () => false,
        () => true,
      ),
    );
  });
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { Command, cleanEnvironment, runPosthaste, servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { notesApi, temporaryProject } from "../support/project.ts";
import { eventually, within } from "../support/time.ts";

const root = resolve(import.meta.dirname, "../..");
const tour = join(root, "examples/tour/api.ts");

suite("posthaste openapi", { concurrency: 2 }, () => {
  test("prints the document that the server serves", async (t) => {
    const folder = temporaryFolder(t);
    const [printed, server] = await Promise.all([
      runPosthaste(["openapi", tour], { cwd: folder }),
      servePosthaste(t, [tour], { cwd: folder }),
    ]);
    assert.equal(printed.code, 0);
    assert.equal(printed.stderr, "");
    const served = await fetch(`${server.origin}/openapi.json`);
    assert.deepEqual(JSON.parse(printed.stdout), await served.json());
    assert.ok(printed.stdout.endsWith("}\n"));
  });

  test("writes it to a file, prints nothing then, and makes no database", async (t) => {
    const folder = temporaryFolder(t);
    const printed = await runPosthaste(["openapi", tour, "--prefix", "/v2/"], { cwd: folder });
    const written = await runPosthaste(["openapi", tour, "--prefix", "/v2", "--out", "o.json"], {
      cwd: folder,
    });
    assert.deepEqual([written.code, written.stdout, written.stderr], [0, "", ""]);
    const text = readFileSync(join(folder, "o.json"), "utf8");
    assert.equal(text, printed.stdout);
    assert.match(JSON.stringify(JSON.parse(text)), /\/v2/);
    assert.deepEqual(readdirSync(folder), ["o.json"]);
  });

  test("tells in a sentence where it can't write", async (t) => {
    const folder = temporaryFolder(t);
    const { code, stderr } = await runPosthaste(["openapi", tour, "--out", "missing/o.json"], {
      cwd: folder,
    });
    assert.equal(code, 1);
    assert.match(stderr, /missing\/o\.json can't be written/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  test("refuses a prefix that serve would refuse", async (t) => {
    const { code, stderr } = await runPosthaste(["openapi", tour, "--prefix", "a b"], {
      cwd: temporaryFolder(t),
    });
    assert.equal(code, 1);
    assert.match(stderr, /"a b" is not a path/);
  });
});

suite("posthaste new", { concurrency: 2 }, () => {
  test("makes a folder whose test passes and whose API serves", async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout, stderr } = await runPosthaste(["new", "to-do"], { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /cd to-do && npm install && npm start/);
    const project = join(folder, "to-do");
    assert.deepEqual(readdirSync(project).sort(), [
      ".gitignore",
      "README.md",
      "api.test.ts",
      "api.ts",
      "package.json",
    ]);
    const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      name: string;
      scripts: Record<string, string>;
      dependencies: Record<string, string>;
    };
    assert.equal(manifest.name, "to-do");
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      version: string;
    };
    assert.equal(manifest.dependencies.posthaste, `^${version}`);
    // What npm would install.
    mkdirSync(join(project, "node_modules"));
    symlinkSync(root, join(project, "node_modules/posthaste"));
    symlinkSync(join(root, "node_modules/zod"), join(project, "node_modules/zod"));
    assert.equal(manifest.scripts.test, "node --test");
    const tested = await promisify(execFile)(
      process.execPath,
      ["--conditions=posthaste-source", "--test"],
      { cwd: project, env: cleanEnvironment() },
    );
    assert.match(tested.stdout, /pass 1\b/);
    assert.equal(manifest.scripts.start, "posthaste serve api.ts");
    const server = await servePosthaste(t, ["api.ts"], { cwd: project });
    const made = await fetch(`${server.origin}/api/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"title":"a"}',
    });
    assert.equal(made.status, 201);
  });

  test("makes the folders above it, and says where it is", async (t) => {
    const folder = temporaryFolder(t);
    const { code, stdout } = await runPosthaste(["new", "apps/shop"], { cwd: folder });
    assert.equal(code, 0);
    assert.match(stdout, /cd apps\/shop/);
    assert.ok(readdirSync(join(folder, "apps/shop")).includes("api.ts"));
  });

  test("refuses what is there already, and touches nothing in it", async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "mine"));
    writeFileSync(join(folder, "mine/api.ts"), "mine");
    writeFileSync(join(folder, "file"), "mine");
    for (const name of ["mine", "file", "."]) {
      const { code, stderr } = await runPosthaste(["new", name], { cwd: folder });
      assert.equal(code, 1, name);
      assert.match(stderr, /exists already|can't be the name/);
    }
    assert.equal(readFileSync(join(folder, "mine/api.ts"), "utf8"), "mine");
    assert.deepEqual(readdirSync(join(folder, "mine")), ["api.ts"]);
  });

  test("refuses names that no package can have", async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ["Shop", "my shop", "_shop", ".shop", "node_modules", "", "läden", "a`b"]) {
      const { code, stderr } = await runPosthaste(["new", name], { cwd: folder });
      assert.equal(code, 1, name);
      assert.match(stderr, /can't be the name of a package/, name);
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});

suite("posthaste dev", () => {
  test("starts again when a file changes, survives a faulty one, and stops when told", async (t) => {
    const folder = temporaryProject(t, {
      "api.ts": notesApi("", 'import "./lib/more.ts";'),
      "lib/more.ts": "",
      "notes.md": "",
    });
    const command = new Command(["dev", "api.ts", "--port", "0"], { cwd: folder });
    t.after(() => command.end());
    const served = async () => {
      const [, origin] = await command.says("stdout", /API +(http:\/\/\S+)\/api\n/);
      await command.says("stderr", /server\.listening/);
      command.stdout = "";
      command.stderr = "";
      return origin!;
    };
    const before = await served();
    assert.equal((await fetch(`${before}/api/notes?sort=text`)).status, 400);

    writeFileSync(join(folder, "api.ts"), notesApi('list: { sort: ["text"] },'));
    await command.says("stderr", /api\.ts changed; starting again/);
    const after = await served();
    assert.equal((await fetch(`${after}/api/notes?sort=text`)).status, 200);

    writeFileSync(join(folder, "api.ts"), notesApi("unknown: 1,"));
    await command.says(
      "stderr",
      /api\.ts: The declaration has .*notes\.unknown.*waiting for a change/s,
    );
    command.stderr = "";
    writeFileSync(join(folder, "api.ts"), "export default {");
    await command.says("stderr", /can't be loaded.*waiting for a change/s);
    command.stderr = "";

    // Quick changes in a row are one, and a file that is imported counts as well.
    for (const text of ["1", "2", "3"]) {
      writeFileSync(join(folder, "lib/more.ts"), `export const x = ${text};`);
      writeFileSync(join(folder, "api.ts"), notesApi("", 'import "./lib/more.ts";'));
    }
    const mended = await served();
    assert.equal((await fetch(`${mended}/api/notes`)).status, 200);
    writeFileSync(join(folder, "notes.md"), "no source");
    await new Promise((keep) => setTimeout(keep, 400));
    assert.doesNotMatch(command.stderr, /starting again/);

    command.child.kill("SIGTERM");
    const { code } = await within(5_000, "it stops", command.exited);
    assert.equal(code, 0);
    await assert.rejects(fetch(`${mended}/api/notes`));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("posthaste.db")),
      ["posthaste.db"],
    );
  });

  test("leaves no server behind when it is killed", async (t) => {
    const folder = temporaryProject(t, { "api.ts": notesApi() });
    const command = new Command(["dev", "api.ts", "--port", "0"], { cwd: folder });
    t.after(() => command.end());
    const [, origin] = await command.says("stdout", /API +(http:\/\/\S+)\/api\n/);
    command.child.kill("SIGKILL");
    await eventually(5_000, "the server is gone", () =>
      fetch(`${origin}/health/live`).then(
        () => false,
        () => true,
      ),
    );
  });
});

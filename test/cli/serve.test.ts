import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import {
  Command,
  cleanEnvironment,
  posthasteFromSource,
  runPosthaste,
  servePosthaste,
} from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { notesApi, temporaryProject } from "../support/project.ts";
import { eventually, within } from "../support/time.ts";

const tour = resolve(import.meta.dirname, "../../examples/tour/api.ts");
const ESCAPE = String.fromCharCode(27);

const inShell = async (line: string) =>
  promisify(execFile)("/bin/sh", ["-c", line], { env: cleanEnvironment() });

suite("the banner of serve", { concurrency: 2 }, () => {
  test("says where the API, its docs and its store are, in plain text to a pipe", async (t) => {
    const folder = temporaryFolder(t);
    const server = await servePosthaste(t, [tour], { cwd: folder });
    await server.says("stdout", /Try it:\n.*\n/);
    const { origin, stdout } = server;
    assert.match(stdout, /Posthaste serves Tour \d/);
    assert.match(stdout, new RegExp(`API +${origin}/api\n`));
    assert.match(stdout, new RegExp(`Docs +${origin}/docs\n`));
    assert.match(stdout, /Store +posthaste\.db\n/);
    assert.ok(!stdout.includes(ESCAPE), "no colours where a program reads");
    assert.equal((await fetch(`${origin}/docs`)).status, 200);
    assert.ok(existsSync(join(folder, "posthaste.db")));
  });

  test("has a curl that makes a record when pasted into a shell", async (t) => {
    const folder = temporaryFolder(t);
    const server = await servePosthaste(t, [tour], { cwd: folder });
    const [, curl] = await server.says("stdout", /^\s+(curl .*)$/m);
    const { stdout } = await inShell(curl!);
    assert.match(stdout, /^HTTP\/1\.1 201 Created\r\n/);
    assert.match(stdout, /^location: \/api\/users\/1\r$/im);
    const again = await inShell(curl!);
    assert.match(again.stdout, /^HTTP\/1\.1 409 /);
  });

  test("has a curl that survives quotes, dollars and backslashes in the example", async (t) => {
    const text = `it's $HOME, \\"quoted\\", \\\\ and \`echo no\``;
    const folder = temporaryProject(t, {
      "api.ts": notesApi(`example: { text: "${text.replaceAll("`", "\\`")}" },`),
    });
    const server = await servePosthaste(t, ["api.ts"], { cwd: folder });
    const [, curl] = await server.says("stdout", /^\s+(curl .*)$/m);
    const { stdout } = await inShell(curl!);
    const body = JSON.parse(stdout.slice(stdout.indexOf("\r\n\r\n"))) as { text: string };
    assert.equal(body.text, 'it\'s $HOME, "quoted", \\ and `echo no`');
  });

  test("shows no curl where nobody may create, and one below the prefix that was asked for", async (t) => {
    const closed = notesApi('example: { text: "a" },').replace("create: anyone", "create: nobody");
    const folder = temporaryProject(t, {
      "closed.ts": closed.replace("{ anyone,", "{ anyone, nobody,"),
      "open.ts": notesApi('example: { text: "a" },'),
    });
    const [quiet, below] = await Promise.all([
      servePosthaste(t, ["closed.ts", "--store", "a.db"], { cwd: folder }),
      servePosthaste(t, ["open.ts", "--store", "b.db", "--prefix", "/v1/notes-api/"], {
        cwd: folder,
      }),
    ]);
    await quiet.says("stderr", /server\.listening/);
    assert.doesNotMatch(quiet.stdout, /curl/);
    const [, curl] = await below.says("stdout", /^\s+(curl .*)$/m);
    assert.match((await inShell(curl!)).stdout, /^location: \/v1\/notes-api\/notes\/1\r$/im);
  });

  test("shows an address that one can go to where it listens on all", async (t) => {
    const folder = temporaryFolder(t);
    const server = await servePosthaste(t, [tour, "--host", "0.0.0.0"], { cwd: folder });
    assert.match(server.stdout, /http:\/\/127\.0\.0\.1:\d+\/api/);
    assert.equal((await fetch(`${server.origin}/health/live`)).status, 200);
  });

  test("is coloured in a terminal, and Ctrl+C there stops gracefully", async (t) => {
    const script = "/usr/bin/script";
    if (!existsSync(script)) {
      t.skip(`No ${script} here to make a terminal with (Debian: bsdutils).`);
      return;
    }
    const folder = temporaryFolder(t);
    // exec: a shell of its own between terminal and server (as dash keeps one) would end by the
    // Ctrl+C itself, with 130.
    const serve = ["exec", process.execPath, ...posthasteFromSource, "serve", tour, "--port", "0"];
    const terminal = spawn(script, ["-qec", serve.join(" "), "/dev/null"], {
      cwd: folder,
      env: { ...cleanEnvironment(), TERM: "xterm-256color" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => terminal.kill("SIGKILL"));
    let shown = "";
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
    });
    await eventually(8_000, "the banner", () => /curl .*\r?\n/.test(shown));
    assert.ok(shown.includes(`${ESCAPE}[1mPosthaste`), JSON.stringify(shown));
    const plain = shown.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g"), "");
    const [, origin] = /Docs +(http:\/\/\S+)\/docs/.exec(plain)!;
    await fetch(`${origin}/api/users?x=secret`);
    await eventually(3_000, "a line for people", () => /GET \/api\/users .*400/.test(shown));
    assert.doesNotMatch(shown, /secret|"event"/);
    const ended = once(terminal, "exit");
    terminal.stdin.write("\u0003");
    const [code] = await within(5_000, "it stops", ended);
    assert.equal(code, 0);
    assert.match(shown, /server\.stopped/);
    assert.deepEqual(readdirSync(folder), ["posthaste.db"]);
  });
});

suite("settings of serve", { concurrency: 2 }, () => {
  test("come from the environment", async (t) => {
    const folder = temporaryFolder(t);
    const command = new Command(["serve", tour], {
      cwd: folder,
      env: { PORT: "0", HOST: "127.0.0.2", POSTHASTE_STORE: "elsewhere.db" },
    });
    t.after(() => command.end());
    const [, origin] = await command.says("stdout", /API +(http:\/\/127\.0\.0\.2:\d+)/);
    assert.equal((await fetch(`${origin}/health/ready`)).status, 200);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".db")),
      ["elsewhere.db"],
    );
  });

  test("on the command line win over the environment, and empty ones are none", async (t) => {
    const folder = temporaryFolder(t);
    const server = await servePosthaste(t, [tour, "--store", "mine.db"], {
      cwd: folder,
      env: { PORT: "1", HOST: "", POSTHASTE_STORE: "theirs.db" },
    });
    assert.match(server.origin, /127\.0\.0\.1/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".db")),
      ["mine.db"],
    );
  });

  test("POSTHASTE_LIMITS=off is warned of", async (t) => {
    const folder = temporaryFolder(t);
    const off = await servePosthaste(t, [tour, "--store", "a.db"], {
      cwd: folder,
      env: { POSTHASTE_LIMITS: "off" },
    });
    const on = await servePosthaste(t, [tour, "--store", "b.db"], { cwd: folder });
    await off.says("stderr", /POSTHASTE_LIMITS=off: .*switched off/);
    assert.doesNotMatch(on.stderr, /POSTHASTE_LIMITS/);
  });

  test("that can't be are refused in a sentence", async (t) => {
    const folder = temporaryFolder(t);
    const refused = async (args: readonly string[], sentence: RegExp, env = {}) => {
      const result = await runPosthaste(["serve", tour, ...args], { cwd: folder, env });
      assert.equal(result.code, 1, args.join(" "));
      assert.match(result.stderr, sentence);
      assert.doesNotMatch(result.stderr, /\n\s+at /);
      assert.equal(result.stdout, "");
    };
    await refused(["--port", "http"], /"http" is not a port/);
    await refused(["--port", "70000"], /"70000" is not a port: .* 0 .* 65535/);
    await refused(["--port=-1"], /"-1" is not a port/);
    await refused(["--port", "80.5"], /"80.5" is not a port/);
    await refused([], /"many" is not a port/, { PORT: "many" });
    await refused(["--port", "0", "--host", "203.0.113.7"], /203\.0\.113\.7" is not an address/);
    await refused(["--port", "0", "--prefix", "api v1"], /"api v1" is not a path/);
    await refused(["--port", "0", "--prefix", "/a/{b}"], /is not a path/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith("posthaste.db")),
      [],
    );
  });

  test("a port that is taken is told, with the next one", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    t.after(() => taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const folder = temporaryFolder(t);
    const { code, stderr } = await runPosthaste(["serve", tour, "--port", `${port}`], {
      cwd: folder,
    });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken.*--port \\d+`));
    assert.doesNotMatch(stderr, /\n\s+at /);
    // What was opened for it is closed again.
    assert.deepEqual(readdirSync(folder), ["posthaste.db"]);
  });
});

suite("a server whose starter has gone", () => {
  test("goes on when nobody reads its banner and its log any more", async (t) => {
    const folder = temporaryFolder(t);
    const server = await servePosthaste(t, [tour], { cwd: folder });
    server.child.stdout?.destroy();
    server.child.stderr?.destroy();
    for (let round = 0; round < 3; round++) {
      assert.equal((await fetch(`${server.origin}/api/users/7`)).status, 404);
      await new Promise((keep) => setTimeout(keep, 350));
    }
    assert.equal((await fetch(`${server.origin}/health/ready`)).status, 200);
  });
});

suite("a wrong command line", { concurrency: 2 }, () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["serv", "api.ts"], /unknown command 'serv'.*Did you mean serve\?/s],
    [["migrat", "api.ts"], /Did you mean migrate\?/],
    [["serve", "api.ts", "--prot", "1"], /unknown option '--prot'.*Did you mean --port\?/s],
    [["migrate", "api.ts", "--plna"], /unknown option '--plna'.*Did you mean --plan\?/s],
    [["openapi", "api.ts", "--output", "x"], /unknown option '--output'/],
    [["serve"], /missing required argument 'file'/],
    [["serve", "a.ts", "b.ts"], /too many arguments/],
    [["new"], /missing required argument 'name'/],
  ];
  for (const [args, sentence] of cases) {
    test(args.join(" "), async () => {
      const { code, stdout, stderr } = await runPosthaste(args, { cwd: "/" });
      assert.equal(code, 1);
      assert.match(stderr, sentence);
      assert.match(stderr, /posthaste --help/);
      assert.equal(stdout, "");
    });
  }

  test("--help lists every command, --version says the package's", async () => {
    const help = await runPosthaste(["--help"], { cwd: "/" });
    assert.equal(help.code, 0);
    for (const command of ["serve", "dev", "migrate", "openapi", "new"])
      assert.match(help.stdout, new RegExp(`^  ${command} `, "m"));
    const version = await runPosthaste(["--version"], { cwd: "/" });
    const manifest = readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8");
    assert.equal(version.stdout.trim(), (JSON.parse(manifest) as { version: string }).version);
  });
});

suite("a file that can't be served", { concurrency: 2 }, () => {
  const refused = async (folder: string, args: readonly string[], ...sentences: RegExp[]) => {
    const { code, stdout, stderr } = await runPosthaste(args, { cwd: folder });
    assert.equal(code, 1, stderr);
    for (const sentence of sentences) assert.match(stderr, sentence);
    assert.equal(stdout, "");
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".db")),
      [],
      "no database was made",
    );
    return stderr;
  };

  test("that is not there", async (t) => {
    const folder = temporaryFolder(t);
    for (const command of ["serve", "dev", "migrate", "openapi"]) {
      const stderr = await refused(folder, [command, "apo.ts"], /There is no file apo\.ts/);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });

  test("that is a folder", async (t) => {
    const folder = temporaryFolder(t);
    const stderr = await refused(folder, ["serve", "."], /is a folder/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  test("with an error in its syntax, told with its line", async (t) => {
    const folder = temporaryProject(t, { "api.ts": "\nexport default api({ users: });\n" });
    await refused(
      folder,
      ["serve", "api.ts"],
      /^api\.ts can't be loaded:/,
      /api\.ts:2/,
      /SyntaxError/,
    );
  });

  test("that throws, told with its own words and its own frames", async (t) => {
    const folder = temporaryProject(t, {
      "api.ts": 'import "./settings.ts";\nexport default 1;\n',
      "settings.ts": '\nthrow new Error("SHOP_URL is not set");\n',
    });
    const stderr = await refused(
      folder,
      ["serve", "api.ts"],
      /^api\.ts can't be loaded:\nError: SHOP_URL is not set/,
      /settings\.ts:2/,
    );
    assert.doesNotMatch(stderr, /node:internal/);
  });

  test("that imports what is not installed", async (t) => {
    const folder = temporaryProject(t, { "api.ts": 'import "not-there";\n' });
    await refused(folder, ["serve", "api.ts"], /^api\.ts can't be loaded:/, /'not-there'/);
  });

  test("without an API as its default export", async (t) => {
    const folder = temporaryProject(t, {
      "none.ts": "export const api = 1;\n",
      "other.ts": "export default { users: {} };\n",
      "empty.ts": "",
    });
    for (const file of ["none.ts", "other.ts", "empty.ts"]) {
      const stderr = await refused(
        folder,
        ["serve", file],
        new RegExp(
          `^${file.replace(".", "\\.")} does not export an API\\. Write: export default api`,
        ),
      );
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });

  test("with a faulty declaration is told all its faults at once, each with its mend", async (t) => {
    const folder = temporaryProject(t, {
      "shop.ts": `
        import { anyone, api, resource } from "posthaste";
        import { z } from "zod";
        const users = resource("Users", {
          schema: z.object({ name: z.string() }),
          access: { create: anyone, read: anyone, update: anyone },
          unique: ["nmae"],
        } as never);
        const posts = resource("posts", {
          schema: z.string(),
          acces: {},
        } as never);
        export default api({ users, posts });
      `,
    });
    for (const args of [
      ["serve", "shop.ts", "--port", "0"],
      ["serve", "--port", "0", "shop.ts"],
      ["migrate", "--plan", "shop.ts"],
      ["openapi", "shop.ts"],
    ]) {
      const stderr = await refused(
        folder,
        args,
        /^shop\.ts: The declaration has \d+ faults:/,
        /users\.access.*delete|users\.access\.delete/,
        /users\.unique.*nmae/,
        /posts\.acces\b/,
        /posts\.schema/,
        /Did you mean "access"\?/,
        /Did you mean "name"\?/,
      );
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });

  test("that declares something else in the writer thread", async (t) => {
    const folder = temporaryProject(t, {
      "api.ts": notesApi(
        'list: isMainThread ? {} : { filter: ["text"] },',
        'import { isMainThread } from "node:worker_threads";',
      ),
    });
    const { code, stderr } = await runPosthaste(["serve", "api.ts", "--port", "0"], {
      cwd: folder,
    });
    assert.equal(code, 1);
    assert.match(stderr, /other declarations when the writer thread loaded it/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  test("that can't be loaded in the writer thread", async (t) => {
    const folder = temporaryProject(t, {
      "api.ts": notesApi(
        "",
        'import { isMainThread } from "node:worker_threads"; if (!isMainThread) throw new Error("main only");',
      ),
    });
    const { code, stderr } = await runPosthaste(["serve", "api.ts", "--port", "0"], {
      cwd: folder,
    });
    assert.equal(code, 1);
    assert.match(stderr, /writer thread/);
    assert.match(stderr, /main only/);
  });
});

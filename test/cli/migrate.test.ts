import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { runPosthaste, servePosthaste } from "../support/command.ts";
import { temporaryProject } from "../support/project.ts";

const declaration = (fields: string, config = "") => `
  import { anyone, api, resource } from "posthaste";
  import { z } from "zod";
  const users = resource("users", {
    schema: z.object({ ${fields} }),
    access: { create: anyone, read: anyone, update: anyone, delete: anyone },
    ${config}
  });
  export default api({ users });
`;

const first = declaration("name: z.string(), age: z.int().optional()");

/** A project with a database that holds one user, and ways to change and look at both. */
async function project(t: TestContext) {
  const folder = temporaryProject(t, { "api.ts": first });
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runPosthaste(args, { cwd: folder, env });
  const migrate = (...args: string[]) => run(["migrate", "api.ts", ...args]);
  const made = await migrate();
  assert.equal(made.code, 0, made.stderr);
  const sql = (text: string) => {
    const database = new DatabaseSync(join(folder, "posthaste.db"));
    try {
      return database
        .prepare(text)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  };
  sql("INSERT INTO users (name, age, _version, _created, _updated) VALUES ('a', 7, 1, 0, 0)");
  return {
    folder,
    made,
    run,
    migrate,
    sql,
    declare: (text: string) => writeFileSync(join(folder, "api.ts"), text),
    schema: () => sql("SELECT name, sql FROM sqlite_schema ORDER BY name"),
  };
}

suite("posthaste migrate", { concurrency: 2 }, () => {
  test("makes a fresh database, shows what it does, and then finds nothing to do", async (t) => {
    const { made, migrate } = await project(t);
    assert.match(made.stdout, /^Doing:\n {2}CREATE TABLE "users" \(/);
    assert.match(made.stdout, /\nDone: \d+ statements?, all or none\.\n$/);
    const again = await migrate();
    assert.equal(again.code, 0);
    assert.equal(again.stdout, "The database is as declared. There is nothing to do.\n");
  });

  test("--plan shows the SQL and changes nothing", async (t) => {
    const { declare, migrate, schema } = await project(t);
    declare(declaration("name: z.string(), age: z.int().optional(), nick: z.string().optional()"));
    const before = schema();
    const { code, stdout } = await migrate("--plan");
    assert.equal(code, 0);
    assert.equal(stdout, 'To be done:\n  ALTER TABLE "users" ADD COLUMN "nick" TEXT;\n');
    assert.deepEqual(schema(), before);
    const done = await migrate();
    assert.equal(done.stdout.replace("Doing", "To be done").split("Done")[0], stdout);
    assert.notDeepEqual(schema(), before);
  });

  test("--plan makes no database where there is none", async (t) => {
    const folder = temporaryProject(t, { "api.ts": first });
    const { code, stdout } = await runPosthaste(["migrate", "--plan", "api.ts"], { cwd: folder });
    assert.equal(code, 0);
    assert.match(stdout, /CREATE TABLE "users"/);
    assert.equal(existsSync(join(folder, "posthaste.db")), false);
  });

  test("refuses what could lose data, and names a way out that works when pasted", async (t) => {
    const { declare, migrate, run, schema, sql } = await project(t);
    declare(declaration("name: z.string()"));
    const before = schema();
    const refused = await migrate();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nothing was changed:\n {2}users\.age: the column holds data/);
    assert.equal(refused.stdout, "");
    assert.deepEqual(schema(), before);
    const [, command] = /Lose it: posthaste (migrate .*?)\.\n/.exec(refused.stderr)!;
    const dropped = await run(command!.split(" "));
    assert.equal(dropped.code, 0, dropped.stderr);
    assert.match(dropped.stdout, /DROP COLUMN "age"/);
    assert.deepEqual(sql("SELECT name FROM users"), [{ name: "a" }]);
    assert.equal((await migrate()).stdout.includes("nothing to do"), true);
  });

  test("names the database in the way out, where it is not the usual one", async (t) => {
    const { declare, folder, run } = await project(t);
    declare(declaration("name: z.string()"));
    const store = join(folder, "posthaste.db");
    const other = await run(["migrate", "api.ts", "--store", store]);
    assert.match(other.stderr, new RegExp(`migrate api\\.ts --store ${store} --drop users\\.age`));
    const usual = await run(["migrate", "api.ts"], { POSTHASTE_STORE: store });
    assert.match(usual.stderr, /migrate api\.ts --drop users\.age/);
  });

  test("notes a table that is not declared any more, and drops it when told", async (t) => {
    const { declare, migrate, sql } = await project(t);
    declare(first.replace('resource("users"', 'resource("people"'));
    const { code, stdout } = await migrate();
    assert.equal(code, 0);
    assert.match(stdout, /note .*"users" is no longer declared; it is left alone/);
    assert.deepEqual(sql("SELECT name FROM users"), [{ name: "a" }]);
    const dropped = await migrate("--drop", "users");
    assert.match(dropped.stdout, /DROP TABLE "users";\nDone: 1 statement/);
  });

  test("refuses to drop what is not there or is still declared, rather than say it was done", async (t) => {
    const { migrate, schema, sql } = await project(t);
    const before = schema();
    for (const name of ["users.agee", "usres", "users.age", "users", "users."]) {
      const { code, stderr, stdout } = await migrate("--drop", name);
      assert.equal(code, 1, name);
      assert.ok(stderr.includes(`there is no ${name} to drop`), stderr);
      assert.equal(stdout, "");
    }
    assert.deepEqual(schema(), before);
    assert.deepEqual(sql("SELECT age FROM users"), [{ age: 7 }]);
  });

  test("tells in a sentence what a change would break that only shows while it is made", async (t) => {
    const { declare, migrate, schema, sql } = await project(t);
    sql("INSERT INTO users (name, age, _version, _created, _updated) VALUES ('b', 8, 1, 0, 0)");
    declare(
      declaration(
        'name: z.string(), age: z.int().optional(), code: z.string().default("x")',
        'unique: ["code"],',
      ),
    );
    const before = schema();
    const { code, stderr } = await migrate();
    assert.equal(code, 1);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.deepEqual(schema(), before);
  });
});

suite("serving a database that is not as declared", { concurrency: 2 }, () => {
  const wider = declaration(
    "name: z.string(), age: z.int().optional(), nick: z.string().optional()",
  );

  test("adds to it what is missing, by default", async (t) => {
    const { declare, folder, sql } = await project(t);
    declare(wider);
    const server = await servePosthaste(t, ["api.ts"], { cwd: folder });
    const read = await fetch(`${server.origin}/api/users/1`);
    assert.deepEqual(await read.json(), { id: 1, name: "a", age: 7 });
    assert.deepEqual(sql("SELECT nick FROM users"), [{ nick: null }]);
  });

  for (const [how, args, env] of [
    ["--no-migrate", ["--no-migrate"], {}],
    ["NODE_ENV=production", [], { NODE_ENV: "production" }],
  ] as const) {
    test(`is refused with ${how}, with the plan and the command`, async (t) => {
      const { declare, run, migrate, schema, folder } = await project(t);
      declare(wider);
      const before = schema();
      const { code, stderr, stdout } = await run(["serve", "api.ts", "--port", "0", ...args], env);
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /not as declared yet.*: posthaste migrate api\.ts\n {2}ALTER TABLE/s);
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.deepEqual(schema(), before);
      assert.equal((await migrate()).code, 0);
      await servePosthaste(t, ["api.ts", ...args], { cwd: folder, env });
    });

    test(`is made with ${how}, where there is none yet`, async (t) => {
      const folder = temporaryProject(t, { "api.ts": first });
      const server = await servePosthaste(t, ["api.ts", ...args], { cwd: folder, env });
      assert.equal((await fetch(`${server.origin}/api/users`)).status, 200);
    });
  }

  test("is refused where the change could lose data, with a command that can be pasted", async (t) => {
    const { declare, run, schema } = await project(t);
    declare(declaration("name: z.string()"));
    const before = schema();
    const { code, stderr } = await run(["serve", "api.ts", "--port", "0"]);
    assert.equal(code, 1);
    assert.match(stderr, /users\.age: .*\n.*posthaste migrate api\.ts --drop users\.age/);
    assert.deepEqual(schema(), before);
  });
});

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { runPosthaste, servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";

const tour = resolve(import.meta.dirname, "../../examples/tour/api.ts");
const root = process.getuid?.() === 0;
const NOBODY = 65_534;

/**
 * Every file below a folder with the hash of its bytes. What SQLite keeps beside a file that it only
 * reads (an index in shared memory, an empty log) says nothing and is left out.
 */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .sort()
      .filter((name) => statSync(join(folder, name)).isFile() && !name.endsWith("-shm"))
      .filter((name) => !(name.endsWith("-wal") && statSync(join(folder, name)).size === 0))
      .map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex"),
      ]),
  );
}

/** A database that a server has made, with records over many pages. */
async function usedDatabase(t: TestContext): Promise<string> {
  const path = join(temporaryFolder(t), "store.db");
  const made = await runPosthaste(["migrate", tour, "--store", path], { cwd: "/" });
  assert.equal(made.code, 0, made.stderr);
  const database = new DatabaseSync(path);
  database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO users (name, email, _version, _created, _updated)
    SELECT 'name ' || i, 'user' || i || '@example.com', 1, 0, 0 FROM n;
    PRAGMA wal_checkpoint(TRUNCATE)`);
  database.close();
  return path;
}

interface Refused {
  readonly stderr: string;
}

/** Serving must end with a sentence that matches, and leave every byte as it was. */
async function assertRefused(
  path: string,
  sentence: RegExp,
  options: { readonly uid?: number; readonly cwd?: string } = {},
): Promise<Refused> {
  const folder = options.cwd ?? resolve(path, "..");
  const before = snapshot(folder);
  const { code, stdout, stderr } = await runPosthaste(
    ["serve", tour, "--port", "0", "--store", path],
    { cwd: "/", ...options },
  );
  assert.equal(code, 1, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, sentence);
  // A sentence, not a stack.
  assert.doesNotMatch(stderr, /\n\s+at |node:internal|Error:/);
  assert.deepEqual(snapshot(folder), before);
  return { stderr };
}

suite("a store that can't be used is told in a sentence and left as it is", {
  concurrency: 3,
}, () => {
  test("a file of a newer release", async (t) => {
    const path = await usedDatabase(t);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    await assertRefused(path, /newer release of Posthaste.*99/);
  });

  test("a file that another process has locked", { timeout: 30_000 }, async (t) => {
    const path = await usedDatabase(t);
    const locker = new DatabaseSync(path);
    locker.exec("BEGIN IMMEDIATE");
    const { code, stderr } = await runPosthaste(["serve", tour, "--port", "0", "--store", path], {
      cwd: "/",
    });
    assert.equal(code, 1);
    assert.match(stderr, /locked by another process/);
    assert.doesNotMatch(stderr, /\n\s+at /);
    // The lock was not broken: what it guards can still be committed.
    locker.exec("UPDATE users SET name = 'mine' WHERE id = 1; COMMIT");
    assert.equal(locker.prepare("SELECT name FROM users WHERE id = 1").get()?.name, "mine");
    locker.close();
  });

  test("a file that is no database", async (t) => {
    const path = join(temporaryFolder(t), "store.db");
    writeFileSync(path, randomBytes(20_000));
    await assertRefused(path, /not a SQLite database/);
  });

  test("a text file that somebody needs", async (t) => {
    const path = join(temporaryFolder(t), "notes.txt");
    writeFileSync(path, "Dear diary");
    await assertRefused(path, /not a SQLite database/);
  });

  test("a database that was cut off", async (t) => {
    const path = await usedDatabase(t);
    truncateSync(path, Math.floor(statSync(path).size / 2 / 4_096) * 4_096);
    await assertRefused(path, /damaged/);
  });

  test("a database that was cut off in the middle of a page", async (t) => {
    const path = await usedDatabase(t);
    truncateSync(path, statSync(path).size - 1_000);
    await assertRefused(path, /damaged/);
  });

  test("a database with other bytes in its middle", async (t) => {
    const path = await usedDatabase(t);
    const bytes = readFileSync(path);
    // Three whole pages: SQLite has no checksums, so a flip within a value is a value.
    bytes.fill(0xa5, 4_096 * 6, 4_096 * 9);
    writeFileSync(path, bytes);
    await assertRefused(path, /damaged/);
  });

  test("a database whose first page is damaged", async (t) => {
    const path = await usedDatabase(t);
    const bytes = readFileSync(path);
    bytes.fill(0xff, 100, 1_000);
    writeFileSync(path, bytes);
    await assertRefused(path, /damaged/);
  });

  test("a folder that is not there", async (t) => {
    const folder = temporaryFolder(t);
    await assertRefused(join(folder, "missing", "store.db"), /folder.*does not exist/, {
      cwd: folder,
    });
  });

  test("a folder in the file's place", async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "store.db"));
    await assertRefused(join(folder, "store.db"), /store\.db is a folder/);
  });

  test("a folder that may not be written", async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o555);
    const path = join(folder, "store.db");
    await assertRefused(path, /can't be (written|opened).*(permissions|may not be written)/s, {
      ...(root ? { uid: NOBODY } : {}),
    });
  });

  test("a file that may be read only", async (t) => {
    const path = await usedDatabase(t);
    chmodSync(path, 0o444);
    // Its owner's own folder, where all else may be written.
    if (root) for (const owned of [path, resolve(path, "..")]) chownSync(owned, NOBODY, NOBODY);
    await assertRefused(path, /can't be (written|opened).*(permissions|may not be written)/s, {
      ...(root ? { uid: NOBODY } : {}),
    });
  });

  test("a file that may not be read", async (t) => {
    const path = await usedDatabase(t);
    chmodSync(resolve(path, ".."), 0o755);
    // Root's own; whoever else runs the tests takes the right from himself.
    chmodSync(path, 0o000);
    const before = root ? snapshot(resolve(path, "..")) : {};
    const { code, stderr } = await runPosthaste(["serve", tour, "--port", "0", "--store", path], {
      cwd: "/",
      ...(root ? { uid: NOBODY } : {}),
    });
    assert.equal(code, 1);
    assert.match(stderr, /can't be (read|opened)/);
    assert.doesNotMatch(stderr, /\n\s+at /);
    if (root) assert.deepEqual(snapshot(resolve(path, "..")), before);
  });

  for (const [address, sentence] of [
    [":memory:", /memory can't keep what it promises/],
    ["sqlite::memory:", /memory can't keep what it promises/],
    ["", /memory can't keep|--store/],
    ["file:FOLDER/shop.db?mode=memory", /mode=memory/],
    [
      "postgres://me:hunter2@localhost/shop",
      /postgres.*is not supported.*--store \.\/posthaste\.db/,
    ],
    ["sqllite:shop.db", /Did you mean "sqlite"\?/],
    ["file://elsewhere/shop.db", /elsewhere|address/],
  ] as const) {
    test(`the address ${JSON.stringify(address)}`, async (t) => {
      const cwd = temporaryFolder(t);
      const { stderr } = await assertRefused(address.replace("FOLDER", cwd), sentence, { cwd });
      assert.doesNotMatch(stderr, /hunter2/);
    });
  }

  test("a database that is not as declared any more, where that could lose data", async (t) => {
    const path = await usedDatabase(t);
    const database = new DatabaseSync(path);
    database.exec(
      "ALTER TABLE users ADD COLUMN nick TEXT; UPDATE users SET nick = 'x'; PRAGMA wal_checkpoint(TRUNCATE)",
    );
    database.close();
    await assertRefused(path, /users\.nick.*holds data.*posthaste migrate.*--drop users\.nick/s);
  });
});

suite("a store that is not there yet is made", { concurrency: 3 }, () => {
  test("where there is no file", async (t) => {
    const folder = temporaryFolder(t);
    await servePosthaste(t, [tour, "--store", "shop.db"], { cwd: folder });
    assert.ok(statSync(join(folder, "shop.db")).size > 0);
  });

  test("where there is an empty file", async (t) => {
    const path = join(temporaryFolder(t), "store.db");
    writeFileSync(path, "");
    const server = await servePosthaste(t, [tour, "--store", path], { cwd: "/" });
    assert.equal((await fetch(`${server.origin}/health/ready`)).status, 200);
  });

  for (const address of ["sqlite:shop.db", "sqlite://shop.db", "file:///FOLDER/shop.db"]) {
    test(`at the address ${address}`, async (t) => {
      const folder = temporaryFolder(t);
      const store = address.replace("/FOLDER", folder);
      const server = await servePosthaste(t, [tour, "--store", store], { cwd: folder });
      await server.end();
      assert.deepEqual(readdirSync(folder), ["shop.db"]);
    });
  }

  test("by a user who is not root", {
    skip: !root && "This user is not root anyway.",
  }, async (t) => {
    const folder = temporaryFolder(t);
    chownSync(folder, NOBODY, NOBODY);
    const server = await servePosthaste(t, [tour, "--store", join(folder, "store.db")], {
      cwd: folder,
      uid: NOBODY,
    });
    const made = await fetch(`${server.origin}/api/posts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"title":"a"}',
    });
    assert.equal(made.status, 201);
  });
});

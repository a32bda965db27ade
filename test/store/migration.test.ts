import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { anyone, api, type Resource, resource } from "posthaste";
import { z } from "zod";
import { compile } from "../../src/declare/compile.ts";
import { planStore } from "../../src/pipeline/service.ts";
import { temporaryFolder } from "../support/folder.ts";

const access = { create: anyone, read: anyone, update: anyone, delete: anyone };

const name = z.string();
const age = z.int().optional();

const users = (shape: z.ZodRawShape, options: Record<string, unknown> = {}) =>
  resource("users", { schema: z.object(shape), access, ...options });

/** A database that was made for some declarations, and what comes of changing them. */
function databaseFor(t: TestContext, ...declared: Resource[]) {
  const path = join(temporaryFolder(t), "store.db");
  const plan = (resources: readonly Resource[], drop: readonly string[] = []) =>
    planStore(
      compile(api(Object.fromEntries(resources.map((each) => [each.name, each])))),
      path,
      new Set(drop),
    );
  const look = (resources: readonly Resource[], drop?: readonly string[]) => {
    const found = plan(resources, drop);
    return {
      steps: found.steps.map(({ kind }) => kind),
      refusals: found.refusals.map(({ where }) => where),
      ways: found.refusals.map(({ wayOut }) => wayOut).join("\n"),
      reasons: found.refusals.map(({ reason }) => reason).join("\n"),
      notes: found.notes,
      sql: found.statements,
    };
  };
  const migrate = (resources: readonly Resource[], drop?: readonly string[]) => {
    const found = plan(resources, drop);
    assert.deepEqual(found.refusals, []);
    found.apply();
    assert.deepEqual(look(resources).steps, [], "a second migration finds nothing to do");
  };
  const run = (sql: string, ...values: (string | number | null)[]) => {
    const database = new DatabaseSync(path);
    try {
      return database
        .prepare(sql)
        .all(...values)
        .map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  };
  /** A record as the framework would have stored it. */
  const insert = (table: string, values: Record<string, string | number | null>) => {
    const all = { ...values, _version: 1, _created: 0, _updated: 0 };
    const names = Object.keys(all).map((key) => `"${key}"`);
    const sql = `INSERT INTO "${table}" (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")}) RETURNING id`;
    return run(sql, ...Object.values(all))[0]?.id;
  };
  const schema = () => run("SELECT type, name, sql FROM sqlite_schema ORDER BY name");
  migrate(declared);
  return { path, look, migrate, plan, run, insert, schema };
}

suite("what only adds is planned and done", () => {
  test("a fresh database gets tables, columns and indexes as declared", (t) => {
    const posts = resource("posts", {
      schema: z.object({
        title: z.string(),
        score: z.number(),
        done: z.boolean(),
        tags: z.array(z.string()),
      }),
      access,
      list: { filter: ["done"], sort: ["score"] },
    });
    const comments = resource("order-items", {
      schema: z.object({ text: z.string() }),
      access,
      id: "uuid",
      parent: { post: posts },
      onParentDelete: "cascade",
    });
    const { run } = databaseFor(t, users({ name, age }, { unique: ["name"] }), posts, comments);
    const columns = (table: string) =>
      run("SELECT name, type FROM pragma_table_info(?)", table).map(
        (column) => `${column.name} ${column.type}`,
      );
    assert.deepEqual(columns("posts"), [
      "id INTEGER",
      "title TEXT",
      "score REAL",
      "done BOOLEAN",
      "tags JSON_TEXT",
      "_version INTEGER",
      "_created INTEGER",
      "_updated INTEGER",
    ]);
    assert.deepEqual(columns("order_items").slice(0, 3), [
      "id TEXT",
      "text TEXT",
      "postId INTEGER",
    ]);
    const indexes = run(`
      SELECT tables.name || ' (' || group_concat(info.name, ', ') || ')' AS over, list."unique" AS one
      FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS list, pragma_index_info(list.name) AS info
      WHERE list.origin = 'c' AND tables.name NOT LIKE 'posthaste%' GROUP BY list.name ORDER BY over
    `);
    assert.deepEqual(indexes, [
      { over: "order_items (postId)", one: 0 },
      { over: "posts (done)", one: 0 },
      { over: "posts (score)", one: 0 },
      { over: "users (name)", one: 1 },
    ]);
    assert.deepEqual(run("SELECT on_delete FROM pragma_foreign_key_list('order_items')"), [
      { on_delete: "CASCADE" },
    ]);
  });

  test("a new optional field becomes a column, empty in old records", (t) => {
    const { look, migrate, insert, run } = databaseFor(t, users({ name }));
    insert("users", { name: "a" });
    assert.deepEqual(look([users({ name, age })]).steps, ["add-column"]);
    migrate([users({ name, age })]);
    assert.deepEqual(run("SELECT name, age FROM users"), [{ name: "a", age: null }]);
  });

  test("a new field with a default fills it into old records", (t) => {
    const { migrate, insert, run } = databaseFor(t, users({ name }));
    insert("users", { name: "a" });
    migrate([
      users({
        name,
        state: z.enum(["new", "it's old"]).default("it's old"),
        score: z.number().default(1.5),
        done: z.boolean().default(true),
        tags: z.array(z.string()).default(["a", "b"]),
        note: z.string().nullable().default(null),
      }),
    ]);
    assert.deepEqual(run("SELECT state, score, done, tags, note FROM users"), [
      { state: "it's old", score: 1.5, done: 1, tags: '["a","b"]', note: null },
    ]);
  });

  test("a new index, and one that is not declared any more", (t) => {
    const { look, migrate, insert } = databaseFor(t, users({ name, age }));
    insert("users", { name: "a", age: 1 });
    const listed = users({ name, age }, { list: { filter: ["age"] } });
    assert.deepEqual(look([listed]).steps, ["create-index"]);
    migrate([listed]);
    assert.deepEqual(look([users({ name, age })]).steps, ["drop-index"]);
    migrate([users({ name, age })]);
  });

  test("a field that becomes unique, where no two records share a value", (t) => {
    const { migrate, insert } = databaseFor(t, users({ name, age }));
    insert("users", { name: "a", age: null });
    insert("users", { name: "b", age: null });
    migrate([users({ name, age }, { unique: ["name", "age"] })]);
    assert.throws(() => insert("users", { name: "b", age: 1 }), /UNIQUE/);
  });

  test("a required field that becomes optional needs nothing", (t) => {
    const { look, insert } = databaseFor(t, users({ name }));
    insert("users", { name: "a" });
    assert.deepEqual(look([users({ name: name.optional() })]).steps, []);
  });

  test("a field that no record ever had leaves without a word", (t) => {
    const { look, insert } = databaseFor(t, users({ name, age }));
    insert("users", { name: "a", age: null });
    assert.deepEqual(look([users({ name })]).refusals, []);
  });

  test("a new required field, where there are no records", (t) => {
    const { look, migrate, insert } = databaseFor(t, users({ name }));
    const both = users({ name, email: z.string() }, { unique: ["email"] });
    assert.deepEqual(look([both]).refusals, []);
    migrate([both]);
    insert("users", { name: "a", email: "b" });
  });

  test("any change, where there are no records", (t) => {
    const posts = resource("posts", { schema: z.object({ title: z.string() }), access });
    const { migrate } = databaseFor(t, users({ name, age }), posts);
    migrate([posts, users({ name: z.int() }, { id: "uuid", parent: { post: posts } })]);
  });
});

suite("what could lose or break data is refused, with the way out", () => {
  test("a new required field without a default", (t) => {
    const { look, insert } = databaseFor(t, users({ name }));
    insert("users", { name: "a" });
    const { refusals, ways } = look([users({ name, email: z.string() })]);
    assert.deepEqual(refusals, ["users.email"]);
    assert.match(ways, /default.*optional/);
  });

  test("a field that is gone, while records have values of it", (t) => {
    const { look, migrate, insert, run } = databaseFor(
      t,
      users({ name, age }, { list: { filter: ["age"] } }),
    );
    insert("users", { name: "a", age: 7 });
    const { refusals, ways } = look([users({ name })]);
    assert.deepEqual(refusals, ["users.age"]);
    assert.match(ways, /hidden: \["age"\]/);
    assert.match(ways, /posthaste migrate --drop users\.age/);
    migrate([users({ name })], ["users.age"]);
    assert.deepEqual(Object.keys(run("SELECT * FROM users")[0]!), [
      "id",
      "name",
      "_version",
      "_created",
      "_updated",
    ]);
  });

  test("a field of another type", (t) => {
    const options = { unique: ["age"] };
    const { look, migrate, insert, run } = databaseFor(t, users({ name, age }, options));
    insert("users", { name: "a", age: 7 });
    const changed = users({ name, age: z.string().optional() }, options);
    const { refusals, reasons, ways } = look([changed]);
    assert.deepEqual(refusals, ["users.age"]);
    assert.match(reasons, /INTEGER.*string/);
    assert.match(ways, /--drop users\.age/);
    migrate([changed], ["users.age"]);
    assert.deepEqual(run("SELECT age FROM users"), [{ age: null }]);
    insert("users", { name: "b", age: "seven" });
    assert.throws(() => insert("users", { name: "c", age: "seven" }), /UNIQUE/);
  });

  test("a field that becomes required, while records lack it", (t) => {
    const { look, insert } = databaseFor(t, users({ name, age }));
    insert("users", { name: "a", age: 7 });
    assert.deepEqual(look([users({ name, age: z.int() })]).refusals, []);
    insert("users", { name: "b", age: null });
    const { refusals, ways } = look([users({ name, age: z.int() })]);
    assert.deepEqual(refusals, ["users.age"]);
    assert.match(ways, /Fill/);
  });

  test("a field that becomes unique, while records share a value", (t) => {
    const { look, insert } = databaseFor(t, users({ name, age }));
    insert("users", { name: "a", age: 1 });
    insert("users", { name: "a", age: 2 });
    assert.deepEqual(look([users({ name, age }, { unique: ["age"] })]).refusals, []);
    assert.deepEqual(look([users({ name, age }, { unique: [["name", "age"]] })]).refusals, []);
    const { refusals, reasons } = look([users({ name, age }, { unique: ["name"] })]);
    assert.deepEqual(refusals, ["users.unique"]);
    assert.match(reasons, /name/);
  });

  test("a new unique field whose default several records would share", (t) => {
    const { look, migrate, insert } = databaseFor(t, users({ name }));
    const coded = users({ name, code: z.string().default("none") }, { unique: ["code"] });
    insert("users", { name: "a" });
    insert("users", { name: "b" });
    assert.deepEqual(look([coded]).refusals, ["users.unique"]);
    migrate([users({ name, code: z.string().optional() }, { unique: ["code"] })]);
  });

  test("ids of another kind", (t) => {
    const { look, insert } = databaseFor(t, users({ name }));
    insert("users", { name: "a" });
    const { refusals, ways } = look([users({ name }, { id: "uuid" })]);
    assert.deepEqual(refusals, ["users.id"]);
    assert.match(ways, /another name/);
  });

  test("another parent, or another word on what its deletion does", (t) => {
    const posts = resource("posts", { schema: z.object({ title: z.string() }), access });
    const blogs = resource("blogs", { schema: z.object({ title: z.string() }), access });
    const comments = (options: Record<string, unknown>) =>
      resource("comments", { schema: z.object({ text: z.string() }), access, ...options });
    const under = comments({ parent: { post: posts } });
    const { look, insert } = databaseFor(t, posts, blogs, under);
    const post = insert("posts", { title: "a" });
    insert("comments", { text: "b", postId: Number(post) });
    for (const changed of [
      comments({ parent: { blog: blogs } }),
      comments({}),
      comments({ parent: { post: posts }, onParentDelete: "cascade" }),
    ]) {
      assert.deepEqual(look([posts, blogs, changed]).refusals, ["comments"]);
    }
  });

  test("everything at once is told at once", (t) => {
    const { look, insert } = databaseFor(t, users({ name, age }));
    insert("users", { name: "a", age: 1 });
    insert("users", { name: "a", age: null });
    const { refusals } = look([users({ name, email: z.string() }, { unique: ["name"] })]);
    assert.deepEqual(refusals.sort(), ["users.age", "users.email", "users.unique"]);
  });
});

suite("what is not declared any more", () => {
  test("a table is left alone, with a note how to remove it", (t) => {
    const posts = resource("posts", { schema: z.object({ title: z.string() }), access });
    const { look, migrate, insert, run } = databaseFor(t, users({ name }), posts);
    insert("posts", { title: "kept" });
    const { steps, refusals, notes } = look([users({ name })]);
    assert.deepEqual([...steps, ...refusals], []);
    assert.match(notes.join("\n"), /"posts".*left alone.*posthaste migrate --drop posts/);
    assert.deepEqual(run("SELECT title FROM posts"), [{ title: "kept" }]);
    migrate([users({ name })], ["posts"]);
    assert.deepEqual(run("SELECT name FROM sqlite_schema WHERE name = 'posts'"), []);
  });

  test("a table of somebody else is left alone without a word", (t) => {
    const { look, run } = databaseFor(t, users({ name }));
    run("CREATE TABLE theirs (x TEXT)");
    const { steps, refusals, notes } = look([users({ name })]);
    assert.deepEqual([...steps, ...refusals, ...notes], []);
  });

  test("a table that records of another still refer to is not dropped", (t) => {
    const posts = resource("posts", { schema: z.object({ title: z.string() }), access });
    const comments = resource("comments", {
      schema: z.object({ text: z.string() }),
      access,
      parent: { post: posts },
    });
    const { plan, insert, run } = databaseFor(t, users({ name }), posts, comments);
    const post = insert("posts", { title: "a" });
    insert("comments", { text: "b", postId: Number(post) });
    const found = plan([users({ name })], ["posts"]);
    assert.match(found.refusals.map(({ where }) => where).join(), /posts/);
    assert.deepEqual(run("SELECT title FROM posts"), [{ title: "a" }]);
  });
});

suite("a plan", () => {
  test("is what is done, and changes nothing until then", (t) => {
    const { look, schema, migrate, run } = databaseFor(t, users({ name }));
    run("INSERT INTO users (name, _version, _created, _updated) VALUES ('a', 1, 0, 0)");
    const before = schema();
    const { sql } = look([users({ name, age }, { list: { sort: ["age"] } })]);
    assert.equal(sql.length, 2);
    assert.equal(sql[0], 'ALTER TABLE "users" ADD COLUMN "age" INTEGER');
    assert.match(sql[1]!, /^CREATE INDEX "\S+" ON "users" \("age"\)$/);
    assert.deepEqual(schema(), before);
    migrate([users({ name, age }, { list: { sort: ["age"] } })]);
    assert.notDeepEqual(schema(), before);
  });

  test("is done as a whole or not at all", (t) => {
    const { plan, schema, insert, run } = databaseFor(t, users({ name }));
    insert("users", { name: "a" });
    const posts = resource("posts", { schema: z.object({ title: z.string() }), access });
    const { apply } = plan([posts, users({ name, age, old: age })]);
    // Somebody else was faster with a part of it.
    run("ALTER TABLE users ADD COLUMN old INTEGER");
    const before = schema();
    assert.throws(apply, /old/);
    assert.deepEqual(schema(), before);
  });

  test("gives every index of a declaration a name of its own", (t) => {
    // Three of these would share a name if it were the names joined: within a table, and across.
    const a = resource("a", {
      schema: z.object({ b_c: z.string(), b: z.string(), c: z.string() }),
      access,
      unique: ["b_c", ["b", "c"]],
      list: { filter: ["b", "c"] },
    });
    const ab = resource("a-b", {
      schema: z.object({ c: z.string() }),
      access,
      unique: ["c"],
      list: { filter: ["c"] },
    });
    const { run, insert } = databaseFor(t, a, ab);
    assert.equal(
      run(
        "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%UNIQUE%' AND tbl_name NOT LIKE 'posthaste%'",
      )[0]?.n,
      3,
    );
    insert("a", { b_c: "1", b: "2", c: "3" });
    assert.throws(() => insert("a", { b_c: "1", b: "4", c: "5" }), /UNIQUE/);
    assert.throws(() => insert("a", { b_c: "6", b: "2", c: "3" }), /UNIQUE/);
  });

  test("never gives the id of a deleted record again, also where it makes a table anew", (t) => {
    const { migrate, insert, run } = databaseFor(t, users({ name }));
    assert.equal(insert("users", { name: "a" }), 1);
    assert.equal(insert("users", { name: "b" }), 2);
    run("DELETE FROM users");
    migrate([users({ name, email: z.string() })]);
    assert.equal(insert("users", { name: "c", email: "d" }), 3);
  });

  test("names with a special meaning in SQL are names like any other", (t) => {
    const words = resource("order", {
      schema: z.object({ select: z.string(), from: z.int().optional() }),
      access,
      unique: ["select"],
    });
    const { migrate, insert, run } = databaseFor(t, words);
    insert("order", { select: "a", from: 1 });
    migrate([
      resource("order", {
        schema: z.object({ select: z.string(), from: z.int().optional(), group: age }),
        access,
        unique: ["select"],
        list: { sort: ["from"] },
      }),
    ]);
    assert.deepEqual(run('SELECT "select" AS s FROM "order"'), [{ s: "a" }]);
  });
});

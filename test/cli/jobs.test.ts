import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { action, anyone, api, JobFailure, job, workflow } from "posthaste";
import { z } from "zod";
import { cleanEnvironment, posthasteFromSource, runPosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Row, type Served, serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";

const ESCAPE = String.fromCharCode(27);
const NOBODY = "00000000-0000-7000-8000-000000000000";

/** An API whose jobs do what their test wants; each test has its own. */
function workshop() {
  const mended = new Set<string>();
  const aborted: string[] = [];
  const chore = job("chore", {
    input: z.object({ name: z.string() }),
    run: ({ input: { name } }) => {
      if (!name.startsWith("broken") || mended.has(name)) return { did: name };
      throw new JobFailure("broken", `The chore ${name} can't be done.`);
    },
  });
  const watch = job("watch", {
    input: z.object({ name: z.string() }),
    run: ({ input: { name }, signal, progress }) => {
      progress({ half: true });
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted.push(name);
          reject(signal.reason);
        });
      });
    },
  });
  const journey = workflow("journey", {
    input: z.object({}),
    run: async ({ step }) => {
      await step.run("pack", () => "bag");
      await step.run("travel", () => "there");
      await step.sleep("rest", "1 day");
    },
  });
  const make = action("make", {
    input: z.object({
      kind: z.enum(["chore", "watch"]),
      name: z.string(),
      delay: z.boolean().default(false),
      unique: z.string().optional(),
    }),
    output: z.object({ id: z.string() }),
    access: anyone,
    run: ({ input: { kind, name, delay, unique }, enqueue }) =>
      enqueue(
        { chore, watch }[kind],
        { name },
        { ...(delay ? { delay: "1 hour" } : {}), ...(unique === undefined ? {} : { unique }) },
      ),
  });
  const travel = action("travel", { access: anyone, starts: journey, run: () => ({}) });
  return { api: api({ make, travel, chore, watch, journey }), mended, aborted };
}

interface Workshop extends ReturnType<typeof workshop> {
  readonly served: Served;
  readonly folder: string;
  /** @returns the id of the job, once it is in the state */
  make(kind: "chore" | "watch", name: string, state: string, more?: object): Promise<string>;
  /** Resolves when the job is in the state. */
  becomes(id: string, state: string): Promise<Row>;
  /** `posthaste jobs …` on the store, as a process of its own. */
  jobs(...args: string[]): ReturnType<typeof runPosthaste>;
}

async function open(t: TestContext): Promise<Workshop> {
  const shop = workshop();
  const folder = temporaryFolder(t);
  const store = join(folder, "posthaste.db");
  // Looked at so often that nobody waits for it.
  const served = await serve(t, shop.api, { store, beatMs: 25, jobGraceMs: 0 });
  const becomes = (id: string, state: string) =>
    eventually(8_000, `${id} is ${state}`, () =>
      served.rows("posthaste_jobs").find((row) => row.id === id && row.state === state),
    );
  return {
    ...shop,
    served,
    folder,
    becomes,
    make: async (kind, name, state, more = {}) => {
      const answer = await served.post("/make", { kind, name, ...more });
      assert.equal(answer.status, 200, answer.text);
      const { id } = answer.body as { id: string };
      await becomes(id, state);
      return id;
    },
    jobs: (...args) => runPosthaste(["jobs", ...args], { cwd: folder }),
  };
}

const lines = (text: string) => text.trimEnd().split("\n");

suite("posthaste jobs list", { concurrency: 2 }, () => {
  test("shows the newest first, in plain text to a pipe, beside a server that uses the store", async (t) => {
    const { make, jobs } = await open(t);
    const done = await make("chore", "one", "done");
    const failed = await make("chore", "broken", "failed");
    const waits = await make("chore", "later", "scheduled", { delay: true });
    const runs = await make("watch", "door", "running");
    const { code, stdout, stderr } = await jobs("list");
    assert.equal(code, 0, stderr);
    assert.ok(!stdout.includes(ESCAPE));
    const [head, ...rows] = lines(stdout);
    assert.match(head!, /^id +kind +state +tries +made$/);
    assert.deepEqual(
      rows.map((row) => row.split(/ +/).slice(0, 4)),
      [
        [runs, "watch", "running", "1"],
        [waits, "chore", "scheduled", "0"],
        [failed, "chore", "failed", "1"],
        [done, "chore", "done", "1"],
      ],
    );
    assert.match(rows[2]!, /\dZ {2}JobFailure: The chore broken can't be done\.$/);
    assert.match(rows[3]!, /\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test("takes a state, a kind and a number of them", async (t) => {
    const { make, jobs } = await open(t);
    await make("chore", "one", "done");
    await make("chore", "two", "done");
    await make("chore", "broken", "failed");
    await make("watch", "door", "running");
    const kinds = async (...args: string[]) => {
      const { code, stdout, stderr } = await jobs("list", "--json", ...args);
      assert.equal(code, 0, stderr);
      return (JSON.parse(stdout) as { kind: string; state: string }[]).map(
        ({ kind, state }) => `${kind} ${state}`,
      );
    };
    assert.deepEqual(await kinds("--state", "failed"), ["chore failed"]);
    assert.deepEqual(await kinds("--kind", "watch"), ["watch running"]);
    assert.deepEqual(await kinds("--kind", "chore", "--state", "done"), [
      "chore done",
      "chore done",
    ]);
    assert.deepEqual(await kinds("--limit", "2"), ["watch running", "chore failed"]);
    assert.deepEqual(await kinds("--kind", "nothing"), []);
    const cut = await jobs("list", "--limit", "3");
    assert.equal(lines(cut.stdout).at(-1), "The newest 3; --limit shows more.");
    const none = await jobs("list", "--state", "cancelled");
    assert.deepEqual([none.code, none.stdout], [0, "There is no such job.\n"]);
  });

  test("is coloured in a terminal, where no error can speak to it", async (t) => {
    const script = "/usr/bin/script";
    if (!existsSync(script)) {
      t.skip(`No ${script} here to make a terminal with (Debian: bsdutils).`);
      return;
    }
    const { make, folder } = await open(t);
    const id = await make("chore", `broken${ESCAPE}]0;owned\u0007\u009b31m`, "failed");
    const shown = async (...args: string[]) => {
      const line = ["exec", process.execPath, ...posthasteFromSource, "jobs", ...args].join(" ");
      const { stdout } = await promisify(execFile)(script, ["-qec", line, "/dev/null"], {
        cwd: folder,
        env: { ...cleanEnvironment(), TERM: "xterm-256color" },
      });
      return stdout;
    };
    const list = await shown("list");
    assert.ok(list.includes(`${ESCAPE}[31mfailed`), JSON.stringify(list));
    const details = await shown("show", id);
    assert.ok(details.includes(`${ESCAPE}[1mstate`), JSON.stringify(details));
    for (const text of [list, details]) {
      assert.ok(text.includes("broken\\u001b]0;owned\\u0007\\u009b31m"), JSON.stringify(text));
      for (const control of [`${ESCAPE}]`, "\u0007", "\u009b"]) assert.ok(!text.includes(control));
    }
  });
});

suite("posthaste jobs show", { concurrency: 2 }, () => {
  test("tells everything about a job", async (t) => {
    const { make, jobs, served } = await open(t);
    const failed = await make("chore", "broken", "failed");
    const { stdout } = await jobs("show", failed);
    const facts = new Map(
      lines(stdout).map((line) => [line.slice(0, 10).trimEnd(), line.slice(12)]),
    );
    assert.equal(facts.get("id"), failed);
    assert.equal(facts.get("kind"), "chore");
    assert.equal(facts.get("state"), "failed");
    assert.equal(facts.get("attempts"), "1");
    assert.equal(facts.get("input"), '{"name":"broken"}');
    assert.match(facts.get("failure")!, /"code":"broken"/);
    assert.match(facts.get("error")!, /^JobFailure: The chore broken can't be done\./);
    for (const time of ["made", "started", "finished"])
      assert.ok(Number.isFinite(Date.parse(facts.get(time)!)), time);
    assert.ok(!facts.has("result") && !facts.has("owner") && !facts.has("due"));

    const started = await served.request("POST", "/travel");
    const { id } = started.body as { id: string };
    await eventually(5_000, "it rests", () =>
      served.rows("posthaste_jobs").some((row) => row.id === id && row.state === "scheduled"),
    );
    const travelling = (await jobs("show", id)).stdout;
    assert.match(travelling, /^operation +travel$/m);
    assert.match(travelling, /^due +\d{4}-/m);
    const [, steps] = /^steps done +(.+)$/m.exec(travelling)!;
    assert.deepEqual(steps!.split(", ").sort(), ["pack", "rest", "travel"]);
  });

  test("is JSON for programs, steps included", async (t) => {
    const { make, jobs, served } = await open(t);
    const id = await make("chore", "one", "done");
    const { code, stdout } = await jobs("show", id, "--json");
    assert.equal(code, 0);
    const shown = JSON.parse(stdout) as Row;
    const { createdAt, startedAt, finishedAt, runAt, number, ...rest } = shown;
    for (const time of [createdAt, startedAt, finishedAt, runAt])
      assert.ok(Math.abs(Number(time) - Date.now()) < 60_000, String(time));
    assert.equal(number, 1);
    assert.deepEqual(rest, {
      id,
      kind: "chore",
      state: "done",
      input: { name: "one" },
      attempt: 1,
      priority: 0,
      result: { did: "one" },
      cancelling: false,
      steps: [],
    });
    const { id: journey } = (await served.request("POST", "/travel")).body as { id: string };
    await eventually(5_000, "it rests", () =>
      served.rows("posthaste_jobs").some((row) => row.id === journey && row.state === "scheduled"),
    );
    const { steps } = JSON.parse((await jobs("show", journey, "--json")).stdout) as Row;
    assert.deepEqual((steps as string[]).sort(), ["pack", "rest", "travel"]);
  });
});

suite("posthaste jobs retry", { concurrency: 2 }, () => {
  test("lets a running server do what had failed or was cancelled, with all attempts again", async (t) => {
    const { make, jobs, becomes, mended } = await open(t);
    const failed = await make("chore", "broken", "failed");
    mended.add("broken");
    const again = await jobs("retry", failed);
    assert.deepEqual([again.code, again.stdout], [0, `chore ${failed} is ready again.\n`]);
    const done = await becomes(failed, "done");
    assert.equal(done.attempt, 1);
    assert.deepEqual([done.failure, done.error], [null, null]);

    const waits = await make("chore", "later", "scheduled", { delay: true });
    assert.equal((await jobs("cancel", waits)).code, 0);
    assert.equal((await jobs("retry", waits)).code, 0);
    await becomes(waits, "done");
  });

  test("works on a store that nobody uses: the next server does it", async (t) => {
    const { make, jobs, served, folder } = await open(t);
    const id = await make("chore", "broken", "failed");
    await served.close();
    const { code, stdout } = await jobs("retry", id);
    assert.deepEqual([code, stdout], [0, `chore ${id} is ready again.\n`]);
    assert.match((await jobs("list")).stdout, new RegExp(`${id} +chore +ready +0 `));
    assert.deepEqual(readdirSync(folder), ["posthaste.db"], "the store is closed behind it");
    const { api: declared, mended } = workshop();
    mended.add("broken");
    const next = await serve(t, declared, { store: join(folder, "posthaste.db") });
    await eventually(5_000, "it is done", () =>
      next.rows("posthaste_jobs").some((row) => row.id === id && row.state === "done"),
    );
  });

  test("refuses a job that needs no retry, and one whose unique key is taken", async (t) => {
    const { make, jobs, becomes } = await open(t);
    const done = await make("chore", "one", "done");
    const refused = await jobs("retry", done);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^Only what failed or was cancelled .* this job is done\.\n$/);

    const old = await make("chore", "broken", "failed", { unique: "k" });
    const now = await make("chore", "later", "scheduled", { unique: "k", delay: true });
    const taken = await jobs("retry", old);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /^Another chore with the same unique key waits or runs\..*\n$/);
    await becomes(old, "failed");
    await becomes(now, "scheduled");
  });
});

suite("posthaste jobs cancel", { concurrency: 2 }, () => {
  test("cancels a job that waits, and tells one that runs to end", async (t) => {
    const { make, jobs, becomes, aborted } = await open(t);
    const waits = await make("chore", "later", "scheduled", { delay: true });
    const runs = await make("watch", "door", "running");
    const one = await jobs("cancel", waits);
    assert.deepEqual([one.code, one.stdout], [0, `chore ${waits} is cancelled.\n`]);
    await becomes(waits, "cancelled");
    const two = await jobs("cancel", runs);
    assert.equal(two.code, 0);
    assert.equal(two.stdout, `watch ${runs} runs; the server that runs it is told to end it.\n`);
    await becomes(runs, "cancelled");
    assert.deepEqual(aborted, ["door"]);
    const three = await jobs("cancel", runs);
    assert.equal(three.code, 1);
    assert.match(three.stderr, /^There is nothing to cancel: the job is cancelled\.\n$/);
  });

  test("works on a store that nobody uses", async (t) => {
    const { make, jobs, served } = await open(t);
    const id = await make("chore", "later", "scheduled", { delay: true });
    await served.close();
    assert.equal((await jobs("cancel", id)).stdout, `chore ${id} is cancelled.\n`);
    assert.match((await jobs("list", "--state", "cancelled")).stdout, new RegExp(id));
  });
});

suite("posthaste jobs with something wrong", { concurrency: 2 }, () => {
  test("in its arguments is told in a sentence", async (t) => {
    const { make, jobs } = await open(t);
    await make("chore", "one", "done");
    for (const [args, sentence] of [
      [["show", NOBODY], /^There is no job 0{8}-.* posthaste jobs list shows them\.\n$/],
      [["retry", "x"], /^There is no job x\./],
      [["cancel", NOBODY], /^There is no job 0{8}-/],
      [["list", "--state", "dead"], /^There is no state "dead": the states are scheduled, ready,/],
      [["list", "--limit", "0"], /^--limit takes a whole number of jobs, and got "0"\.\n$/],
      [["list", "--limit", "many"], /got "many"/],
      [["list", "--limit", "1.5"], /got "1\.5"/],
      [["show"], /missing required argument 'id'/],
      [["lst"], /unknown command 'lst'.*Did you mean list\?/s],
    ] as const) {
      const { code, stdout, stderr } = await jobs(...args);
      assert.equal(code, 1, args.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });

  test("with its store is told in a sentence, and nothing is made or changed", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "notes.txt"), "No database at all. ".repeat(100));
    const other = new DatabaseSync(join(folder, "other.db"));
    other.exec("CREATE TABLE things (id INTEGER)");
    other.close();
    const before = readdirSync(folder);
    for (const [store, sentence] of [
      ["nothing.db", /^There is no database nothing\.db\. Name it with --store\.\n$/],
      ["sqlite:nothing.db", /^There is no database sqlite:nothing\.db\./],
      [`file://${folder}/nothing.db`, /^There is no database file:/],
      ["notes.txt", /notes\.txt is not a SQLite database\./],
      [".", /is a folder\. Name a file in it/],
      ["other.db", /^The database other\.db has no jobs yet: serve the API with it once\.\n$/],
      ["postgres://db", /^A store at postgres: is not supported\./],
      [":memory:", /^A store in memory can't keep what it promises\./],
    ] as const) {
      const command = store === "other.db" ? ["retry", NOBODY] : ["list"];
      const args = ["jobs", ...command, "--store", store];
      const { code, stdout, stderr } = await runPosthaste(args, { cwd: folder });
      assert.equal(code, 1, store);
      assert.equal(stdout, "");
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
    assert.deepEqual(readdirSync(folder), before);
  });
});

suite("The store of posthaste jobs", () => {
  test("is that of POSTHASTE_STORE, and --store wins over it", async (t) => {
    const { make, folder } = await open(t);
    const id = await make("chore", "one", "done");
    const elsewhere = temporaryFolder(t);
    const list = (env: Record<string, string>, ...args: string[]) =>
      runPosthaste(["jobs", "list", ...args], { cwd: elsewhere, env });
    const store = join(folder, "posthaste.db");
    const byEnvironment = await list({ POSTHASTE_STORE: store });
    assert.match(byEnvironment.stdout, new RegExp(id));
    const byOption = await list({ POSTHASTE_STORE: "nothing.db" }, "--store", `file://${store}`);
    assert.match(byOption.stdout, new RegExp(id));
  });
});

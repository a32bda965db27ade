import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { action, anyone, api, job, nobody, resource, workflow } from "posthaste";
import type { SMTPServerOptions } from "smtp-server";
import { z } from "zod";
import { messageId } from "../../src/mail/message-id.ts";
import { runPosthaste, servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Row, type Served, serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";
import { readMime } from "./mime.ts";
import { type Received, type Receiver, receiveMail } from "./receiver.ts";

const tour = resolve(import.meta.dirname, "../../examples/tour/api.ts");

const input = z.object({ to: z.string(), subject: z.string() });
const patient = {
  attempts: 1_000,
  backoff: { first: "20 milliseconds", most: "50 milliseconds" },
} as const;

/** One mail. */
const note = job("note", {
  input,
  ...patient,
  run: ({ input: { to, subject }, mail }) => mail.send({ to, subject, text: "Hello" }),
});

/** Two mails, and one with a key of its own; the first attempt fails behind them. */
const three = job("three", {
  input,
  ...patient,
  run: async ({ input: { to, subject }, mail, attempt }) => {
    await mail.send({ to, subject: `${subject} 1`, text: "Hello" });
    await mail.send({ to, subject: `${subject} 2`, text: "Hello" });
    const idempotencyKey = "of-my-own";
    await mail.send({ to, subject: `${subject} 3`, text: "Hello", idempotencyKey });
    if (attempt === 1) throw new Error("The first attempt fails.");
  },
});

/** A mail in each of two steps; only the second one can fail. */
const steps = workflow("steps", {
  input,
  ...patient,
  run: async ({ input: { to, subject }, step }) => {
    for (const name of ["first", "second"]) {
      await step.run(name, ({ mail }) =>
        mail.send({ to, subject: `${subject} ${name}`, text: "" }),
      );
    }
  },
});

const signed = job("signed", {
  input,
  ...patient,
  run: ({ input: { to, subject }, mail }) =>
    mail.send({ to, subject, text: "Hello", from: "Sales <sales@shop.example>" }),
});

/** Makes a job of the kind for each record, and then fails in the way that the record says. */
const requests = resource("requests", {
  schema: input.extend({
    kind: z.enum(["note", "three", "steps", "signed"]),
    ends: z.enum(["succeed", "refuse", "throw"]).default("succeed"),
  }),
  access: { create: anyone, read: anyone, update: nobody, delete: nobody },
  created: async ({ row: { kind, to, subject, ends }, enqueue, fail }) => {
    await enqueue({ note, three, steps, signed }[kind], { to, subject });
    if (ends === "refuse") fail("/ends", "refused");
    if (ends === "throw") throw new Error("The hook fails.");
  },
});

const send = action("send", { input, access: anyone, starts: note, run: (given) => given.input });

const declarations = { requests, note, three, steps, signed, send };
const plain = api(declarations);
const shop = api(declarations, { mail: { from: "Shop <shop@shop.example>" } });

/** Without STARTTLS: the certificate of these servers is trusted by nobody. */
const receive = (t: TestContext, options: SMTPServerOptions = {}) =>
  receiveMail(t, { disabledCommands: ["STARTTLS"], ...options });

const address = ({ port }: { readonly port: number }) => `smtp://127.0.0.1:${port}`;
const alice = "alice@example.com";

const header = ({ raw }: Pick<Received, "raw">, name: string) => readMime(raw).headers.get(name);
const subjects = ({ mails }: Receiver) => mails.map((mail) => header(mail, "subject")).sort();

function jobs(served: Served, state?: string): Row[] {
  const rows = served.rows("posthaste_jobs");
  return state === undefined ? rows : rows.filter((row) => row.state === state);
}

const settled = (served: Served, count: number, state = "done") =>
  eventually(8_000, `${count} jobs are ${state}: ${JSON.stringify(jobs(served))}`, () =>
    jobs(served, state).length === count ? jobs(served, state) : undefined,
  );

/** A server that refuses what a mail's subject says, the number of times that it says. */
async function refusing(t: TestContext, responseCode: number, subject: string, times: number) {
  const attempts: { subject: string | undefined; messageId: string | undefined }[] = [];
  let refusals = 0;
  const receiver = await receive(t, {
    onData(stream, _session, done) {
      let raw = "";
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        raw += chunk;
      });
      stream.on("end", () => {
        const said = header({ raw }, "subject");
        attempts.push({ subject: said, messageId: header({ raw }, "message-id") });
        if (said !== subject || refusals >= times) return done();
        refusals += 1;
        done(Object.assign(new Error("not now, or not ever"), { responseCode }));
      });
    },
  });
  return { ...receiver, attempts };
}

suite("Mail of jobs", { concurrency: 2 }, () => {
  test("is sent where the request was committed, and only there", async (t) => {
    const receiver = await receive(t);
    const served = await serve(t, shop, { mail: address(receiver) });
    const make = (ends: string) =>
      served.post("/requests", { to: alice, subject: ends, kind: "note", ends });
    assert.equal((await make("refuse")).status, 422);
    assert.equal((await make("throw")).status, 500);
    assert.equal((await make("succeed")).status, 201);
    await settled(served, 1);
    assert.deepEqual(subjects(receiver), ["succeed"]);
    assert.equal(jobs(served).length, 1, "what was rolled back left no job that could still send");
    assert.equal(served.rows("requests").length, 1);
    const [mail] = receiver.mails;
    assert.deepEqual(mail!.to, [alice]);
    assert.match(readMime(mail!.raw).body.toString(), /^Hello/);
  });

  test("has the same Message-ID at each attempt, until it is accepted", async (t) => {
    const receiver = await refusing(t, 451, "later", 2);
    const served = await serve(t, shop, { mail: address(receiver) });
    await served.post("/requests", { to: alice, subject: "later", kind: "note" });
    const [done] = await settled(served, 1);
    assert.equal(done!.attempt, 3);
    const { attempts } = receiver;
    assert.equal(attempts.length, 3);
    const expected = messageId(`${done!.id}:mail-1`, "shop.example");
    assert.deepEqual(
      attempts.map((each) => each.messageId),
      [expected, expected, expected],
    );
    const retried = served.observed.filter(({ event }) => event === "job.retried");
    assert.deepEqual(
      retried.map(({ kind, attempt }) => [kind, attempt]),
      [
        ["note", 1],
        ["note", 2],
      ],
    );
  });

  test("that was refused for good is a dead letter at once, and others go on", async (t) => {
    const receiver = await refusing(t, 550, "never", 1_000);
    const served = await serve(t, shop, { mail: address(receiver) });
    const refused = await served.post("/send", { to: alice, subject: "never" });
    assert.equal(refused.status, 202);
    await served.post("/send", { to: alice, subject: "other" });
    const [dead] = await settled(served, 1, "failed");
    assert.equal(dead!.attempt, 1);
    assert.match(String(dead!.error), /refused the mail: 550 not now, or not ever/);
    await settled(served, 1);
    const monitor = await served.get(refused.header("location")!);
    const { state, failure } = monitor.body as { state: string; failure: object };
    assert.equal(state, "failed");
    assert.deepEqual(failure, { code: "failed", detail: "Gave up after one attempt." });
    assert.doesNotMatch(monitor.text, /550|127\.0\.0\.1/, "what the mail server said is not shown");
    const failed = served.observed.filter(({ event }) => event === "job.failed");
    assert.deepEqual(
      failed.map(({ kind, attempt }) => [kind, attempt]),
      [["note", 1]],
    );
    assert.deepEqual(receiver.attempts.map(({ subject }) => subject).sort(), ["never", "other"]);
  });

  test("that is wrong by itself is a dead letter without a connection", async (t) => {
    const receiver = await receive(t);
    const served = await serve(t, shop, { mail: address(receiver) });
    await served.post("/send", { to: "alice@example.com\r\nBcc: bob@example.com", subject: "x" });
    const [dead] = await settled(served, 1, "failed");
    assert.equal(dead!.attempt, 1);
    assert.match(String(dead!.error), /"to" of a mail has a line break/);
    assert.equal(receiver.connections(), 0);
  });

  test("has a key for each mail of a job, the same ones at its next attempt", async (t) => {
    const receiver = await receive(t);
    const served = await serve(t, shop, { mail: address(receiver) });
    await served.post("/requests", { to: alice, subject: "mail", kind: "three" });
    const [done] = await settled(served, 1);
    assert.equal(done!.attempt, 2);
    const keys = [`${done!.id}:mail-1`, `${done!.id}:mail-2`, "of-my-own"];
    const expected = keys.map((key) => messageId(key, "shop.example"));
    assert.equal(new Set(expected).size, 3);
    const sent = receiver.mails.map((mail) => [
      header(mail, "subject"),
      header(mail, "message-id"),
    ]);
    const once = expected.map((id, index) => [`mail ${index + 1}`, id]);
    assert.deepEqual(sent, [...once, ...once]);
  });

  test("of a step that was done is not sent again when the next step fails", async (t) => {
    const receiver = await refusing(t, 451, "mail second", 2);
    const served = await serve(t, shop, { mail: address(receiver) });
    await served.post("/requests", { to: alice, subject: "mail", kind: "steps" });
    const [done] = await settled(served, 1);
    const id = (name: string) => messageId(`${done!.id}:${name}:mail-1`, "shop.example");
    const second = { subject: "mail second", messageId: id("second") };
    assert.deepEqual(receiver.attempts, [
      { subject: "mail first", messageId: id("first") },
      second,
      second,
      second,
    ]);
  });

  test("is from the API's sender, or from its own", async (t) => {
    const receiver = await receive(t);
    const served = await serve(t, shop, { mail: address(receiver) });
    for (const kind of ["note", "signed"])
      await served.post("/requests", { to: alice, subject: kind, kind });
    await settled(served, 2);
    const senders = receiver.mails.map((mail) => [
      header(mail, "subject"),
      mail.from,
      header(mail, "from"),
    ]);
    assert.deepEqual(senders.sort(), [
      ["note", "shop@shop.example", "Shop <shop@shop.example>"],
      ["signed", "sales@shop.example", "Sales <sales@shop.example>"],
    ]);
  });

  test("without any sender is a dead letter that says what to write", async (t) => {
    const receiver = await receive(t);
    const served = await serve(t, plain, { mail: address(receiver) });
    await served.post("/requests", { to: alice, subject: "note", kind: "note" });
    const [dead] = await settled(served, 1, "failed");
    assert.match(String(dead!.error), /needs a "from"/);
    assert.equal(receiver.connections(), 0);
  });

  test("that is being sent when the server stops is sent to its end", async (t) => {
    const taken = Promise.withResolvers<() => void>();
    const receiver = await receive(t, {
      onData(stream, _session, done) {
        stream.resume().on("end", () => taken.resolve(() => done()));
      },
    });
    const folder = temporaryFolder(t);
    const store = join(folder, "store.db");
    const served = await serve(t, shop, { mail: address(receiver), store });
    await served.post("/requests", { to: alice, subject: "note", kind: "note" });
    const accept = await taken.promise;
    const closing = served.close();
    await eventually(3_000, "the stop has begun", () =>
      served.observed.some(({ event }) => event === "server.draining"),
    );
    accept();
    await closing;
    assert.ok(served.observed.some(({ event }) => event === "job.done"));
    const [done] = jobs(served);
    assert.deepEqual([done!.state, done!.attempt], ["done", 1]);
  });
});

suite("Mail that is captured", { concurrency: 2 }, () => {
  test("is shown at /mail, newest first, each on a page of its own", async (t) => {
    const served = await serve(t, shop);
    const page = (path: string) => fetch(`${served.origin}${path}`);
    assert.match(await (await page("/mail")).text(), /No mail yet/);
    for (const subject of ["Older <b>", "Newer"]) {
      await served.post("/requests", { to: alice, subject, kind: "note" });
      await settled(served, subject === "Newer" ? 2 : 1);
    }
    const index = await page("/mail");
    const html = await index.text();
    assert.equal(index.status, 200);
    assert.match(index.headers.get("content-security-policy")!, /default-src 'none'/);
    assert.match(html, /<a href="\/mail\/2">Newer<\/a>[\s\S]*<a href="\/mail\/1">Older &lt;b&gt;</);
    const first = await (await page("/mail/1")).text();
    assert.match(first, /<h1>Older &lt;b&gt;<\/h1>/);
    for (const shown of ["Shop &lt;shop@shop.example&gt;", alice, "Hello"])
      assert.ok(first.includes(shown), shown);
    const missing = await page("/mail/3");
    assert.equal(missing.status, 404);
    assert.match(await missing.text(), /\/problems\/not-found/);
    assert.equal((await fetch(`${served.origin}/mail`, { method: "POST" })).status, 405);
  });

  test("is from posthaste@localhost where the API names no sender", async (t) => {
    const served = await serve(t, plain, { mail: "capture" });
    await served.post("/requests", { to: alice, subject: "note", kind: "note" });
    await settled(served, 1);
    const html = await (await fetch(`${served.origin}/mail/1`)).text();
    assert.match(html, /posthaste@localhost/);
  });

  test("is nowhere to be seen where mail is sent or refused", async (t) => {
    const receiver = await receive(t);
    for (const mail of [address(receiver), "refuse"]) {
      const served = await serve(t, shop, { mail });
      assert.equal((await fetch(`${served.origin}/mail`)).status, 404, mail);
    }
  });
});

suite("Mail without a mail server", () => {
  test("waits with its job, and is delivered by a later server that has one", async (t) => {
    const store = join(temporaryFolder(t), "store.db");
    const without = await serve(t, shop, { mail: "refuse", store });
    const made = await without.post("/requests", { to: alice, subject: "waits", kind: "note" });
    assert.equal(made.status, 201, "the request is done all the same");
    await eventually(5_000, "it is told why", () =>
      /--mail smtp:\/\/user:password@host:587/.test(String(jobs(without)[0]!.error)),
    );
    assert.equal(jobs(without)[0]!.attempt, 0, "no attempt is counted");
    await without.close();
    assert.equal(jobs(without).length, 1);
    assert.notEqual(jobs(without)[0]!.state, "failed");

    const receiver = await receive(t);
    const later = { now: () => Date.now() + 120_000 };
    const served = await serve(t, shop, { mail: address(receiver), store, clock: later });
    await settled(served, 1);
    assert.deepEqual(subjects(receiver), ["waits"]);
  });
});

suite("posthaste serve --mail", { concurrency: 2 }, () => {
  const user = { name: "Alice", email: alice };
  const register = (origin: string) =>
    fetch(`${origin}/api/users`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(user),
    });

  test("sends what jobs of hooks in the writer thread ask for; its password is shown nowhere", async (t) => {
    const receiver = await receive(t, {
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === "hush-hush" ? done(null, { user: username }) : done(new Error("no")),
    });
    const folder = temporaryFolder(t);
    const mail = `smtp://tour:hush-hush@127.0.0.1:${receiver.port}?tls=optional`;
    const server = await servePosthaste(t, [tour, "--mail", mail], { cwd: folder });
    assert.equal((await register(server.origin)).status, 201);
    await server.says("stderr", /"event":"job.done","kind":"welcome-mail"/);
    const [sent] = receiver.mails;
    assert.equal(header(sent!, "subject"), "Welcome, Alice");
    assert.equal(header(sent!, "from"), "Tour <tour@tour.example>");
    assert.equal(sent!.user, "tour");
    await server.end();
    assert.doesNotMatch(server.stdout + server.stderr, /hush-hush/);
  });

  test("is refuse in production, where the banner says that mail waits", async (t) => {
    const folder = temporaryFolder(t);
    const server = await servePosthaste(t, [tour], {
      cwd: folder,
      env: { NODE_ENV: "production" },
    });
    await server.says("stdout", /Mail +no server is given \(--mail\); what would be sent waits\n/);
    assert.equal((await fetch(`${server.origin}/mail`)).status, 404);
    assert.equal((await register(server.origin)).status, 201);
    await server.says("stderr", /"event":"job.retried","kind":"welcome-mail".*--mail smtp:/);
  });

  test("may be given by POSTHASTE_MAIL, and the option wins", async (t) => {
    const receiver = await receive(t);
    const folder = temporaryFolder(t);
    const env = { POSTHASTE_MAIL: address(receiver) };
    const byEnvironment = await servePosthaste(t, [tour, "--store", "a.db"], { cwd: folder, env });
    const byOption = await servePosthaste(t, [tour, "--store", "b.db", "--mail", "capture"], {
      cwd: folder,
      env,
    });
    await byOption.says("stdout", /Mail +http:\S+\/mail \(kept there, not sent\)\n/);
    for (const { origin } of [byEnvironment, byOption]) await register(origin);
    for (const each of [byEnvironment, byOption])
      await each.says("stderr", /"event":"job.done","kind":"welcome-mail"/);
    assert.equal(receiver.mails.length, 1);
    const kept = await (await fetch(`${byOption.origin}/mail`)).text();
    assert.match(kept, /Welcome, Alice/);
  });

  test("with a wrong address is refused in a sentence that does not repeat it", async (t) => {
    const folder = temporaryFolder(t);
    for (const [mail, sentence] of [
      ["smtp.example.com", /Write it as smtp:\/\/user:password@host:587/],
      ["http://tour:hush-hush@mail.example.com", /Write it as smtp:/],
      ["smtp://hush-hush@mail.example.com", /both a user and a password, or neither/],
      ["smtp://tour:hush-hush@mail.example.com?tsl=required", /Did you mean "tls"\?/],
    ] as const) {
      const args = ["serve", tour, "--port", "0", "--mail", mail];
      const { code, stdout, stderr } = await runPosthaste(args, { cwd: folder });
      assert.equal(code, 1, mail);
      assert.equal(stdout, "");
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /hush-hush/);
      assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
    }
  });
});

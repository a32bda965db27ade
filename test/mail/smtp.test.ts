import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MailError } from "../../src/mail/mail-error.ts";
import type { Mail } from "../../src/mail/message.ts";
import { type MailOptions, openMail } from "../../src/mail/open.ts";
import { parseSmtpAddress } from "../../src/mail/smtp-address.ts";
import { smtpFailure } from "../../src/mail/smtp-failure.ts";
import type { MailTransport } from "../../src/mail/transport.ts";
import { eventually, within } from "../support/time.ts";
import { selfSigned } from "../webhooks/certificate.ts";
import { leaves, readMime } from "./mime.ts";
import { acceptOnly, closedPort, type Receiver, receiveMail } from "./receiver.ts";

const mail: Mail = {
  to: "alice@example.com",
  from: "shop@example.com",
  subject: "Welcome",
  text: "Hello",
  idempotencyKey: "job-1",
};

/** Without STARTTLS: the certificate of these servers is trusted by nobody. */
const plain = { disabledCommands: ["STARTTLS"] };

function open(t: TestContext, port: number, options?: MailOptions, login = ""): MailTransport {
  const transport = openMail(`smtp://${login}127.0.0.1:${port}`, options);
  t.after(() => transport.close());
  return transport;
}

async function failure(sending: Promise<unknown>): Promise<MailError> {
  const error = await sending.then(
    () => assert.fail("it was sent"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MailError, String(error));
  return error;
}

/** An answer of the server with this code. */
const reply = (responseCode: number, text: string) =>
  Object.assign(new Error(text), { responseCode });

suite("Mail over SMTP", () => {
  test("a mail arrives as it was written", async (t) => {
    const receiver = await receiveMail(t, plain);
    const clock = { now: () => Date.UTC(2026, 1, 3, 4, 5, 6) };
    const bytes = Uint8Array.from({ length: 3000 }, (_, n) => n % 256);
    const text = `Grüße, Žofia 🎉\r\n.\r\n.a dot first\r\n${"long ".repeat(400)}`;
    const html = "<p>Grüße, <b>Žofia</b> 🎉</p>";
    const receipt = await open(t, receiver.port, { clock }).send({
      ...mail,
      to: ["Žofia <zofia@example.com>", '"Doe, Bob" <bob@example.net>'],
      from: "Shop <shop@example.com>",
      replyTo: "help@example.com",
      subject: `Willkommen, Žofia 🎉 ${"sehr ".repeat(30)}`.trim(),
      text,
      html,
      attachments: [
        { filename: "Rechnung für März.bin", content: bytes },
        { filename: "note.txt", content: "Ünï", contentType: "text/plain" },
      ],
      headers: { "List-Unsubscribe": "<https://example.com/u/7>", "X-Name": "Žofia" },
    });

    assert.equal(receiver.mails.length, 1);
    const { raw, from, to } = receiver.mails[0]!;
    assert.equal(from, "shop@example.com");
    assert.deepEqual(to, ["zofia@example.com", "bob@example.net"]);
    assert.deepEqual(receipt.accepted, to);
    assert.deepEqual(receipt.rejected, []);
    const message = readMime(raw);
    const header = (name: string) => message.headers.get(name);
    assert.equal(header("message-id"), receipt.messageId);
    assert.equal(header("subject"), `Willkommen, Žofia 🎉 ${"sehr ".repeat(30)}`.trim());
    assert.equal(header("from"), "Shop <shop@example.com>");
    assert.equal(header("to"), 'Žofia <zofia@example.com>, "Doe, Bob" <bob@example.net>');
    assert.equal(header("reply-to"), "help@example.com");
    assert.equal(header("date"), "Tue, 03 Feb 2026 04:05:06 +0000");
    assert.equal(header("list-unsubscribe"), "<https://example.com/u/7>");
    assert.equal(header("x-name"), "Žofia");
    assert.equal(header("x-mailer"), undefined);
    const [asText, asHtml, file, note, ...more] = leaves(message);
    assert.deepEqual(more, []);
    assert.equal(asText!.body.toString().trimEnd(), text.trimEnd());
    assert.match(asText!.headers.get("content-type")!, /^text\/plain; charset=utf-8/);
    assert.equal(asHtml!.body.toString().trimEnd(), html);
    assert.match(asHtml!.headers.get("content-type")!, /^text\/html; charset=utf-8/);
    assert.deepEqual(new Uint8Array(file!.body), bytes);
    assert.equal(note!.body.toString(), "Ünï");
    assert.match(note!.headers.get("content-disposition")!, /attachment; filename=note\.txt/);
    for (const line of raw.split("\r\n")) assert.ok(Buffer.byteLength(line) <= 998);
  });

  test("it has the same Message-ID when it is sent again, also after another start", async (t) => {
    const receiver = await receiveMail(t, plain);
    const first = await open(t, receiver.port).send(mail);
    const second = await open(t, receiver.port).send({ ...mail, text: "Hello again" });
    const other = await open(t, receiver.port).send({ ...mail, idempotencyKey: "job-2" });
    assert.equal(first.messageId, second.messageId);
    assert.notEqual(first.messageId, other.messageId);
    const arrived = receiver.mails.map(({ raw }) => readMime(raw).headers.get("message-id"));
    assert.deepEqual(arrived, [first.messageId, first.messageId, other.messageId]);
  });

  test("connections are kept and bounded", async (t) => {
    const receiver = await receiveMail(t, plain);
    const transport = open(t, receiver.port, { maxConnections: 2 });
    const sendings = Array.from({ length: 12 }, (_, n) =>
      transport.send({ ...mail, idempotencyKey: `job-${n}` }),
    );
    await Promise.all(sendings);
    assert.equal(receiver.mails.length, 12);
    assert.equal(receiver.connections(), 2);
  });

  test("header injection is refused before anything is connected to", async (t) => {
    const receiver = await receiveMail(t, plain);
    const transport = open(t, receiver.port);
    for (const change of [
      { subject: "Hi\r\nBcc: victim@example.net" },
      { to: "alice@example.com>\r\nRCPT TO:<victim@example.net" },
      { from: "shop@example.com\r\nBcc: victim@example.net" },
      { headers: { "X-A": "1\nBcc: victim@example.net" } },
      { headers: { "X-A: 1\r\nBcc": "victim@example.net" } },
      { headers: { Bcc: "victim@example.net" } },
    ]) {
      const error = await failure(transport.send({ ...mail, ...change }));
      assert.equal(error.permanent, true);
    }
    assert.equal(receiver.connections(), 0);
  });
});

suite("The server's answer", () => {
  const at = {
    "MAIL FROM": (error: Error) => ({
      onMailFrom: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
        done(error),
    }),
    "RCPT TO": (error: Error) => ({
      onRcptTo: (_address: unknown, _session: unknown, done: (error: Error) => void) => done(error),
    }),
    content: (error: Error) => ({
      onData(stream: NodeJS.ReadableStream, _session: unknown, done: (error: Error) => void) {
        stream.on("end", () => done(error)).resume();
      },
    }),
  };
  for (const [stage, options] of Object.entries(at)) {
    for (const [code, permanent] of [
      [421, false],
      [450, false],
      [451, false],
      [452, false],
      [503, false],
      [550, true],
      [552, true],
      [554, true],
    ] as const) {
      test(`${code} to ${stage} is ${permanent ? "permanent" : "temporary"}`, async (t) => {
        const receiver = await receiveMail(t, { ...plain, ...options(reply(code, "not you")) });
        const error = await failure(open(t, receiver.port).send(mail));
        assert.equal(error.permanent, permanent);
        assert.equal(error.replyCode, code);
        assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${receiver.port}.*${code}`));
      });
    }
  }

  test("a recipient who is refused beside others is named in the receipt", async (t) => {
    const receiver = await receiveMail(t, {
      ...plain,
      onRcptTo({ address }, _session, done) {
        if (address.startsWith("gone")) return done(reply(550, "no such user"));
        if (address.startsWith("full")) return done(reply(452, "mailbox full"));
        done();
      },
    });
    const to = ["gone@example.com", "alice@example.com", "full@example.com"];
    const receipt = await open(t, receiver.port).send({ ...mail, to });
    assert.deepEqual(receipt.accepted, ["alice@example.com"]);
    assert.deepEqual(receipt.rejected, [
      { address: "gone@example.com", permanent: true, detail: "550 no such user" },
      { address: "full@example.com", permanent: false, detail: "452 mailbox full" },
    ]);
    assert.deepEqual(receiver.mails[0]!.to, ["alice@example.com"]);
  });

  test("a mail that does not even get to it is refused for good", () => {
    const server = parseSmtpAddress("smtp://mail.example.com");
    const error = Object.assign(new Error("Invalid recipient"), { code: "EENVELOPE" });
    assert.equal(smtpFailure(error, server).permanent, true);
    assert.equal(smtpFailure(Object.assign(error, { code: "ESOCKET" }), server).permanent, false);
  });

  test("control characters in it are not repeated", async (t) => {
    const port = await acceptOnly(t, (socket) => {
      socket.write("220 here\r\n");
      socket.on("data", (data) => {
        const command = data.toString();
        if (/^EHLO/i.test(command)) socket.write("250 here\r\n");
        else if (/^MAIL/i.test(command))
          socket.write(`550-\u001b[31mno\r\n550 ${"x".repeat(5000)}\r\n`);
        else socket.write("250 ok\r\n");
      });
    });
    const error = await failure(open(t, port).send(mail));
    assert.equal(error.permanent, true);
    assert.doesNotMatch(error.message, /\p{Cc}/u);
    assert.ok(error.message.length < 500);
  });
});

suite("Authentication", () => {
  const withLogin = (t: TestContext): Promise<Receiver> =>
    receiveMail(t, {
      ...plain,
      authOptional: false,
      authMethods: ["PLAIN", "LOGIN"],
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        if (username === "post" && password === "hunter2/ü") return done(null, { user: "post" });
        // Some servers are as talkative as this one.
        const told = Buffer.from(`\0${username}\0${password}`).toString("base64");
        done(reply(535, `bad ${username} ${password} ${told}`));
      },
    });

  test("user and password are taken from the address", async (t) => {
    const receiver = await withLogin(t);
    await open(t, receiver.port, {}, "post:hunter2%2F%C3%BC@").send(mail);
    assert.equal(receiver.mails[0]!.user, "post");
  });

  test("a wrong password is the operator's matter: temporary, and not repeated", async (t) => {
    const receiver = await withLogin(t);
    const error = await failure(open(t, receiver.port, {}, "post:wrong-one@").send(mail));
    assert.equal(error.permanent, false);
    assert.equal(error.replyCode, 535);
    assert.match(error.message, /does not accept the user and the password \(535\)/);
    const told = Buffer.from("\0post\0wrong-one").toString("base64");
    for (const secret of ["wrong-one", told]) {
      assert.ok(!`${error.message} ${error.stack} ${JSON.stringify(error)}`.includes(secret));
    }
    assert.equal(error.cause, undefined);
    assert.equal(receiver.mails.length, 0);
  });

  test("a server that says the password back with a refused mail is not quoted", async (t) => {
    const told = Buffer.from("\0post\0hunter2").toString("base64");
    const receiver = await receiveMail(t, {
      ...plain,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(null, { user: "post" }),
      onMailFrom: (_address, _session, done) => done(reply(550, `no hunter2 ${told}`)),
    });
    const error = await failure(open(t, receiver.port, {}, "post:hunter2@").send(mail));
    assert.match(error.message, /550 no \[redacted\] \[redacted\]/);
  });
});

suite("TLS", () => {
  test("a certificate that nobody vouches for is refused, before any secret is told", async (t) => {
    const auths: unknown[] = [];
    const receiver = await receiveMail(t, {
      onAuth(auth, _session, done) {
        auths.push(auth);
        done(null, { user: "x" });
      },
    });
    for (const query of ["", "?tls=required", "?tls=optional"]) {
      const transport = openMail(`smtp://u:p@127.0.0.1:${receiver.port}${query}`);
      t.after(() => transport.close());
      const error = await failure(transport.send(mail));
      assert.equal(error.permanent, false);
      assert.match(error.message, /certificate|TLS/);
    }
    assert.deepEqual(auths, []);
    assert.deepEqual(receiver.mails, []);
    assert.equal(receiver.connections(), 3);
  });

  test("where it is required, a server without it gets nothing", async (t) => {
    const receiver = await receiveMail(t, plain);
    const transport = openMail(`smtp://127.0.0.1:${receiver.port}?tls=required`);
    t.after(() => transport.close());
    const error = await failure(transport.send(mail));
    assert.equal(error.permanent, false);
    assert.match(error.message, /TLS/);
    assert.deepEqual(receiver.mails, []);
  });

  for (const [scheme, secure] of [
    ["smtp", false],
    ["smtps", true],
  ] as const) {
    test(`${scheme}: with a certificate that is trusted, the mail goes encrypted`, async (t) => {
      const certificate = selfSigned(t, "IP:127.0.0.1");
      if (certificate === undefined) return;
      const receiver = await receiveMail(t, { ...certificate, secure });
      const transport = openMail(`${scheme}://127.0.0.1:${receiver.port}?tls=required`, {
        ca: certificate.cert,
      });
      t.after(() => transport.close());
      await transport.send(mail);
      assert.equal(receiver.mails[0]!.secure, true);
      const stranger = openMail(`${scheme}://127.0.0.1:${receiver.port}`);
      t.after(() => stranger.close());
      assert.match((await failure(stranger.send(mail))).message, /certificate/);
      assert.equal(receiver.mails.length, 1);
    });
  }

  test("a certificate of another name is refused", async (t) => {
    const certificate = selfSigned(t, "DNS:mail.example.com");
    if (certificate === undefined) return;
    const receiver = await receiveMail(t, { ...certificate });
    const error = await failure(open(t, receiver.port, { ca: certificate.cert }).send(mail));
    assert.match(error.message, /certificate/);
    assert.deepEqual(receiver.mails, []);
  });
});

suite("A server that is not well", () => {
  test("is not there: temporary", async (t) => {
    const error = await failure(open(t, await closedPort()).send(mail));
    assert.equal(error.permanent, false);
    assert.match(error.message, /can't be reached.*\(ECONNREFUSED\)/);
  });

  test("hangs up instead of greeting: temporary", async (t) => {
    let connections = 0;
    const port = await acceptOnly(t, (socket) => {
      connections += 1;
      socket.end();
    });
    assert.equal((await failure(open(t, port).send(mail))).permanent, false);
    assert.equal(connections, 1, "when to try again is the job's matter");
  });

  test("sends clients away in its greeting: temporary, whatever the code", async (t) => {
    const port = await acceptOnly(t, (socket) => socket.end("554 no service here\r\n"));
    assert.equal((await failure(open(t, port).send(mail))).permanent, false);
  });

  test("hangs up after the last line: it fails, and is not sent again by itself", async (t) => {
    let contents = 0;
    const port = await acceptOnly(t, (socket) => {
      socket.write("220 here\r\n");
      socket.on("data", (data) => {
        const said = data.toString();
        if (said.endsWith("\r\n.\r\n")) {
          contents += 1;
          socket.destroy();
        } else {
          socket.write(/^DATA/.test(said) ? "354 go on\r\n" : "250 ok\r\n");
        }
      });
    });
    const error = await failure(open(t, port).send(mail));
    assert.equal(error.permanent, false);
    await sleep(300);
    assert.equal(contents, 1);
  });

  test("never greets: it is given up in time", async (t) => {
    const port = await acceptOnly(t, () => {});
    const sending = failure(open(t, port, { replyTimeoutMs: 200 }).send(mail));
    const error = await within(5_000, "a time-out", sending);
    assert.equal(error.permanent, false);
    assert.match(error.message, /did not answer in time/);
  });

  test("greets without end: it is given up in time", async (t) => {
    const port = await acceptOnly(t, (socket) => {
      const timer = setInterval(() => socket.write("220-one moment\r\n"), 20);
      socket.on("close", () => clearInterval(timer));
    });
    const sending = failure(open(t, port, { replyTimeoutMs: 200 }).send(mail));
    const error = await within(5_000, "a time-out", sending);
    assert.match(error.message, /did not answer in time/);
  });

  test("trickles a reply that never ends: the mail's own time-out ends it", async (t) => {
    const port = await acceptOnly(t, (socket) => {
      socket.write("220 here\r\n");
      const timer = setInterval(() => socket.write("250-still here\r\n"), 20);
      socket.on("close", () => clearInterval(timer));
    });
    const sending = open(t, port, { sendTimeoutMs: 300 }).send(mail);
    const error = await within(5_000, "a time-out", failure(sending));
    assert.equal(error.permanent, false);
    assert.match(error.message, /did not take the mail within 300 ms/);
  });
});

suite("A sending that is stopped", () => {
  const silentAfterContent = {
    ...plain,
    onData: (stream: NodeJS.ReadableStream) => stream.resume(),
  };

  test("beforehand connects to nothing", async (t) => {
    const receiver = await receiveMail(t, plain);
    const signal = AbortSignal.abort();
    const error = await failure(open(t, receiver.port).send(mail, { signal }));
    assert.equal(error.permanent, false);
    assert.match(error.message, /was stopped/);
    assert.equal(receiver.connections(), 0);
  });

  test("on the way fails at once, and leaves the others alone", async (t) => {
    let contents = 0;
    const receiver = await receiveMail(t, {
      ...plain,
      onData(stream, _session, done) {
        contents += 1;
        const hang = contents === 1;
        stream.on("end", () => !hang && done()).resume();
      },
    });
    const transport = open(t, receiver.port);
    const stop = new AbortController();
    const sending = failure(transport.send(mail, { signal: stop.signal }));
    await eventually(5_000, "the content at the server", () => contents === 1);
    stop.abort(new Error("a reason"));
    const error = await within(2_000, "the end of it", sending);
    assert.equal(error.permanent, false);
    assert.match(error.message, /was stopped/);
    await transport.send({ ...mail, idempotencyKey: "job-2" });
    assert.equal(contents, 2);
  });

  test("by closing waits for what is under way, and takes nothing more", async (t) => {
    let finish: (() => void) | undefined;
    const receiver = await receiveMail(t, {
      ...plain,
      onData(stream, _session, done) {
        stream.on("end", () => (finish = done)).resume();
      },
    });
    const transport = open(t, receiver.port, { maxConnections: 1 });
    const under = transport.send(mail);
    await eventually(5_000, "the content at the server", () => finish);
    const waiting = failure(transport.send({ ...mail, idempotencyKey: "job-2" }));
    let isClosed = false;
    const closing = transport.close().then(() => (isClosed = true));
    assert.equal((await waiting).permanent, false);
    assert.match((await failure(transport.send(mail))).message, /the server is stopping/);
    assert.equal(isClosed, false);
    finish!();
    assert.deepEqual((await under).accepted, ["alice@example.com"]);
    await within(2_000, "the end of closing", closing);
  });

  test("by closing a server that hangs ends with the mail's time-out", async (t) => {
    const receiver = await receiveMail(t, silentAfterContent);
    const transport = open(t, receiver.port, { sendTimeoutMs: 300 });
    const sending = failure(transport.send(mail));
    await within(5_000, "the end of closing", transport.close());
    assert.equal((await sending).permanent, false);
  });

  test("the process ends once the transport is closed", async (t) => {
    const receiver = await receiveMail(t, plain);
    const script = `
      import { openMail } from ${JSON.stringify(new URL("../../src/mail/open.ts", import.meta.url))};
      const transport = openMail("smtp://127.0.0.1:${receiver.port}");
      await transport.send(${JSON.stringify(mail)});
      await transport.close();
      console.log("closed");
    `;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    let closedAt = 0;
    child.stdout.on("data", () => (closedAt = performance.now()));
    const [code] = await within(20_000, "the end of the process", once(child, "exit"));
    assert.equal(code, 0);
    assert.ok(performance.now() - closedAt < 2_000, "it ended, but slowly");
    assert.equal(receiver.mails.length, 1);
  });
});

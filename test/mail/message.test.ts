import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseMailbox } from "../../src/mail/address.ts";
import { MailError } from "../../src/mail/mail-error.ts";
import { checkMail, type Mail, type Message } from "../../src/mail/message.ts";

const mail: Mail = {
  to: "Alice <alice@example.com>",
  from: "shop@example.com",
  subject: "Welcome",
  text: "Hello",
  idempotencyKey: "job-1",
};

const check = (change: object): Message => checkMail({ ...mail, ...change }, undefined);

function refusal(change: object): MailError {
  try {
    check(change);
  } catch (error) {
    assert.ok(error instanceof MailError);
    assert.equal(error.permanent, true);
    return error;
  }
  assert.fail("nothing was refused");
}

suite("A mail is checked", () => {
  test("what is right comes out in one form", () => {
    assert.deepEqual(
      checkMail({ ...mail, to: ["a@example.com", '"B, C" <b@example.com>'] }, undefined),
      {
        messageId: "<026ab639c21df8aa80e5789370a9db1b8b524b776fd8a0c2ba71efb377ecc7d9@example.com>",
        from: { name: "", address: "shop@example.com" },
        to: [
          { name: "", address: "a@example.com" },
          { name: "B, C", address: "b@example.com" },
        ],
        replyTo: undefined,
        subject: "Welcome",
        text: "Hello",
        html: undefined,
        attachments: [],
        headers: {},
      },
    );
  });

  test("the sender is the mail's own, else the server's, else it is refused", () => {
    const { from: _, ...senderless } = mail;
    const server = parseMailbox("Server <server@example.org>", "from");
    assert.equal(checkMail(mail, server).from.address, "shop@example.com");
    assert.deepEqual(checkMail(senderless, server).from, {
      name: "Server",
      address: "server@example.org",
    });
    assert.throws(() => checkMail(senderless, undefined), /needs a "from"/);
  });

  test("a misspelt field is named, with a suggestion", () => {
    assert.match(refusal({ subjet: "x" }).message, /"subjet".*Did you mean "subject"\?/);
    const attachments = [{ filename: "a", content: "", path: "/etc/passwd" }];
    assert.match(refusal({ attachments }).message, /"path" is not a field of an attachment/);
  });

  test("line breaks and control characters are refused wherever a header is made of them", () => {
    const breaks = ["\r\n", "\n", "\r", "\0", "\u0085", "\u2028", "\u001b", "\u000b"];
    for (const broken of breaks) {
      const evil = `x${broken}Bcc: victim@example.net`;
      for (const change of [
        { subject: evil },
        { to: `alice@example.com${broken}` },
        { to: ["bob@example.com", `${evil} <alice@example.com>`] },
        { to: `alice@example.com>${broken}RCPT TO:<victim@example.net` },
        { from: `${evil} <shop@example.com>` },
        { replyTo: `${evil} <shop@example.com>` },
        { headers: { "X-Order": evil } },
        { headers: { [`X-Order: 1${broken}Bcc`]: "victim@example.net" } },
        { attachments: [{ filename: `a${broken}.txt`, content: "" }] },
        { attachments: [{ filename: "a", content: "", contentType: `text/plain${broken}x: y` }] },
      ]) {
        assert.doesNotMatch(refusal(change).message, LINE_BREAK, JSON.stringify(change));
      }
    }
  });

  test("headers that decide who gets what from whom are refused, in any case", () => {
    for (const name of [
      "Bcc",
      "bCC",
      "cc",
      "To",
      "from",
      "Sender",
      "Reply-To",
      "subject",
      "Date",
      "MESSAGE-ID",
      "Content-Type",
      "content-transfer-encoding",
      "Mime-Version",
      "Return-Path",
      "Received",
      "Resent-To",
      "DKIM-Signature",
    ]) {
      assert.match(refusal({ headers: { [name]: "x" } }).message, /its own fields decide it/, name);
    }
    for (const name of ["", "X Order", "X-Order:", "Übung", "-X", `X${"y".repeat(76)}`]) {
      assert.match(refusal({ headers: { [name]: "x" } }).message, /letters, digits and hyphens/);
    }
    assert.match(refusal({ headers: { "X-A": "1", "x-a": "2" } }).message, /there twice/);
    assert.match(refusal({ headers: { "x-a": "1", "X-A": "2" } }).message, /there twice/);
    assert.match(refusal({ headers: { "X-A": 7 } }).message, /has to be a string/);
    const headers = { "List-Unsubscribe": "<https://example.com/u/7>", "Auto-Submitted": "x" };
    assert.deepEqual(check({ headers }).headers, headers);
  });

  const addresses: Readonly<Record<string, string>> = {
    "alice@example.com": "alice@example.com",
    "  alice@example.com ": "alice@example.com",
    "Alice Johnson <alice.j+news@example.com>": "alice.j+news@example.com",
    "<alice@example.com>": "alice@example.com",
    "Doe, Jane <jane@example.com>": "jane@example.com",
    "alice@localhost": "alice@localhost",
    "alice@EXAMPLE.com": "alice@example.com",
    "jörg@bücher.example": "jörg@xn--bcher-kva.example",
    "o'neil_{x}@a-b.example": "o'neil_{x}@a-b.example",
  };
  for (const [text, address] of Object.entries(addresses)) {
    test(`${JSON.stringify(text)} is an address`, () => {
      assert.equal(check({ to: text }).to[0]!.address, address);
    });
  }

  for (const text of [
    "",
    "alice",
    "@example.com",
    "alice@",
    "alice@example..com",
    "alice@.example.com",
    "alice@-example.com",
    "alice@example.com.",
    ".alice@example.com",
    "alice.@example.com",
    "al..ice@example.com",
    "alice@bob@example.com",
    "alice bob@example.com",
    '"alice bob"@example.com',
    '"a@evil.example x"@example.com',
    "alice@[127.0.0.1]",
    "alice@127.0.0.1",
    "alice@2130706433",
    "alice@ex%61mple.com",
    "alice@example.com/path",
    "alice@example.com, bob@example.com",
    "alice@example.com; bob@example.com",
    "Alice <alice@example.com> <bob@example.com>",
    "Alice <alice@example.com",
    "Alice alice@example.com>",
    "Friends: alice@example.com, bob@example.com;",
    "alice(comment)@example.com",
    `${"a".repeat(65)}@example.com`,
    `a@${"b".repeat(64)}.example`,
    `a@${"bcdefghi.".repeat(28)}example`,
    "a@\ud800.example",
    "\ud800 <a@example.com>",
    `${"x".repeat(600)} <a@example.com>`,
  ]) {
    test(`${JSON.stringify(text.slice(0, 60))} is none`, () => {
      assert.match(refusal({ to: text }).message, /^"to" of a mail/);
      assert.match(refusal({ from: text }).message, /^"from" of a mail/);
      assert.match(refusal({ replyTo: text }).message, /^"replyTo" of a mail/);
    });
  }

  test("sizes are bounded, and what fits exactly passes", () => {
    const addressed = (count: number) =>
      Array.from({ length: count }, (_, n) => `u${n}@example.com`);
    const files = (count: number, bytes: number) =>
      Array.from({ length: count }, () => ({ filename: "a.bin", content: new Uint8Array(bytes) }));
    check({ to: addressed(100), subject: "s".repeat(900), text: "t".repeat(1_048_576) });
    check({ attachments: files(20, 524_288), idempotencyKey: "k".repeat(255) });
    const manyHeaders = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`X-${n}`, "v"]));
    check({ headers: { "X-A": "v".repeat(900) } });
    check({ headers: manyHeaders(50), attachments: [{ filename: "f".repeat(200), content: "" }] });
    for (const [change, sentence] of [
      [{ to: [] }, /at least one address/],
      [{ to: addressed(101) }, /more than 100 addresses/],
      [{ subject: "s".repeat(901) }, /longer than 900/],
      [{ text: "t".repeat(1_048_577) }, /"text" .* larger than 1 MiB/],
      [{ html: "ü".repeat(524_289) }, /"html" .* larger than 1 MiB/],
      [{ attachments: files(21, 1) }, /more than 20 attachments/],
      [{ attachments: files(2, 5_242_881) }, /larger than 10 MiB/],
      [{ headers: { "X-A": "v".repeat(901) } }, /longer than 900 bytes/],
      [{ headers: manyHeaders(51) }, /more than 50 headers/],
      [{ attachments: [{ filename: "f".repeat(201), content: "" }] }, /1 to 200 characters/],
      [{ idempotencyKey: "" }, /1 to 255/],
      [{ idempotencyKey: "k".repeat(256) }, /1 to 255/],
      [{ idempotencyKey: undefined }, /A job has one for you/],
    ] as const) {
      assert.match(refusal(change).message, sentence);
    }
  });

  test("content that is no text, and what the library would go and fetch, is refused", () => {
    for (const change of [
      { text: { path: "/etc/passwd" } },
      { html: { href: "http://127.0.0.1/" } },
      { text: "a\0b" },
      { html: "\ud800" },
      { subject: 7 },
      { subject: "\udc00" },
      { headers: { "X-A": "\udc00" } },
      { attachments: [{ filename: "\udc00", content: "" }] },
      { to: { address: "a@example.com" } },
      { attachments: "a" },
      { attachments: [{ filename: "../a", content: "" }] },
      { attachments: [{ filename: "a\\b", content: "" }] },
      { attachments: [{ filename: "", content: "" }] },
      { attachments: [{ filename: "a", content: { path: "/etc/passwd" } }] },
      { attachments: [{ filename: "a", content: "", contentType: "text" }] },
      { attachments: [{ filename: "a", content: "", contentType: "text/plain; name=x" }] },
      { headers: [] },
    ]) {
      refusal(change);
    }
  });

  test("the Message-ID comes from the key and the sender's domain, and from nothing else", () => {
    const { messageId } = check({});
    assert.match(messageId, /^<[0-9a-f]{64}@example\.com>$/);
    assert.equal(check({ subject: "other", to: "bob@example.com", text: "" }).messageId, messageId);
    assert.notEqual(check({ idempotencyKey: "job-2" }).messageId, messageId);
    assert.match(check({ from: "a@bücher.example" }).messageId, /@xn--bcher-kva\.example>$/);
  });
});

const LINE_BREAK = /[\p{Cc}\u2028\u2029]/u;

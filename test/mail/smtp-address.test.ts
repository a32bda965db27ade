import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MailCapture } from "../../src/mail/capture.ts";
import { MailError } from "../../src/mail/mail-error.ts";
import { openMail } from "../../src/mail/open.ts";
import { parseSmtpAddress } from "../../src/mail/smtp-address.ts";

suite("The address of a mail server", () => {
  test("has a host, and defaults for the rest", () => {
    assert.deepEqual(parseSmtpAddress("smtp://mail.example.com"), {
      host: "mail.example.com",
      port: 587,
      implicitTls: false,
      requireTls: false,
      login: undefined,
    });
    assert.deepEqual(parseSmtpAddress("smtps://u:p%40%2F%C3%BC@[::1]:4650/"), {
      host: "::1",
      port: 4650,
      implicitTls: true,
      requireTls: false,
      login: { user: "u", password: "p@/ü" },
    });
    assert.equal(parseSmtpAddress("SMTPS://mail.example.com").port, 465);
    assert.equal(parseSmtpAddress("smtp://mail.example.com:443").port, 443);
  });

  const requireTls: Readonly<Record<string, boolean>> = {
    "smtp://u:p@mail.example.com": true,
    "smtp://u:p@10.0.0.1": true,
    "smtp://u:p@localhost.example.com": true,
    "smtp://u:p@localhost": false,
    "smtp://u:p@127.0.0.9": false,
    "smtp://u:p@[::1]": false,
    "smtp://mail.example.com": false,
    "smtp://mail.example.com?tls=required": true,
    "smtp://u:p@mail.example.com?tls=optional": false,
    "smtps://u:p@mail.example.com": false,
  };
  for (const [address, required] of Object.entries(requireTls)) {
    test(`${address} ${required ? "requires" : "does not require"} STARTTLS`, () => {
      assert.equal(parseSmtpAddress(address).requireTls, required);
    });
  }

  for (const [address, sentence] of [
    ["mail.example.com", /Write it as smtp:\/\//],
    ["http://u:hunter2@mail.example.com", /Write it as smtp:\/\//],
    ["smtp://", /Write it as smtp:\/\//],
    ["smtp://u:hunter2@", /Write it as smtp:\/\//],
    ["smtp://u:hunter2@mail.example.com:99999", /Write it as smtp:\/\//],
    ["smtp://u:hunter2@mail.example.com/path", /behind the port/],
    ["smtp://u:hun/ter2@mail.example.com", /Write it as|behind the port/],
    ["smtp://u:hunter2@mail.example.com#x", /behind the port/],
    ["smtp://u:hunter2@mail.example.com?tls=no", /required or optional/],
    ["smtp://u:hunter2@mail.example.com?tls=optional&tls=required", /required or optional/],
    ["smtp://u:hunter2@mail.example.com?tsl=required", /Did you mean "tls"\?/],
    ["smtp://u@mail.example.com", /both a user and a password/],
    ["smtp://:hunter2@mail.example.com", /both a user and a password/],
    ["smtp://u:hunter2%@mail.example.com", /two hexadecimal digits/],
    ["smtp://u:hunter2@mail%0d%0a.example.com", /not a host's name/],
  ] as const) {
    test(`${address} is refused, without its password in the sentence`, () => {
      assert.throws(
        () => openMail(address),
        (error) => {
          assert.ok(error instanceof MailError);
          assert.match(error.message, sentence);
          assert.doesNotMatch(error.message, /hun|ter2/);
          return true;
        },
      );
    });
  }

  test("without one, mail is captured", async () => {
    const transport = openMail(undefined, { from: "Shop <shop@example.com>" });
    assert.ok(transport instanceof MailCapture);
    const mail = { to: "a@example.com", subject: "s", text: "t", idempotencyKey: "k" };
    await transport.send(mail);
    assert.deepEqual(transport.list()[0]!.message.from, {
      name: "Shop",
      address: "shop@example.com",
    });
  });

  test("a sender that is no address is refused at once", () => {
    assert.throws(() => openMail(undefined, { from: "shop" }), /"from" .* is not a mail address/);
  });
});

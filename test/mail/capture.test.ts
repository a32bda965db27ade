import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MailCapture } from "../../src/mail/capture.ts";
import { MailError } from "../../src/mail/mail-error.ts";
import type { Mail } from "../../src/mail/message.ts";

const mail = (n: number, change: Partial<Mail> = {}): Mail => ({
  to: "alice@example.com",
  subject: `Mail ${n}`,
  text: "Hello",
  idempotencyKey: `job-${n}`,
  ...change,
});

const subjects = (capture: MailCapture) => capture.list().map(({ message }) => message.subject);

suite("Captured mail", () => {
  test("is kept with its time, newest first, and found by its number", async () => {
    let now = 1_000;
    const capture = new MailCapture({ clock: { now: () => now } });
    const receipt = await capture.send(mail(1));
    now = 2_000;
    await capture.send(mail(2, { from: "Shop <shop@example.com>" }));
    assert.deepEqual(subjects(capture), ["Mail 2", "Mail 1"]);
    assert.deepEqual(
      capture.list().map(({ id, at }) => [id, at]),
      [
        [2, 2_000],
        [1, 1_000],
      ],
    );
    assert.equal(capture.find(1)!.message.messageId, receipt.messageId);
    assert.equal(capture.find(1)!.message.from.address, "posthaste@localhost");
    assert.equal(capture.find(2)!.message.from.address, "shop@example.com");
    assert.equal(capture.find(3), undefined);
    assert.deepEqual(receipt.accepted, ["alice@example.com"]);
  });

  test("is checked as if it were sent", async () => {
    const capture = new MailCapture();
    const sending = capture.send(mail(1, { subject: "a\r\nBcc: b@example.com" }));
    await assert.rejects(sending, (error) => error instanceof MailError && error.permanent);
    assert.deepEqual(capture.list(), []);
  });

  test("is bounded in number: the oldest goes", async () => {
    const capture = new MailCapture({ maxMails: 3 });
    for (let n = 1; n <= 5; n++) await capture.send(mail(n));
    assert.deepEqual(subjects(capture), ["Mail 5", "Mail 4", "Mail 3"]);
    assert.equal(capture.find(2), undefined);
  });

  test("is bounded in bytes: the oldest goes, the newest stays", async () => {
    const capture = new MailCapture({ maxBytes: 1_000 });
    const attachments = [{ filename: "a.bin", content: new Uint8Array(300) }];
    for (let n = 1; n <= 3; n++)
      await capture.send(mail(n, { html: "x".repeat(100), attachments }));
    assert.deepEqual(subjects(capture), ["Mail 3", "Mail 2"]);
    await capture.send(mail(4, { text: "x".repeat(5_000) }));
    assert.deepEqual(subjects(capture), ["Mail 4"]);
  });

  test("does not change when its sender uses the bytes again", async () => {
    const capture = new MailCapture();
    const content = Uint8Array.of(1, 2, 3);
    await capture.send(mail(1, { attachments: [{ filename: "a.bin", content }] }));
    content.fill(9);
    const [attachment] = capture.find(1)!.message.attachments;
    assert.deepEqual(attachment!.content, Uint8Array.of(1, 2, 3));
  });

  test("is not taken when it was stopped, nor after closing", async () => {
    const capture = new MailCapture();
    const stopped = capture.send(mail(1), { signal: AbortSignal.abort() });
    await assert.rejects(stopped, (error) => error instanceof MailError && !error.permanent);
    await capture.close();
    await assert.rejects(capture.send(mail(1)), /the server is stopping/);
    assert.deepEqual(capture.list(), []);
  });
});

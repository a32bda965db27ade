import type { Attachment, Mail as WrittenMail } from "../declare/mail.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { domainOf, LINE_BREAKING, type Mailbox, parseMailbox } from "./address.ts";
import { checkAttachments } from "./attachment.ts";
import { checkHeaders } from "./headers.ts";
import { refuseMail } from "./mail-error.ts";
import { messageId } from "./message-id.ts";

/** A mail as users write it, with its key. */
export interface Mail extends WrittenMail {
  readonly idempotencyKey: string;
}

/** A mail that was checked, in one form. */
export interface Message {
  /** With its angle brackets. */
  readonly messageId: string;
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly replyTo: Mailbox | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  readonly attachments: readonly Attachment[];
  readonly headers: Readonly<Record<string, string>>;
}

const FIELDS: Readonly<Record<keyof Mail, true>> = {
  to: true,
  from: true,
  replyTo: true,
  subject: true,
  text: true,
  html: true,
  attachments: true,
  headers: true,
  idempotencyKey: true,
};

/** What every server has to take (RFC 5321 section 4.5.3.1.8). */
const MAX_RECIPIENTS = 100;
const MAX_SUBJECT_LENGTH = 900;
const MAX_KEY_LENGTH = 255;
const MAX_BODY_BYTES = 1_048_576;

/**
 * @param defaultFrom The sender of a mail that names none.
 * @throws MailError permanent, with a sentence about the first thing that is wrong
 */
export function checkMail(mail: Mail, defaultFrom: Mailbox | undefined): Message {
  if (typeof mail !== "object" || mail === null) refuseMail("A mail has to be an object.");
  for (const name of Object.keys(mail)) {
    if (!Object.hasOwn(FIELDS, name)) {
      refuseMail(`"${name}" is not a field of a mail.${didYouMean(name, Object.keys(FIELDS))}`);
    }
  }
  const from = mail.from === undefined ? defaultFrom : parseMailbox(mail.from, "from");
  if (from === undefined) {
    refuseMail('A mail needs a "from": give it one, or start the server with a sender.');
  }
  return {
    messageId: messageId(checkKey(mail.idempotencyKey), domainOf(from.address)),
    from,
    to: checkRecipients(mail.to),
    replyTo: mail.replyTo === undefined ? undefined : parseMailbox(mail.replyTo, "replyTo"),
    subject: checkSubject(mail.subject),
    text: checkBody(mail.text, "text"),
    html: mail.html === undefined ? undefined : checkBody(mail.html, "html"),
    attachments: checkAttachments(mail.attachments),
    headers: checkHeaders(mail.headers),
  };
}

function checkRecipients(to: unknown): Mailbox[] {
  const all = Array.isArray(to) ? to : [to];
  if (all.length === 0) refuseMail('"to" of a mail is empty: it needs at least one address.');
  if (all.length > MAX_RECIPIENTS) {
    refuseMail(`"to" of a mail has more than ${MAX_RECIPIENTS} addresses: send several mails.`);
  }
  return all.map((text) => parseMailbox(text, "to"));
}

function checkSubject(subject: unknown): string {
  if (typeof subject !== "string") refuseMail('"subject" of a mail has to be a string.');
  if (subject.length > MAX_SUBJECT_LENGTH) {
    refuseMail(`"subject" of a mail is longer than ${MAX_SUBJECT_LENGTH} characters.`);
  }
  if (LINE_BREAKING.test(subject) || !subject.isWellFormed()) {
    refuseMail('"subject" of a mail has a line break or another control character in it.');
  }
  return subject;
}

function checkBody(body: unknown, field: string): string {
  if (typeof body !== "string") refuseMail(`"${field}" of a mail has to be a string.`);
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) {
    refuseMail(`"${field}" of a mail is larger than 1 MiB.`);
  }
  if (body.includes("\0") || !body.isWellFormed()) {
    refuseMail(`"${field}" of a mail is not text: it has a NUL or half a character in it.`);
  }
  return body;
}

function checkKey(key: unknown): string {
  if (typeof key !== "string" || key.length === 0 || key.length > MAX_KEY_LENGTH) {
    refuseMail(
      `"idempotencyKey" of a mail has to be a string of 1 to ${MAX_KEY_LENGTH} characters. A job has one for you: its "key".`,
    );
  }
  return key;
}

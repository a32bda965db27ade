import { LINE_BREAKING } from "./address.ts";
import { refuseMail } from "./mail-error.ts";

const MAX_HEADERS = 50;
/** With its name it stays below the 998 octets of a line (RFC 5322 section 2.1.1). */
const MAX_VALUE_BYTES = 900;
const NAME = /^[a-z][a-z0-9-]{0,75}$/i;

/** Written from the mail's own fields, by servers on the way, or by whoever signs. */
const OURS =
  /^(?:from|sender|to|cc|bcc|reply-to|subject|date|message-id|mime-version|content-.*|resent-.*|return-path|received|dkim-signature|authentication-results)$/i;

/** @throws MailError permanent */
export function checkHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (headers === undefined) return {};
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    refuseMail('"headers" of a mail has to be an object of names and values.');
  }
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) refuseMail(`A mail has more than ${MAX_HEADERS} headers.`);
  const names = new Set<string>();
  for (const [name, value] of entries) {
    // The name isn't repeated before it is known to be harmless.
    if (!NAME.test(name)) {
      refuseMail("A name in the headers of a mail may have letters, digits and hyphens only.");
    }
    if (OURS.test(name)) {
      refuseMail(`"${name}" can't be among the headers of a mail: its own fields decide it.`);
    }
    if (names.has(name.toLowerCase())) refuseMail(`The header "${name}" of a mail is there twice.`);
    names.add(name.toLowerCase());
    checkValue(name, value);
  }
  return Object.fromEntries(entries);
}

function checkValue(name: string, value: unknown): void {
  if (typeof value !== "string") refuseMail(`The header "${name}" of a mail has to be a string.`);
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    refuseMail(`The header "${name}" of a mail is longer than ${MAX_VALUE_BYTES} bytes.`);
  }
  if (LINE_BREAKING.test(value) || !value.isWellFormed()) {
    refuseMail(
      `The header "${name}" of a mail has a line break or another control character in it.`,
    );
  }
}

import { domainToASCII } from "node:url";
import { refuseMail } from "./mail-error.ts";

/** A mailbox (RFC 5322 section 3.4). */
export interface Mailbox {
  /** Empty where there is none. */
  readonly name: string;
  /** `alice@example.com`; the domain in its ASCII form (RFC 5891). */
  readonly address: string;
}

/** Control characters and the line breaks of Unicode: none of them may be in a header field. */
export const LINE_BREAKING = /[\p{Cc}\u2028\u2029]/u;

const MAX_TEXT_LENGTH = 512;
/** RFC 5321 section 4.5.3.1: a path is 256 octets with its angle brackets. */
const MAX_ADDRESS_BYTES = 254;
const MAX_LOCAL_PART_BYTES = 64;

/** A dot-atom (RFC 5322 section 3.2.3), with the letters of RFC 6532. Quoted forms are refused. */
const LOCAL_PART =
  /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * One mailbox: `alice@example.com`, `Alice <alice@example.com>` or `"Alice" <alice@example.com>`.
 * @param field Its name in a sentence: `to`, `from`.
 * @throws MailError permanent
 */
export function parseMailbox(text: unknown, field: string): Mailbox {
  if (typeof text !== "string") refuseMail(`"${field}" of a mail has to be a string.`);
  if (text.length > MAX_TEXT_LENGTH) {
    refuseMail(`"${field}" of a mail is longer than ${MAX_TEXT_LENGTH} characters.`);
  }
  if (LINE_BREAKING.test(text) || !text.isWellFormed()) {
    refuseMail(`"${field}" of a mail has a line break or another control character in it.`);
  }
  const trimmed = text.trim();
  const angle = trimmed.endsWith(">") ? trimmed.lastIndexOf("<") : -1;
  if (angle === -1) return { name: "", address: checkAddress(trimmed, field) };
  return {
    name: displayName(trimmed.slice(0, angle).trim(), field),
    address: checkAddress(trimmed.slice(angle + 1, -1), field),
  };
}

/** The domain of an address that was checked. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

function displayName(text: string, field: string): string {
  const quoted = /^"(.*)"$/.exec(text)?.[1];
  const name = quoted === undefined ? text : quoted.replaceAll(/\\(.)/g, "$1");
  if (/[<>]/.test(name)) refuseAddress(field);
  return name;
}

function checkAddress(text: string, field: string): string {
  const at = text.lastIndexOf("@");
  const localPart = text.slice(0, at);
  const domain = text.slice(at + 1);
  // Before domainToASCII, which would decode `%41` and cut at a slash.
  if (at < 1 || !LOCAL_PART.test(localPart) || !DOMAIN.test(domain)) refuseAddress(field);
  const ascii = domainToASCII(domain);
  const labels = ascii.split(".");
  const address = `${localPart}@${ascii}`;
  if (
    !labels.every((label) => LABEL.test(label)) ||
    /^\d+$/.test(labels.at(-1)!) ||
    Buffer.byteLength(localPart) > MAX_LOCAL_PART_BYTES ||
    Buffer.byteLength(address) > MAX_ADDRESS_BYTES
  ) {
    refuseAddress(field);
  }
  return address;
}

function refuseAddress(field: string): never {
  const several = field === "to" ? " Write several as an array." : "";
  refuseMail(
    `"${field}" of a mail is not a mail address. Write alice@example.com or Alice <alice@example.com>.${several}`,
  );
}

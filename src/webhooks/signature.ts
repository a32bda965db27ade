import { createHmac, timingSafeEqual } from "node:crypto";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { parseWebhookSecret } from "./secret.ts";

/** What a signed webhook carries besides its body (Standard Webhooks 1.0.0, "Webhook headers"). */
export interface WebhookHeaders {
  /** The same for every attempt: what a receiver tells doubles by. */
  readonly "webhook-id": string;
  /** Seconds since the Unix epoch, of this attempt. */
  readonly "webhook-timestamp": string;
  /** `v1,` and Base64, for each secret; separated by spaces. */
  readonly "webhook-signature": string;
}

export interface SignedContent {
  /** Visible ASCII without a full stop, at most 256 characters: `msg_2KWPBgLlAfxdpx2AI54pPJ85f4W`. */
  readonly id: string;
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  /** The body exactly as it is sent. */
  readonly body: string | Uint8Array;
}

/** A full stop would let one id and timestamp be read as another, with the same signature. */
const ID = /^[!-\-/-~]{1,256}$/;
const TIMESTAMP = /^(?:0|[1-9]\d{0,14})$/;
/** Ten secrets are more than any rotation needs; each signature is 47 characters. */
const MAX_SIGNATURES = 10;

/**
 * @param secrets `whsec_…`, the current one first. During a rotation the old one as well: the
 *   receiver then finds a signature that it can verify, whichever it knows.
 * @throws TypeError for an id, a timestamp or secrets that can't be used
 */
export function signWebhook(content: SignedContent, secrets: readonly string[]): WebhookHeaders {
  const { id, timestamp } = content;
  if (!ID.test(id)) {
    throw new TypeError("A webhook id has 1 to 256 visible ASCII characters and no full stop.");
  }
  if (!Number.isSafeInteger(timestamp) || !TIMESTAMP.test(String(timestamp))) {
    throw new TypeError("A webhook timestamp is a whole number of seconds since the Unix epoch.");
  }
  if (secrets.length === 0 || secrets.length > MAX_SIGNATURES) {
    throw new TypeError(`A webhook is signed with 1 to ${MAX_SIGNATURES} secrets.`);
  }
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": secrets
      .map((secret) => `v1,${hmac(content, parseWebhookSecret(secret)).toString("base64")}`)
      .join(" "),
  };
}

export interface VerifyOptions {
  /** Seconds that the timestamp may be off, to either side. Default 300. */
  readonly toleranceSeconds?: number;
  readonly clock?: Clock;
}

/** Why a webhook was not accepted. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
}

/**
 * For receivers. Also look at the id, which is the same when a webhook comes again.
 * @param headers With names in lower case, as Node gives them.
 * @param body As it came, not parsed and written again.
 * @param secrets One of them has to fit: the current one, and during a rotation the old one.
 * @throws WebhookVerificationError if it isn't from who has a secret, or not from now
 * @throws TypeError for secrets that can't be used
 */
export function verifyWebhook(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string | Uint8Array,
  secrets: readonly string[],
  { toleranceSeconds = 300, clock = systemClock }: VerifyOptions = {},
): { readonly id: string; readonly timestamp: number } {
  const id = headers["webhook-id"];
  const written = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (typeof id !== "string" || typeof written !== "string" || typeof signatures !== "string") {
    throw new WebhookVerificationError(
      "A webhook has one webhook-id, webhook-timestamp and webhook-signature each.",
    );
  }
  if (!ID.test(id) || !TIMESTAMP.test(written)) {
    throw new WebhookVerificationError("The webhook-id or webhook-timestamp is malformed.");
  }
  const timestamp = Number(written);
  const age = Math.floor(clock.now() / 1000) - timestamp;
  if (age > toleranceSeconds) throw new WebhookVerificationError("The webhook is too old.");
  if (age < -toleranceSeconds) throw new WebhookVerificationError("The webhook is of the future.");
  const expected = secrets.map((secret) =>
    hmac({ id, timestamp, body }, parseWebhookSecret(secret)),
  );
  if (!anyEqual(signaturesIn(signatures), expected)) {
    throw new WebhookVerificationError("No signature of the webhook fits.");
  }
  return { id, timestamp };
}

/** Those of version 1; others, such as `v1a`, are for those who know them. */
function signaturesIn(header: string): Buffer[] {
  return header
    .split(" ", MAX_SIGNATURES)
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => Buffer.from(signature.slice(3), "base64"));
}

/** Compares all with all: how long it takes says nothing about which one fits. */
function anyEqual(given: readonly Buffer[], expected: readonly Buffer[]): boolean {
  let equal = false;
  for (const signature of given) {
    for (const digest of expected) {
      if (signature.length === digest.length && timingSafeEqual(signature, digest)) equal = true;
    }
  }
  return equal;
}

function hmac({ id, timestamp, body }: SignedContent, key: Buffer): Buffer {
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
}

import { randomBytes } from "node:crypto";

/** The spec wants 24 to 64 bytes ("Signature scheme"). */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const GENERATED_BYTES = 32;
const PREFIX = "whsec_";

/** A new signing secret of 256 random bits in its written form: `whsec_` and Base64. */
export function generateWebhookSecret(): string {
  return PREFIX + randomBytes(GENERATED_BYTES).toString("base64");
}

/**
 * The key behind a written secret.
 * @throws TypeError with a sentence that does not repeat the secret
 */
export function parseWebhookSecret(secret: string): Buffer {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : undefined;
  const key = Buffer.from(encoded ?? "", "base64");
  // Node skips what is not Base64: a secret with a slip in it would be another one without notice.
  if (key.toString("base64") !== encoded || key.length < MIN_BYTES || key.length > MAX_BYTES) {
    throw new TypeError(
      `A webhook secret is ${PREFIX} and the Base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes.`,
    );
  }
  return key;
}

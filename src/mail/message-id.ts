import { createHash } from "node:crypto";

/**
 * The `Message-ID` (RFC 5322 section 3.6.4) of the mail with this idempotency key, with its angle
 * brackets. A mail that is sent again has the same one, by which servers and readers can tell.
 */
export function messageId(idempotencyKey: string, domain: string): string {
  return `<${createHash("sha256").update(idempotencyKey).digest("hex")}@${domain}>`;
}

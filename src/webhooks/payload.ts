import type { Json } from "../kernel/json.ts";

/** What happened, for whoever listens. */
export interface WebhookEvent {
  /** Identifiers with full stops between them, from the general to the special: `user.created`. */
  readonly type: string;
  /** Milliseconds since the Unix epoch, when it happened. */
  readonly at: number;
  readonly data: Json;
}

export interface PayloadOptions {
  /** Default 65,536. The spec advises to stay below 20 kB: send ids, and let receivers ask. */
  readonly maxBytes?: number;
}

const TYPE = /^[a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)*$/;
const MAX_TYPE_LENGTH = 128;

/**
 * The body of a webhook: `{ "type", "timestamp", "data" }` (Standard Webhooks 1.0.0, "Payload
 * structure"), with the time in ISO 8601. Write it once and keep it: each attempt sends the same.
 * @throws TypeError for a type, time or data that can't be written
 * @throws RangeError if it is larger than `maxBytes`
 */
export function webhookPayload(
  { type, at, data }: WebhookEvent,
  { maxBytes = 65_536 }: PayloadOptions = {},
): string {
  if (type.length > MAX_TYPE_LENGTH || !TYPE.test(type)) {
    throw new TypeError(
      `The type of a webhook has identifiers of letters, digits and _ with full stops between them, such as user.created, and ${MAX_TYPE_LENGTH} characters at most.`,
    );
  }
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) {
    throw new TypeError("The time of a webhook is milliseconds since the Unix epoch.");
  }
  if (data === undefined) throw new TypeError(`A webhook of type ${type} has no data.`);
  const payload = JSON.stringify({ type, timestamp: time.toISOString(), data });
  const bytes = Buffer.byteLength(payload);
  if (bytes > maxBytes) {
    throw new RangeError(
      `A webhook of type ${type} has ${bytes} bytes; ${maxBytes} are allowed. Send ids instead of whole records.`,
    );
  }
  return payload;
}

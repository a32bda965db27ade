import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { DestinationError, type DestinationGuard } from "./destination.ts";
import { retryAfterMs } from "./retry-after.ts";
import { signWebhook } from "./signature.ts";

export interface Webhook {
  readonly url: string;
  /** The same for every attempt. */
  readonly id: string;
  /** JSON, as `webhookPayload` writes it. */
  readonly body: string;
  /** `whsec_…`, the current one first. */
  readonly secrets: readonly string[];
}

export interface DeliveryOptions {
  readonly guard: DestinationGuard;
  /** Stops the attempt; its outcome is then `retry`. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer has begun, from the resolving of the name on. Default 15,000. */
  readonly timeoutMs?: number;
  /** Milliseconds that a receiver may put the next attempt off. Default 86,400,000: a day. */
  readonly maxRetryAfterMs?: number;
  /** Certificates (PEM) to trust instead of the usual authorities. */
  readonly ca?: string;
  readonly clock?: Clock;
}

/** What came of one attempt. */
export interface Delivery {
  /**
   * - `delivered`: answered with a status of 2xx.
   * - `retry`: anything else that may go better another time, redirects included.
   * - `gone`: 410, the receiver wants no more; its endpoint is to be disabled.
   * - `refused`: the destination is not allowed; nothing was sent.
   */
  readonly outcome: "delivered" | "retry" | "gone" | "refused";
  /** Of the answer, where there was one. */
  readonly status?: number;
  /** Milliseconds that the receiver asks to be left alone, from `Retry-After` of a 429 or 503. */
  readonly retryAfterMs?: number;
  /** How long it took. */
  readonly milliseconds: number;
  /** A sentence for a log or a list of attempts, without secrets and without what was answered. */
  readonly detail: string;
}

/** Of an answer's body nothing is kept; it is read so that the receiver can finish. */
const MAX_BODY_BYTES = 16_384;
const MAX_BODY_MS = 1_000;
const MAX_HEADER_BYTES = 16_384;

/**
 * Makes one attempt to deliver a webhook, over a connection of its own, so that no connection is
 * ever used that was judged for something else. Redirects are not followed.
 * @throws TypeError for an id or secrets that can't be used; never for what the receiver does
 */
export async function deliverWebhook(
  webhook: Webhook,
  { guard, signal, timeoutMs = 15_000, ca, ...options }: DeliveryOptions,
): Promise<Delivery> {
  const { clock = systemClock, maxRetryAfterMs = 86_400_000 } = options;
  const began = performance.now();
  const ended = (result: Omit<Delivery, "milliseconds">): Delivery => ({
    ...result,
    milliseconds: Math.round(performance.now() - began),
  });
  const timestamp = Math.floor(clock.now() / 1_000);
  const { id, body, secrets } = webhook;
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": "Posthaste",
    ...signWebhook({ id, timestamp, body }, secrets),
  };
  // Not AbortSignal.timeout(), whose timer does not keep a process alive that waits for it.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  let host = "The receiver";
  try {
    const url = guard.check(webhook.url);
    host = url.host;
    const response = await post(url, body, {
      headers,
      lookup: guard.lookup,
      signal: signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
      ...(ca !== undefined && { ca }),
    });
    const status = response.statusCode!;
    const retryAfter =
      status === 429 || status === 503
        ? retryAfterMs(response.headers["retry-after"], clock, maxRetryAfterMs)
        : undefined;
    await readAway(response);
    return ended({
      ...judgement(status, host),
      status,
      ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
    });
  } catch (error) {
    if (error instanceof DestinationError) {
      return ended({ outcome: "refused", detail: error.message });
    }
    if (signal?.aborted) return ended({ outcome: "retry", detail: "The attempt was stopped." });
    if (deadline.signal.aborted) {
      const detail = `${host} did not answer within ${timeoutMs} ms.`;
      return ended({ outcome: "retry", detail });
    }
    return ended({ outcome: "retry", detail: `${host} ${failure(error)}` });
  } finally {
    clearTimeout(timer);
  }
}

/** Settles when the status and the header fields of the answer are there. */
function post(url: URL, body: string, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    request(url, { ...options, method: "POST", agent: false, maxHeaderSize: MAX_HEADER_BYTES })
      .on("response", resolve)
      .on("error", reject)
      // Node drops an answer that switches protocols (101) without an error.
      .on("close", () => reject(new Error("It ended without an answer.")))
      .end(body);
  });
}

function readAway(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed) return resolve();
    let bytes = 0;
    const timer = setTimeout(() => response.destroy(), MAX_BODY_MS);
    response
      .on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) response.destroy();
      })
      .on("close", () => {
        clearTimeout(timer);
        resolve();
      });
  });
}

function judgement(status: number, host: string): Pick<Delivery, "outcome" | "detail"> {
  const answered = `${host} answered ${status}`;
  if (status >= 200 && status < 300) return { outcome: "delivered", detail: `${answered}.` };
  if (status === 410) return { outcome: "gone", detail: `${answered}: it wants no more webhooks.` };
  if (status >= 300 && status < 400) {
    return { outcome: "retry", detail: `${answered}, and redirects are not followed.` };
  }
  return { outcome: "retry", detail: `${answered}.` };
}

/** The code alone: messages of errors say what was sent and by whom. */
function failure(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (/CERT|SELF_SIGNED|ISSUER/.test(code))
    return `has a certificate that can't be trusted (${code}).`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `can't be found (${code}).`;
  if (code.startsWith("HPE_")) return `answered with something that is not HTTP (${code}).`;
  return `can't be reached, or hung up${code ? ` (${code})` : ""}.`;
}

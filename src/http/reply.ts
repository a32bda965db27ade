import { once } from "node:events";
import type { FastifyReply } from "fastify";
import { crashPoint } from "../kernel/crash-points.ts";
import type { Answer } from "../pipeline/answer.ts";
import { drainThen } from "./body.ts";

/** Sends an answer as it is; what every answer carries is added here and nowhere else. */
export function sendAnswer(reply: FastifyReply, answer: Answer, requestId: string): void {
  crashPoint("before-answer");
  reply.code(answer.status);
  reply.headers(answer.headers);
  reply.header("request-id", requestId);
  // OWASP: a browser must not guess another type than the one that is said.
  reply.header("x-content-type-options", "nosniff");
  // The body is text already; Fastify would add a charset that JSON does not have (RFC 8259).
  reply.serializer(asIs);
  reply.send(answer.body);
}

/**
 * Sends events as they come, no faster than the client reads them, until there are no more, the
 * client is gone, or the server stops.
 */
export async function sendEvents(
  reply: FastifyReply,
  { status, headers }: Answer,
  events: AsyncIterable<string>,
  requestId: string,
  isDraining: () => boolean,
): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...headers,
    "request-id": requestId,
    "x-content-type-options": "nosniff",
  });
  raw.flushHeaders();
  if (reply.request.method !== "HEAD") {
    for await (const event of events) {
      if (raw.destroyed || raw.closed || isDraining()) break;
      if (event !== "" && !raw.write(event))
        await Promise.race([once(raw, "drain"), once(raw, "close")]);
    }
  }
  raw.end();
}

const asIs = (body: unknown) => body as string;

/**
 * Sends an answer to a request whose body was not read to its end, and closes the connection. The
 * client has all of the answer at once; only the end of the connection waits.
 */
export function sendAnswerAndClose(reply: FastifyReply, answer: Answer, requestId: string): void {
  const { raw } = reply;
  const body = answer.body ?? "";
  reply.hijack();
  raw.writeHead(answer.status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...answer.headers,
    "request-id": requestId,
    "x-content-type-options": "nosniff",
    // RFC 9110 section 8.6: none in a 204, nor in a 304 of another length than its 200.
    ...(answer.status === 204 || answer.status === 304
      ? {}
      : { "content-length": Buffer.byteLength(body) }),
    connection: "close",
  });
  raw.write(body);
  drainThen(reply.request.raw, () => raw.end());
}

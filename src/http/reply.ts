import type { FastifyReply } from "fastify";
import type { Answer } from "../pipeline/answer.ts";

/** Sends an answer as it is; what every answer carries is added here and nowhere else. */
export function sendAnswer(reply: FastifyReply, answer: Answer, requestId: string): void {
  reply.code(answer.status);
  reply.headers(answer.headers);
  reply.header("request-id", requestId);
  // OWASP: a browser must not guess another type than the one that is said.
  reply.header("x-content-type-options", "nosniff");
  // The body is text already; Fastify would add a charset that JSON does not have (RFC 8259).
  reply.serializer(asIs);
  reply.send(answer.body);
}

const asIs = (body: unknown) => body as string;

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Dialect } from "../declare/dialect.ts";
import { requestId } from "../kernel/ids.ts";
import type { Observe } from "../kernel/observations.ts";
import { Problem } from "../kernel/problems.ts";
import type { Answer } from "../pipeline/answer.ts";
import { problemAnswer } from "../pipeline/problem-answer.ts";

export interface RawAnswers {
  readonly dialect: Dialect;
  readonly pages: string;
  readonly observe: Observe;
}

type ParserError = Error & { readonly code?: string | undefined; readonly rawPacket?: unknown };

/** A request that never becomes one: Node's parser gives up, and only the socket is left to answer on. */
export function answerParserError(error: ParserError, socket: Socket, context: RawAnswers): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  // An answer is on its way already: anything more would be read as a part of it.
  const { _httpMessage: current } = socket as Socket & { _httpMessage?: ServerResponse };
  if (current?.headersSent) {
    socket.destroy();
    return;
  }
  answerOnSocket(socket, problemOfParser(error), context);
}

/** What Node would answer by itself, or not at all, before a route is reached. */
export function answerBeforeRoutes(server: Server, context: RawAnswers): void {
  server.on("connect", (_request: IncomingMessage, socket: Socket) => {
    answerOnSocket(
      socket,
      new Problem("method-not-allowed", {
        headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
      }),
      context,
    );
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const id = requestId();
    const answer = problemAnswer(
      new Problem("expectation-failed"),
      context.dialect,
      context.pages,
      id,
    );
    response.writeHead(answer.status, { ...headersOf(answer, id), connection: "close" });
    response.end(answer.body);
    observed(context, id, request.method ?? "", answer);
  });
  // The decision to read a body is the pipeline's: see readBody.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    server.emit("request", request, response);
  });
}

/** https://nodejs.org/api/http.html#event-clienterror and the error codes of llhttp */
function problemOfParser({ code, rawPacket }: ParserError): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      // The parser counts the request line as a header; a first line without an end is a long URL.
      return Buffer.isBuffer(rawPacket) && !rawPacket.includes("\n")
        ? new Problem("uri-too-long")
        : new Problem("header-fields-too-large");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new Problem("content-too-large", { detail: "The chunk extensions are too large." });
    default:
      return new Problem("malformed-request");
  }
}

function answerOnSocket(socket: Socket, problem: Problem, context: RawAnswers): void {
  const id = requestId();
  const answer = problemAnswer(problem, context.dialect, context.pages, id);
  const headers = {
    ...headersOf(answer, id),
    "content-length": Buffer.byteLength(answer.body ?? ""),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${problem.type}\r\n${lines.join("")}\r\n${answer.body}`);
  observed(context, id, "", answer);
}

function headersOf(answer: Answer, id: string): Record<string, string> {
  return { ...answer.headers, "request-id": id, "x-content-type-options": "nosniff" };
}

function observed(
  { observe }: RawAnswers,
  id: string,
  method: string,
  { status, problem }: Answer,
): void {
  observe({
    event: "request.answered",
    requestId: id,
    method,
    path: "",
    status,
    milliseconds: 0,
    ...(problem === undefined ? {} : { problem }),
  });
}

import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Dialect } from "../declare/dialect.ts";
import { systemClock } from "../kernel/clock.ts";
import { requestId } from "../kernel/ids.ts";
import type { Observe } from "../kernel/observations.ts";
import { Problem } from "../kernel/problems.ts";
import type { Answer } from "../pipeline/answer.ts";
import { problemAnswer } from "../pipeline/problem-answer.ts";
import { drainThen, waitingForContinue } from "./body.ts";

export interface RawAnswers {
  readonly dialect: Dialect;
  readonly pages: string;
  readonly observe: Observe;
}

type ParserError = Error & {
  readonly code?: string | undefined;
  readonly rawPacket?: unknown;
  /** Where in `rawPacket` the parser stopped. */
  readonly bytesParsed?: number;
};

/** Sockets that had their last answer; the parser goes on to report every packet that follows. */
const answered = new WeakSet<Socket>();

/** A request that never becomes one: Node's parser gives up, and only the socket is left to answer on. */
export function answerParserError(error: ParserError, socket: Socket, context: RawAnswers): void {
  if (answered.has(socket)) return;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  answered.add(socket);
  const problem = problemOfParser(error);
  ignoreWhatFollows(socket);
  afterEarlierAnswers(socket, (begun) => {
    // An answer is on its way already: anything more would be read as a part of it.
    if (begun !== undefined) begun.once("finish", () => socket.end());
    else if (socket.writable) answerOnSocket(socket, "", problem, context);
    destroySoon(socket);
  });
}

/** What Node would answer by itself, or not at all, before a route is reached. */
export function answerBeforeRoutes(server: Server, context: RawAnswers): void {
  server.on("connect", ({ method = "" }: IncomingMessage, socket: Socket) => {
    // Node has taken its own listeners off, and an error that nobody hears ends the process.
    socket.on("error", () => socket.destroy());
    const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    ignoreWhatFollows(socket);
    answerOnSocket(
      socket,
      method,
      new Problem("method-not-allowed", { headers: { allow } }),
      context,
    );
    destroySoon(socket);
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const id = requestId();
    const answer = problemAnswer(
      new Problem("expectation-failed"),
      context.dialect,
      context.pages,
      id,
    );
    // Whether the body comes is up to the client, so what follows can't be told from it.
    const length = { "content-length": Buffer.byteLength(answer.body ?? ""), connection: "close" };
    response.writeHead(answer.status, { ...headersOf(answer, id), ...length });
    response.write(answer.body);
    drainThen(request, () => response.end());
    observed(context, id, request.method ?? "", answer);
  });
  // The decision to read a body is the pipeline's: see readBody.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    waitingForContinue.add(request);
    server.emit("request", request, response);
  });
}

/** https://nodejs.org/api/http.html#event-clienterror and the error codes of llhttp */
function problemOfParser(error: ParserError): Problem {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem(isInRequestLine(error) ? "uri-too-long" : "header-fields-too-large");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new Problem("content-too-large", { detail: "The chunk extensions are too large." });
    default:
      return new Problem("malformed-request", { detail: details[error.code ?? ""] ?? unreadable });
  }
}

const unreadable = "The bytes can't be read as an HTTP/1.1 request.";
const oneLength = "A request has one Content-Length, which is a whole number, or it is chunked.";

/** What the parser found, in words of ours: its own are nobody's business. */
const details: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD: "The request line does not begin with a method that the server knows.",
  HPE_INVALID_URL: "The request target is not a URL.",
  HPE_INVALID_VERSION: "The request line does not end in a known version of HTTP, CR and LF.",
  HPE_INVALID_HEADER_TOKEN: "A header field has a character in it that none may have.",
  HPE_INVALID_CONTENT_LENGTH: oneLength,
  HPE_UNEXPECTED_CONTENT_LENGTH: oneLength,
  HPE_INVALID_TRANSFER_ENCODING: oneLength,
  HPE_INVALID_CHUNK_SIZE: "The length of a chunk is not a hexadecimal number.",
  HPE_CR_EXPECTED: "A line does not end in CR LF.",
  HPE_LF_EXPECTED: "A line does not end in CR LF.",
  HPE_STRICT: "A line, or a chunk, does not end in CR LF.",
  HPE_INVALID_EOF_STATE: "The connection ended in the middle of the request.",
};

/**
 * The parser counts the request line as a header, and stops behind what was too much of it. Where
 * the line began in an earlier packet and ends in a later one, a header is the better guess.
 */
function isInRequestLine({ rawPacket, bytesParsed = 0 }: ParserError): boolean {
  if (!Buffer.isBuffer(rawPacket) || bytesParsed === 0) return false;
  const start = rawPacket.lastIndexOf("\n", bytesParsed - 1) + 1;
  return (
    rawPacket.toString("latin1", bytesParsed, bytesParsed + 6) === " HTTP/" ||
    /^[A-Z-]{1,20} [^ :]/.test(rawPacket.toString("latin1", start, start + 24))
  );
}

type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/**
 * Waits for the answers to pipelined requests that were complete: answers come in the order of
 * requests (RFC 9112 section 9.3.2).
 * @param act Gets the answer to the malformed request itself, where that one has begun already.
 */
function afterEarlierAnswers(
  socket: HttpSocket,
  act: (begun: ServerResponse | undefined) => void,
): void {
  const { _httpMessage: current } = socket;
  if (current?.req.complete) current.once("close", () => afterEarlierAnswers(socket, act));
  else act(current?.headersSent ? current : undefined);
}

/** Reads on, so that the other side gets to see its answer, but past the parser. */
function ignoreWhatFollows(socket: Socket): void {
  socket.removeAllListeners("data");
  socket.on("data", () => {});
}

function destroySoon(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), 1_000);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

function answerOnSocket(
  socket: Socket,
  method: string,
  problem: Problem,
  context: RawAnswers,
): void {
  const id = requestId();
  const answer = problemAnswer(problem, context.dialect, context.pages, id);
  const headers = {
    ...headersOf(answer, id),
    date: new Date(systemClock.now()).toUTCString(),
    "content-length": Buffer.byteLength(answer.body ?? ""),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines.join("")}\r\n${answer.body}`,
  );
  observed(context, id, method, answer);
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

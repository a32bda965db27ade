import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Problem } from "../kernel/problems.ts";

/** Requests of which Node leaves the 100 to us; in a host's server it has sent one by itself. */
export const waitingForContinue = new WeakSet<IncomingMessage>();

/** The client went away in the middle of its request: there is nobody to answer. */
export class ClientGone extends Error {}

/**
 * Reads a body and stops at the limit, whatever Content-Length promised: the wire has the last word.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // RFC 9110 section 10.1.1: only now, after every check that needs no body.
  // HTTP/1.0 knows no interim answers, and its clients may send the field by mistake.
  if (waitingForContinue.has(request) && request.httpVersion === "1.1") response.writeContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
      } else {
        request.pause();
        reject(tooLarge(maxBytes));
      }
    });
    request.on("end", () =>
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)),
    );
    request.on("close", () => {
      if (!request.complete) reject(new ClientGone("The client went away."));
    });
    request.on("error", () => {});
  });
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("content-too-large", { detail: `A body may have ${maxBytes} bytes here.` });
}

/** Connections that end behind the answer under way. */
const ending = new WeakSet<Socket>();

export function endBehind(socket: Socket): void {
  ending.add(socket);
}

export function isEnding(socket: Socket): boolean {
  return ending.has(socket);
}

const DRAIN_MS = 2_000;

/**
 * Ends the connection behind an answer that leaves body bytes unread: the next request can't be
 * found without reading on. What is still under way is read and dropped for a moment first, because
 * closing on unread bytes resets the connection, and a reset takes the answer with it.
 * @param end Sends the end of the answer
 */
export function drainThen(request: IncomingMessage, end: () => void): void {
  endBehind(request.socket);
  let ended = false;
  const once = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    end();
  };
  const timer = setTimeout(once, DRAIN_MS);
  request.removeAllListeners("data");
  request.on("data", () => {});
  request.once("end", once).once("close", once);
  request.resume();
}

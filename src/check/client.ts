import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { type Answer, NoAnswer, type Request } from "./message.ts";

/** How long to wait, and when to stop waiting at once. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends a well-formed request on a connection of its own, so that nothing of an earlier exchange
 * is left in it, and gives the final answer. Redirects are not followed.
 *
 * @throws {NoAnswer} where none came.
 */
export function send(request: Request, { timeoutMs, signal }: Patience): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { url, method, body } = request;
    const scheme = url.protocol === "https:" ? https : http;
    const outgoing = scheme.request(url, {
      method,
      headers: [...linesWithFraming(request)].flat(),
      agent: false,
      signal,
    });
    const late = setTimeout(() => {
      outgoing.destroy(new NoAnswer(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    outgoing.on("response", (incoming) => {
      read(incoming)
        .then(resolve, (error) => reject(asNoAnswer(error)))
        .finally(() => {
          clearTimeout(late);
          outgoing.destroy();
        });
    });
    outgoing.on("error", (error) => {
      clearTimeout(late);
      reject(signal.aborted ? signal.reason : asNoAnswer(error));
    });
    outgoing.end(body);
  });
}

/** The lines of a request with those that say where and how long it is. */
export function linesWithFraming({ url, headers, body, method }: Request): [string, string][] {
  const has = (name: string) => headers.some(([each]) => each.toLowerCase() === name);
  const lines: [string, string][] = headers.map(([name, value]) => [name, value]);
  if (!has("host")) lines.unshift(["Host", url.host]);
  const needsLength = body !== undefined || method === "POST" || method === "PUT";
  if (needsLength && !has("content-length") && !has("transfer-encoding"))
    lines.push(["Content-Length", String(body?.length ?? 0)]);
  if (!has("connection")) lines.push(["Connection", "close"]);
  return lines;
}

async function read(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Map<string, string>();
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    headers.set(name, values!.join(", "));
  return { status: incoming.statusCode!, headers, body: Buffer.concat(chunks) };
}

export function asNoAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ECONNREFUSED":
      return new NoAnswer("nobody listens there", true);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new NoAnswer("the host name is not known", true);
    case "ECONNRESET":
    case "EPIPE":
      return new NoAnswer("the connection was closed without an answer");
    default:
      return new NoAnswer(code?.startsWith("HPE_") ? "the answer is not HTTP/1.1" : message);
  }
}

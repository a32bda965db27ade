import type { Answer } from "./message.ts";

interface ReadAnswer {
  readonly answer: Answer;
  /** How many of the bytes belong to it. */
  readonly bytes: number;
}

/**
 * The HTTP/1.1 answer (RFC 9112) that the bytes begin with, or `undefined` while it is not whole.
 *
 * @param ended Whether no more bytes will come.
 */
export function readAnswer(bytes: Buffer, ended: boolean, method: string): ReadAnswer | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [statusLine = "", ...lines] = bytes.subarray(0, headEnd).toString("latin1").split("\r\n");
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(statusLine)?.[1] ?? 0);
  const headers = fieldsOf(lines);
  const body = bytes.subarray(headEnd + 4);
  const read = bodyOf(body, ended, { status, headers, method });
  if (read === undefined) return undefined;
  return {
    answer: { status, headers, body: read.body },
    bytes: headEnd + 4 + read.bytes,
  };
}

function fieldsOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** RFC 9112 section 6.3: how long the body of an answer is. */
function bodyOf(
  bytes: Buffer,
  ended: boolean,
  { status, headers, method }: Pick<Answer, "status" | "headers"> & { readonly method: string },
): { body: Buffer; bytes: number } | undefined {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304)
    return { body: Buffer.alloc(0), bytes: 0 };
  if (/chunked/i.test(headers.get("transfer-encoding") ?? "")) return chunkedBodyOf(bytes);
  const length = headers.get("content-length");
  if (length === undefined) return ended ? { body: bytes, bytes: bytes.length } : undefined;
  if (bytes.length < Number(length)) return undefined;
  return { body: bytes.subarray(0, Number(length)), bytes: Number(length) };
}

function chunkedBodyOf(bytes: Buffer): { body: Buffer; bytes: number } | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    const end = lineEnd + 2 + size;
    if (Number.isNaN(size) || bytes.length < end + 2) return undefined;
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
    if (size === 0) return { body: Buffer.concat(chunks), bytes: at };
  }
}

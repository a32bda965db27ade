import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

/** An answer as it came over the wire, checked against the grammar of HTTP/1.1 (RFC 9112). */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  /** By name in lower case; the lines of a field that came several times are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  json(): unknown;
}

/** What came is not HTTP, or breaks a rule that every sender must keep. */
export class MalformedAnswer extends Error {}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const HEAD_END = Buffer.from("\r\n\r\n");

/** A connection that sends exactly the bytes it is given, and reads answers strictly. */
export class RawConnection {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
  }

  static open(origin: string): Promise<RawConnection> {
    const { hostname, port } = new URL(origin);
    return new Promise((resolve, reject) => {
      // Half open, so that the other side's end is seen without ending ours.
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** Text is sent as Latin-1: one character, one byte. */
  send(bytes: string | Buffer): this {
    if (this.socket.writable) this.socket.write(bytes, "latin1");
    return this;
  }

  /** Says that nothing more will be sent, and goes on reading. */
  finish(): this {
    if (this.socket.writable) this.socket.end();
    return this;
  }

  /** Breaks off. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Whether the other side has ended the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** How it ended, where that was not in peace: `ECONNRESET`. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Bytes that no answer has claimed. */
  get unread(): Buffer {
    return this.#received;
  }

  /**
   * The next answer, interim ones (1xx) included; `undefined` where the connection ended instead.
   * @param to Method of the request: an answer to HEAD has no body, whatever its length says.
   */
  async answer(to = "GET"): Promise<RawAnswer | undefined> {
    const headEnd = await this.#find(HEAD_END);
    if (headEnd === -1) {
      if (this.#received.length === 0) return undefined;
      throw new MalformedAnswer(`The connection ended in a header: ${shown(this.#received)}`);
    }
    const head = this.#take(headEnd + 4).toString("latin1");
    const [statusLine, ...lines] = head.slice(0, -4).split("\r\n");
    const [, status, reason] = STATUS_LINE.exec(statusLine!) ?? malformed("status line", head);
    const headers = readFields(lines, head);
    const code = Number(status);
    const body = await this.#body(code, to, headers, head);
    return {
      status: code,
      reason: reason!,
      headers,
      body,
      json: () => JSON.parse(body.toString()),
    };
  }

  /** Waits until the other side has ended the connection. */
  async end(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  async #body(
    status: number,
    to: string,
    headers: ReadonlyMap<string, string>,
    head: string,
  ): Promise<Buffer> {
    const length = headers.get("content-length");
    const coding = headers.get("transfer-encoding");
    if (length !== undefined && !/^\d+$/.test(length)) malformed("Content-Length", head);
    if (length !== undefined && coding !== undefined) malformed("pair of lengths", head);
    if (status < 200 || status === 204) {
      if (length !== undefined || coding !== undefined) malformed(`length of a ${status}`, head);
      return Buffer.alloc(0);
    }
    if (!headers.has("date")) malformed("answer without Date (RFC 9110 section 6.6.1)", head);
    if (status === 304 || to === "HEAD") return Buffer.alloc(0);
    if (coding !== undefined) return this.#chunked(head);
    if (length === undefined) {
      await this.end();
      return this.#take(this.#received.length);
    }
    while (this.#received.length < Number(length)) {
      if (this.#ended) malformed("body that is shorter than its length", head);
      await this.#more();
    }
    return this.#take(Number(length));
  }

  async #chunked(head: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const lineEnd = await this.#find(Buffer.from("\r\n"));
      if (lineEnd === -1) malformed("chunked body", head);
      const line = this.#take(lineEnd + 2).toString("latin1");
      const size = Number.parseInt(line, 16);
      if (!/^[0-9a-f]+\r\n$/i.test(line)) malformed("chunk", line);
      while (this.#received.length < size + 2) {
        if (this.#ended) malformed("chunked body", head);
        await this.#more();
      }
      chunks.push(this.#take(size));
      if (this.#take(2).toString("latin1") !== "\r\n") malformed("end of a chunk", head);
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  /** Position of a pattern, once it is there; -1 where the connection ends without it. */
  async #find(pattern: Buffer): Promise<number> {
    for (;;) {
      const at = this.#received.indexOf(pattern);
      if (at !== -1 || this.#ended) return at;
      await this.#more();
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#ended) resolve();
    });
    this.#wake = undefined;
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}

function readFields(lines: readonly string[], head: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD_LINE.exec(line) ?? malformed("field line", head);
    const key = name!.toLowerCase();
    const before = headers.get(key);
    if (before !== undefined && ["content-length", "content-type", "location"].includes(key))
      malformed(`second ${key}`, head);
    headers.set(key, before === undefined ? value! : `${before}, ${value}`);
  }
  return headers;
}

function malformed(what: string, where: string): never {
  throw new MalformedAnswer(`The ${what} is not right: ${shown(Buffer.from(where, "latin1"))}`);
}

/** Bytes, as text that can be read in a message and pasted into a test. */
export function shown(bytes: Buffer, most = 600): string {
  const text = JSON.stringify(bytes.subarray(0, most).toString("latin1"));
  return bytes.length > most ? `${text} … (${bytes.length} bytes)` : text;
}

/** Sends a request on a connection of its own and gives the final answer to it. */
export async function exchange(origin: string, bytes: string | Buffer): Promise<RawAnswer> {
  const connection = await RawConnection.open(origin);
  try {
    const answer = await connection.send(bytes).answer(methodOf(bytes));
    assert.ok(answer, `The connection ended without an answer to ${shown(Buffer.from(bytes))}`);
    return answer;
  } finally {
    connection.destroy();
  }
}

function methodOf(bytes: string | Buffer): string {
  return /^[A-Z]+/.exec(bytes.toString("latin1"))?.[0] ?? "GET";
}

/** A problem, by what PROTOCOL section 3 promises of every one of them. */
export interface RawProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly {
    readonly pointer?: string;
    readonly parameter?: string;
    readonly header?: string;
    readonly detail: string;
    readonly code: string;
  }[];
}

/** Asserts that an answer is a problem (RFC 9457) with a request id, and gives its document. */
export function problemIn(answer: RawAnswer): RawProblem {
  const { status, headers } = answer;
  assert.equal(headers.get("content-type"), "application/problem+json", `${status} is no problem`);
  const problem = answer.json() as RawProblem;
  assert.equal(problem.status, status);
  assert.match(problem.type, /^(\/[\w.~-]+)*\/problems\/[a-z-]+$/);
  assert.ok(problem.title.length > 0 && problem.detail.length > 0);
  const id = headers.get("request-id");
  assert.match(id ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "no Request-Id");
  assert.equal(problem.instance, `urn:uuid:${id}`);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  return problem;
}

/** The name in the `type` of a problem: `malformed-json`. */
export function typeOf({ type }: Pick<RawProblem, "type">): string {
  return type.slice(type.lastIndexOf("/") + 1);
}

/** A complete request from its parts; `Host` and `Content-Length` are added where they are not given. */
export function request(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = "",
): Buffer {
  const bytes = Buffer.from(body);
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (!names.has("host")) lines.unshift("Host: 127.0.0.1\r\n");
  if (bytes.length > 0 && !names.has("content-length") && !names.has("transfer-encoding"))
    lines.push(`Content-Length: ${bytes.length}\r\n`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  return Buffer.concat([head, bytes]);
}

const JSON_TYPE = { "Content-Type": "application/json" };

/** A POST of JSON: of a text as it is, of anything else as JSON. */
export function post(
  target: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return request("POST", target, { ...JSON_TYPE, ...headers }, text);
}

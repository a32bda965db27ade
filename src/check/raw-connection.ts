import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { asNoAnswer, linesWithFraming, type Patience } from "./client.ts";
import { type Answer, NoAnswer, type Request } from "./message.ts";
import { readAnswer } from "./read-answer.ts";

/** A connection that sends exactly the bytes that it is given, malformed ones too. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #patience: Patience;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  private constructor(socket: Socket, patience: Patience) {
    this.#socket = socket;
    this.#patience = patience;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    // A reset after the answer is no fault of the answer.
    socket.on("error", end).on("end", end).on("close", end);
  }

  /** @throws {NoAnswer} where nobody listens. */
  static open(url: URL, patience: Patience): Promise<RawConnection> {
    const secure = url.protocol === "https:";
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = Number(url.port || (secure ? 443 : 80));
    return new Promise((resolve, reject) => {
      const socket = secure
        ? connectTls({ host, port, servername: host })
        : connect({ host, port, allowHalfOpen: true });
      socket.setTimeout(patience.timeoutMs, () => socket.destroy());
      socket.once("error", (error) => reject(asNoAnswer(error)));
      socket.once(secure ? "secureConnect" : "connect", () =>
        resolve(new RawConnection(socket, patience)),
      );
    });
  }

  /** Resolves when the bytes have left; a server that stopped reading is no fault here. */
  write(bytes: Buffer): Promise<void> {
    if (!this.#socket.writable) return Promise.resolve();
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** The next final answer, or `undefined` where the connection ended instead. */
  async answer(method = "POST"): Promise<Answer | undefined> {
    const end = performance.now() + this.#patience.timeoutMs;
    for (;;) {
      const found = readAnswer(this.#received, this.#ended, method);
      if (found !== undefined) {
        this.#received = this.#received.subarray(found.bytes);
        if (found.answer.status >= 200) return found.answer;
        continue;
      }
      if (this.#ended) return undefined;
      await this.#more(end - performance.now());
    }
  }

  /** Whether an answer, be it an interim one, has begun within the time. */
  async answersWithin(milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds;
    while (this.#received.length === 0 && !this.#ended && performance.now() < end) {
      await this.#more(end - performance.now()).catch(() => {});
    }
    return this.#received.length > 0;
  }

  /** Whether the other side ends the connection within the time. */
  async endsWithin(milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds;
    while (!this.#ended && performance.now() < end) {
      await this.#more(end - performance.now()).catch(() => {});
    }
    return this.#ended;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #more(milliseconds: number): Promise<void> {
    this.#patience.signal.throwIfAborted();
    let late: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        late = setTimeout(
          () => reject(new NoAnswer(`no answer within ${this.#patience.timeoutMs} ms`)),
          Math.max(0, milliseconds),
        );
      });
    } finally {
      clearTimeout(late);
    }
  }
}

/** A request as bytes of HTTP/1.1. */
export function bytesOf(request: Request): Buffer {
  const { method, url, body } = request;
  const lines = linesWithFraming(request).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body ?? Buffer.alloc(0)]);
}

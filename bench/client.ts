import { createConnection, type Socket } from "node:net";
import { answerEnd, answerStatus } from "./answer.ts";
import { type RequestTarget, UniqueRequest } from "./unique-request.ts";

// An answer is done with before the next socket is read, so one buffer serves them all.
const readBuffer = Buffer.allocUnsafe(64 * 1024);

const REPLAYED = Buffer.from("\r\nidempotent-replayed: true\r\n");

export interface LoadClient {
  wasAnswered: boolean;
  send(now: number): void;
  close(): void;
}

export interface ClientEvents {
  /** A 201 has arrived in full for the request that was sent at `sentAt` (`performance.now`). */
  answered(client: LoadClient, sentAt: number): void;
  /** The connection broke, or an answer was anything but one 201: a replayed one where it has to be. */
  failed(reason: Error): void;
}

/**
 * One keep-alive connection with at most one request outstanding, as cheap as it can be made: the
 * server under test gets nearly all of both cores.
 */
export class RawClient implements LoadClient {
  wasAnswered = false;
  readonly #request: UniqueRequest;
  /** Whether answers have to be replays; `undefined` where no request has a key. */
  readonly #isReplayed: boolean | undefined;
  readonly #events: ClientEvents;
  readonly #socket: Socket;
  #sentAt = 0;
  #partial: Buffer | undefined;
  #isClosing = false;

  constructor(target: RequestTarget, events: ClientEvents) {
    this.#request = new UniqueRequest(target);
    this.#isReplayed = target.keyed ? target.repeat !== undefined : undefined;
    this.#events = events;
    this.#socket = createConnection({
      host: "127.0.0.1",
      port: target.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length, bytes) => this.#read(bytes, length) },
    });
    this.#socket.on("error", (error) => events.failed(error));
    this.#socket.on("close", () => {
      if (!this.#isClosing) events.failed(new Error("The server closed a connection"));
    });
  }

  /** Before the connection stands, this waits for it. */
  send(now: number): void {
    this.#sentAt = now;
    this.#socket.write(this.#request.next());
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array, chunkLength: number): boolean {
    let bytes = chunk;
    let length = chunkLength;
    if (this.#partial !== undefined) {
      bytes = Buffer.concat([this.#partial, chunk.subarray(0, chunkLength)]);
      length = bytes.length;
    }
    try {
      const end = answerEnd(bytes, length);
      if (end === -1) {
        this.#partial = Buffer.from(bytes.subarray(0, length));
        return true;
      }
      const isExpected =
        end === length && answerStatus(bytes) === 201 && this.#isAsExpected(bytes, length);
      if (!isExpected) {
        const shown = Buffer.from(bytes.subarray(0, Math.min(length, 1000))).toString();
        const wanted = this.#isReplayed === true ? "one replayed answer" : "one new answer";
        throw new Error(`Expected ${wanted} with status 201, got:\n${shown}`);
      }
      this.#partial = undefined;
      this.#events.answered(this, this.#sentAt);
    } catch (error) {
      this.#events.failed(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #isAsExpected(bytes: Uint8Array, length: number): boolean {
    if (this.#isReplayed === undefined) return true;
    const answer = Buffer.from(bytes.buffer, bytes.byteOffset, length);
    return answer.includes(REPLAYED) === this.#isReplayed;
  }
}

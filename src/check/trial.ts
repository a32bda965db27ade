import { type Patience, send } from "./client.ts";
import { countOf } from "./effects.ts";
import { newSample, type Sample } from "./fresh.ts";
import { type Answer, type Exchange, type HeaderLine, NoAnswer, type Request } from "./message.ts";
import type { Operation } from "./operation.ts";
import { bytesOf, RawConnection } from "./raw-connection.ts";

/** How one POST differs from an ordinary one. */
export interface PostOptions {
  /** The key as it stands in the field, quotes included; `null` for none, even if one is required. */
  readonly key?: string | null;
  /** `null` for no Content-Type. */
  readonly contentType?: string | null;
  readonly headers?: readonly HeaderLine[];
  /** Who asks: the first identity where nothing is said. */
  readonly who?: "first" | "second" | "nobody";
}

/** Where and how an operation is asked. */
export interface Place {
  readonly url: URL;
  /** The list that shows its records; `undefined` where effects can't be counted. */
  readonly listUrl: URL | undefined;
  readonly headers: readonly HeaderLine[];
  readonly as: readonly HeaderLine[];
  readonly patience: Patience;
}

/** Longest that a twin's or a broken request's work is waited for. */
const SETTLE_MS = 3_000;

/**
 * One operation of one server, as scenarios see it. It keeps what was sent and what came back, for
 * those who want to see why something failed.
 */
export class Trial {
  readonly operation: Operation;
  readonly place: Place;
  /** Everything but the reads by which effects are counted. */
  readonly exchanges: Exchange[] = [];
  /** URLs of records that were made and can be removed. */
  readonly made = new Set<string>();
  /** Another operation of the same server that takes keys. */
  neighbour: Trial | undefined;

  constructor(operation: Operation, place: Place) {
    this.operation = operation;
    this.place = place;
  }

  /** A valid body that was never sent before. */
  sample(): Sample {
    return newSample(this.operation.example, this.operation.fresh);
  }

  /** A key that was never sent before, as a structured-field String (draft section 2.1). */
  key(): string {
    return `"${crypto.randomUUID()}"`;
  }

  /** A POST to the operation, not sent yet. */
  request(body: string | Buffer | undefined, options: PostOptions = {}): Request {
    const { key, contentType = this.operation.mediaType, headers = [], who = "first" } = options;
    const { header, claim } = this.operation.keys;
    const own = key === undefined && claim === "required" ? this.key() : key;
    const lines: HeaderLine[] = [];
    if (contentType !== null) lines.push(["Content-Type", contentType]);
    if (own !== undefined && own !== null) lines.push([header, own]);
    return {
      method: "POST",
      url: this.place.url,
      headers: [...lines, ...this.operation.headers, ...this.#identity(who), ...headers],
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    };
  }

  post(body: Sample | string | Buffer, options: PostOptions = {}): Promise<Answer> {
    const isText = typeof body === "string" || Buffer.isBuffer(body);
    return this.send(this.request(isText ? body : body.text, options));
  }

  async send(request: Request): Promise<Answer> {
    try {
      const answer = await this.#patiently(request);
      this.#keep({ request, answer });
      return answer;
    } catch (error) {
      if (error instanceof NoAnswer) this.exchanges.push({ request, failure: error.message });
      throw error;
    }
  }

  /** Another method, at the operation's URL or at that of a record. */
  ask(method: string, url = this.place.url, headers: readonly HeaderLine[] = []): Promise<Answer> {
    const lines = [...this.operation.headers, ...this.#identity("first"), ...headers];
    return this.send({ method, url, headers: lines });
  }

  /** How many records carry the mark of a sample; `undefined` where they can't be counted. */
  async effects(sample: Sample): Promise<number | undefined> {
    const { listUrl } = this.place;
    const { list } = this.operation;
    if (listUrl === undefined || list === undefined) return undefined;
    const headers = [...this.operation.headers, ...this.#identity("first")];
    const get = (url: URL) => send({ method: "GET", url, headers }, this.place.patience);
    return countOf(sample, { url: listUrl, list, get });
  }

  /**
   * All at once: each is sent but for its last byte, on a connection of its own, and then the last
   * bytes follow in one go, so that the server has the whole requests at the same moment.
   */
  async race(requests: readonly Request[]): Promise<(Answer | NoAnswer)[]> {
    const { patience, url } = this.place;
    const connections = await Promise.all(requests.map(() => RawConnection.open(url, patience)));
    try {
      const texts = requests.map(bytesOf);
      await Promise.all(texts.map((text, i) => connections[i]!.write(text.subarray(0, -1))));
      const answers = connections.map((connection) =>
        connection.answer().catch((error: unknown) => {
          if (error instanceof NoAnswer) return error;
          throw error;
        }),
      );
      await Promise.all(texts.map((text, i) => connections[i]!.write(text.subarray(-1))));
      const settled = await Promise.all(answers);
      return settled.map((answer = new NoAnswer("the connection was closed"), i) => {
        const request = requests[i]!;
        if (answer instanceof NoAnswer) this.exchanges.push({ request, failure: answer.message });
        else this.#keep({ request, answer });
        return answer;
      });
    } finally {
      for (const connection of connections) connection.destroy();
    }
  }

  /** Exactly these bytes; `talk` says what is then done with the connection. */
  async raw<T>(
    bytes: Buffer,
    talk: (connection: RawConnection) => Promise<T>,
    told: (result: T) => { readonly answer?: Answer | undefined; readonly failure?: string },
  ): Promise<T> {
    const { url, patience } = this.place;
    const connection = await RawConnection.open(url, patience);
    const request: Request = { method: "POST", url, headers: [] };
    try {
      await connection.write(bytes);
      const result = await talk(connection);
      const { answer, failure } = told(result);
      this.#keep({
        request,
        bytes,
        ...(answer === undefined ? {} : { answer }),
        ...(failure === undefined ? {} : { failure }),
      });
      return result;
    } finally {
      connection.destroy();
    }
  }

  /** Sends that part of a request (1 is all of it), and ends the connection without an answer. */
  async hangUp(request: Request, part: number): Promise<void> {
    const { url, patience } = this.place;
    const bytes = bytesOf(request);
    const connection = await RawConnection.open(url, patience);
    await connection.write(bytes.subarray(0, Math.ceil(bytes.length * part)));
    // Long enough to arrive, short enough to be gone before most answers.
    await rest(2, patience.signal);
    connection.destroy();
    this.exchanges.push({ request, failure: "the client hung up" });
  }

  /**
   * The answer to a request that may be told to come again while its twin still runs: 409 is asked
   * again for a while.
   */
  async settled(request: Request): Promise<Answer> {
    const end = performance.now() + SETTLE_MS;
    for (let pause = 50; ; pause *= 2) {
      const answer = await this.send(request);
      if (answer.status !== 409 || performance.now() + pause > end) return answer;
      await rest(pause, this.place.patience.signal);
    }
  }

  #identity(who: "first" | "second" | "nobody"): readonly HeaderLine[] {
    const { headers, as } = this.place;
    const replaced = new Set(as.map(([name]) => name.toLowerCase()));
    const others = headers.filter(([name]) => !replaced.has(name.toLowerCase()));
    if (who === "first") return headers;
    if (who === "second") return [...others, ...as];
    return headers.filter(([name]) => !/^(authorization|cookie|x-api-key)$/i.test(name));
  }

  #keep(exchange: Exchange): void {
    this.exchanges.push(exchange);
    const { request, answer } = exchange;
    const location = answer?.headers.get("location");
    if (!this.operation.removable || answer?.status !== 201 || location === undefined) return;
    if (!URL.canParse(location, request.url)) return;
    const url = new URL(location, request.url);
    if (url.origin === request.url.origin && url.pathname !== request.url.pathname)
      this.made.add(url.href);
  }

  /** A server that counts requests may ask for patience (RFC 6585 section 4). */
  async #patiently(request: Request): Promise<Answer> {
    for (let tries = 0; ; tries++) {
      const answer = await send(request, this.place.patience);
      const seconds = Number(answer.headers.get("retry-after") ?? 1);
      if (answer.status !== 429 || tries === 3 || !(seconds <= 10)) return answer;
      await rest(Math.max(seconds, 0.1) * 1_000, this.place.patience.signal);
    }
  }
}

export function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}

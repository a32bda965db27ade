import { Agent, request } from "node:http";
import type { History, Intent, Told } from "./history.ts";

/** How a request is sent, where not as it should be. */
export interface Delivery {
  /** The client hangs up so many milliseconds behind its last byte. */
  readonly hangUpAfterMs?: number;
  /** The client hangs up in the middle of its body. */
  readonly torn?: boolean;
  /** The same, said otherwise: the key in quotes, and the members in another order. */
  readonly restated?: boolean;
}

/** Milliseconds without an answer after which a client gives up waiting. */
const PATIENCE_MS = 20_000;

let sent = 0;

/** Sends requests, and writes down each of them before, and what came of it behind. */
export class Client {
  readonly #history: History;
  readonly #agent: Agent;

  constructor(history: History, connections: number) {
    this.#history = history;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /**
   * @param as what the history calls it, where not by its own reference
   * @returns `undefined` where no whole answer came
   */
  send(
    origin: string,
    intent: Intent,
    delivery: Delivery = {},
    as: string = intent.reference,
  ): Promise<Told | undefined> {
    const number = ++sent;
    this.#history.append({ event: "send", number, reference: as });
    const content = delivery.restated ? Object.entries(intent.body).reverse() : undefined;
    const body = JSON.stringify(content === undefined ? intent.body : Object.fromEntries(content));
    const key = delivery.restated ? `"${intent.reference}"` : intent.reference;
    return new Promise((keep) => {
      let over = false;
      const lost = (reason: string) => {
        if (over) return;
        over = true;
        this.#history.append({ event: "lost", number, reason });
        keep(undefined);
      };
      const asked = request(
        `${origin}${intent.path}`,
        {
          method: "POST",
          agent: this.#agent,
          timeout: PATIENCE_MS,
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            ...(intent.keyed ? { "idempotency-key": key } : {}),
          },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("error", ({ message }) => lost(message));
          response.on("aborted", () => lost("aborted"));
          response.on("end", () => {
            if (over || !response.complete) return lost("incomplete");
            over = true;
            const { location, etag, "idempotent-replayed": replayed } = response.headers;
            const { "retry-after": retryAfter } = response.headers;
            const told: Told = {
              status: response.statusCode!,
              location,
              etag,
              problem: problemIn(text, response.headers["content-type"]),
              replayed: replayed === "true",
              retryAfter,
              body: text,
            };
            this.#history.append({ event: "answer", number, ...told });
            keep(told);
          });
        },
      );
      asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
      asked.on("error", ({ message }) => lost(message));
      asked.on("close", () => lost("closed"));
      if (delivery.torn) {
        asked.write(body.slice(0, body.length / 2), () => asked.destroy());
        return;
      }
      asked.end(body, () => {
        if (delivery.hangUpAfterMs === undefined) return;
        setTimeout(() => asked.destroy(), delivery.hangUpAfterMs);
      });
    });
  }

  /** Looks at a record that was acknowledged. */
  async read(origin: string, reference: string, location: string): Promise<void> {
    const read = await new Promise<{ status: number; body: string } | undefined>((keep) => {
      const asked = request(`${origin}${location}`, { agent: this.#agent }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("error", () => keep(undefined));
        response.on("end", () =>
          keep(response.complete ? { status: response.statusCode!, body } : undefined),
        );
      });
      asked.on("error", () => keep(undefined)).end();
    });
    if (read !== undefined) this.#history.append({ event: "read", reference, ...read });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function problemIn(text: string, type: string | undefined): string | undefined {
  if (!type?.startsWith("application/problem+json")) return undefined;
  const { type: uri } = JSON.parse(text) as { type: string };
  return uri.slice(uri.lastIndexOf("/") + 1);
}

import { Agent, request } from "node:http";
import type { ClientEvents, LoadClient } from "./client.ts";
import { bodyOf, keyOf, nextNumber, type RequestTarget } from "./unique-request.ts";

/**
 * One keep-alive connection of Node's own HTTP client, with at most one request outstanding: what
 * a service that calls the API spends on a request.
 */
export class NodeClient implements LoadClient {
  wasAnswered = false;
  readonly #target: RequestTarget;
  readonly #events: ClientEvents;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #isClosing = false;

  constructor(target: RequestTarget, events: ClientEvents) {
    this.#target = target;
    this.#events = events;
  }

  send(now: number): void {
    const { port, path, series, keyed, repeat } = this.#target;
    const number = nextNumber(this.#target);
    const body = bodyOf(series, number);
    const outgoing = request({
      agent: this.#agent,
      host: "127.0.0.1",
      port,
      path,
      method: "POST",
      headers: {
        accept: "*/*",
        "content-type": "application/json",
        ...(keyed ? { "idempotency-key": keyOf(series, number) } : {}),
        "content-length": body.length,
      },
    });
    outgoing.on("response", (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const { statusCode, headers } = response;
        const isReplayed = headers["idempotent-replayed"] === "true";
        if (statusCode === 201 && isReplayed === (keyed && repeat !== undefined)) {
          this.#events.answered(this, now);
        } else {
          const what = isReplayed ? `a replayed ${statusCode}` : `a new ${statusCode}`;
          this.#fail(
            new Error(`Expected ${repeat ? "a replayed" : "a new"} 201, got ${what}:\n${text}`),
          );
        }
      });
      response.on("error", (error) => this.#fail(error));
    });
    outgoing.on("error", (error) => this.#fail(error));
    outgoing.end(body);
  }

  close(): void {
    this.#isClosing = true;
    this.#agent.destroy();
  }

  #fail(error: Error): void {
    if (!this.#isClosing) this.#events.failed(error);
  }
}

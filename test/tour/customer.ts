import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { resolve } from "node:path";

export const tour = resolve(import.meta.dirname, "../../examples/tour/api.ts");
const gatewayModule = resolve(import.meta.dirname, "../../examples/tour/gateway.ts");

type Cleaner = { after(clean: () => unknown): void };

export interface Charge {
  readonly id: string;
  readonly amount: number;
  readonly captured: boolean;
}

/** The tour's payment gateway, as a process beside, like `npm start` has it. */
export interface Gateway {
  readonly url: string;
  /** What the next calls meet, one word each; `well` is none of its faults. */
  next(...behaviour: ("well" | "fail" | "slow" | "drop" | "drop-after")[]): Promise<void>;
  charges(): Promise<Charge[]>;
}

export async function startGateway(t: Cleaner): Promise<Gateway> {
  const child = fork(gatewayModule, { stdio: "inherit", env: { ...process.env, PORT: "0" } });
  t.after(async () => {
    const gone = once(child, "exit");
    child.disconnect();
    await gone;
  });
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  return {
    url,
    next: async (...behaviour) => {
      const body = JSON.stringify({ next: behaviour });
      const { status } = await fetch(`${url}/behaviour`, { method: "PUT", body });
      assert.equal(status, 204);
    },
    charges: async () => (await (await fetch(`${url}/charges`)).json()) as Charge[],
  };
}

export interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** Somebody who uses the tour's API with fetch and nothing else. */
export class Customer {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** @param path Below `/api`, or as an answer's `Location` has it */
  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const url = this.origin + (path.startsWith("/api/") ? path : `/api${path}`);
    const response = await fetch(url, {
      method,
      headers: { ...(body && { "content-type": type }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    return { status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
  }

  get(path: string): Promise<Answered> {
    return this.ask("GET", path);
  }

  post(path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
    return this.ask("POST", path, body, headers);
  }

  /** @returns the id of what was made */
  async make(path: string, body: object): Promise<number> {
    const answer = await this.post(path, body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return Number(answer.body.id);
  }

  /** Pays, and waits for what becomes of it. */
  pay(order: number, { card = "tok_visa", key = randomUUID() as string } = {}) {
    const headers = { "idempotency-key": key, prefer: "wait=30" };
    return this.post(`/orders/${order}/payments`, { card }, headers);
  }

  /** Subjects of the mails that the tour has captured, the newest first. */
  async mails(): Promise<string[]> {
    const html = await (await fetch(`${this.origin}/mail`)).text();
    return [...html.matchAll(/<a href="\/mail\/\d+">([^<]*)<\/a>/g)].map(([, subject]) => subject!);
  }

  /** The newest mail with this subject, as its page shows it. */
  async mail(subject: string): Promise<string> {
    const html = await (await fetch(`${this.origin}/mail`)).text();
    const path = [...html.matchAll(/<a href="(\/mail\/\d+)">([^<]*)<\/a>/g)].find(
      ([, , shown]) => shown === subject,
    )?.[1];
    assert.ok(path !== undefined, `There is no mail "${subject}".`);
    return (await fetch(`${this.origin}${path}`)).text();
  }
}

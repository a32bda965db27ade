/**
 * A payment gateway for the tour: a process of its own, as the real ones are. It honours
 * `Idempotency-Key`, and can be told to misbehave: `PUT /behaviour` with `{ "next": ["fail"] }`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the next calls meet, one word each; then all is well again. */
type Behaviour = "fail" | "slow" | "drop" | "drop-after";

interface Charge {
  readonly id: string;
  readonly amount: number;
  captured: boolean;
}

const charges = new Map<string, Charge>();
/** Answers by key: what is asked again is not done again. */
const answers = new Map<string, { status: number; body: unknown }>();
let next: Behaviour[] = [];

const server = createServer((request, response) => {
  void handle(request, response).catch(() => response.destroy());
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request);
  const { url = "/", method } = request;
  if (url === "/behaviour" && method === "PUT") {
    next = (body as { next: Behaviour[] }).next;
    return send(response, 204, undefined);
  }
  if (url === "/charges" && method === "GET") return send(response, 200, [...charges.values()]);

  const behaviour = next.shift();
  if (behaviour === "drop") return void response.destroy();
  if (behaviour === "slow") await new Promise((resolve) => setTimeout(resolve, 1_000));
  if (behaviour === "fail") return send(response, 503, { error: "try-later" });

  const key = String(request.headers["idempotency-key"] ?? "");
  const known = answers.get(key);
  const answer = known ?? perform(url, body as { amount: number; card: string });
  if (key !== "") answers.set(key, answer);
  // Done, and nobody is told: only a retry with the same key finds out.
  if (behaviour === "drop-after") return void response.destroy();
  send(response, answer.status, answer.body);
}

function perform(url: string, { amount, card }: { amount: number; card: string }) {
  if (url === "/charges") {
    // What a gateway declines in its tests.
    if (card === "tok_declined") return { status: 402, body: { error: "card-declined" } };
    const charge = { id: `ch_${charges.size + 1}`, amount, captured: false };
    charges.set(charge.id, charge);
    return { status: 201, body: charge };
  }
  const charge = charges.get(/^\/charges\/(\w+)\/capture$/.exec(url)?.[1] ?? "");
  if (charge === undefined) return { status: 404, body: { error: "no-such-charge" } };
  charge.captured = true;
  return { status: 200, body: charge };
}

async function read(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  if (process.send !== undefined) process.send({ url });
  else process.stdout.write(`The gateway listens on ${url}\n`);
});
// It ends with whoever started it, who may have payments to finish after a Ctrl+C.
process.once("disconnect", () => process.exit(0));
process.on("SIGINT", () => {
  if (!process.connected) process.exit(0);
});

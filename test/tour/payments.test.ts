import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Webhook as Verifier } from "standardwebhooks";
import { cleanEnvironment, type ServedApi, servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/time.ts";
import { selfSigned } from "../webhooks/certificate.ts";
import { type Received, receiveWebhooks } from "../webhooks/receiver.ts";
import { Customer, type Gateway, startGateway, tour } from "./customer.ts";

const source = (path: string) => new URL(`../../${path}`, import.meta.url).href;
const HOOKS = "hooks.shop.example";
const internet = pathToFileURL(join(import.meta.dirname, "internet.ts")).href;

interface Shop {
  readonly gateway: Gateway;
  readonly server: ServedApi;
  readonly customer: Customer;
  readonly store: string;
  /** An order of so many pieces of 1.01 each. */
  order(quantity: number): Promise<number>;
}

/** The tour with its gateway beside, and with a product to order. */
async function open(t: TestContext, env: Record<string, string> = {}): Promise<Shop> {
  const folder = temporaryFolder(t);
  const gateway = await startGateway(t);
  const server = await servePosthaste(t, [tour], {
    cwd: folder,
    env: { ...env, TOUR_GATEWAY: gateway.url },
  });
  const customer = new Customer(server.origin);
  const store = join(folder, "posthaste.db");
  return { gateway, server, customer, store, order: await ordering(customer) };
}

async function ordering(customer: Customer): Promise<Shop["order"]> {
  const productId = await customer.make("/products", { name: "Stamp", price: 101, stock: 1_000 });
  return (quantity) =>
    customer.make("/orders", { productId, quantity, email: "alice@example.com" });
}

const stateOf = async (customer: Customer, order: number) =>
  (await customer.get(`/orders/${order}`)).body.state;

const amounts = async (gateway: Gateway) => (await gateway.charges()).map(({ amount }) => amount);

/** Whom the tour tells of orders that were paid: a server with TLS, on what is the internet here. */
async function listen(t: TestContext) {
  const certificate = selfSigned(t, `DNS:${HOOKS}`);
  if (certificate === undefined) return undefined;
  const receiver = await receiveWebhooks(t, undefined, { certificate });
  const authority = join(temporaryFolder(t), "authority.pem");
  writeFileSync(authority, certificate.cert);
  const env = {
    NODE_OPTIONS: `--import=${internet}`,
    NODE_EXTRA_CA_CERTS: authority,
    TEST_RECEIVER_PORT: String(receiver.port),
  };
  return { receiver, env };
}

suite("Payments in the tour", { concurrency: 2 }, () => {
  test("charge once, send one receipt and tell of it once, whatever the gateway does", async (t) => {
    const listening = await listen(t);
    if (listening === undefined) return;
    const { receiver, env } = listening;
    const { gateway, customer, order } = await open(t, env);
    const hook = { url: `https://${HOOKS}/paid`, events: ["order.paid"] };
    const endpoint = await customer.make("/webhooks", hook);
    const answer = await customer.ask("POST", `/webhooks/${endpoint}/secret`);
    const verifier = new Verifier(String(answer.body.secret));

    const expected: number[] = [];
    // Both calls of a payment, authorising and capturing, meet each of the gateway's faults.
    for (const [index, behaviour] of [
      ["well"] as const,
      ["fail"] as const,
      ["drop"] as const,
      ["drop-after"] as const,
      ["slow", "fail", "fail"] as const,
      ["well", "fail"] as const,
      ["well", "drop"] as const,
      ["well", "drop-after"] as const,
    ].entries()) {
      const id = await order(index + 1);
      await gateway.next(...behaviour);
      const paid = await customer.pay(id);
      assert.equal(paid.status, 200, JSON.stringify(paid.body));
      assert.equal(paid.body.state, "succeeded", `${behaviour}: ${JSON.stringify(paid.body)}`);
      assert.equal((paid.body.result as { amount: number }).amount, 101 * (index + 1));
      assert.equal(await stateOf(customer, id), "paid", String(behaviour));
      expected.push(101 * (index + 1));
      assert.deepEqual(await amounts(gateway), expected, `one charge each: ${behaviour}`);
    }
    assert.ok((await gateway.charges()).every(({ captured }) => captured));
    const receipts = (await customer.mails()).filter((subject) => /^Receipt/.test(subject));
    assert.deepEqual(
      receipts.toReversed(),
      expected.map((_, index) => `Receipt for order ${index + 1}`),
    );
    assert.match(await customer.mail("Receipt for order 3"), /We have received 3\.03 for order 3/);

    // An attempt is in the log behind its answer.
    const outcomes = await eventually(8_000, "all webhooks are in the log", async () => {
      const { body } = await customer.get(`/webhooks/${endpoint}/webhook-deliveries`);
      const records = body as unknown as { outcome: string }[];
      return records.length >= expected.length ? records.map(({ outcome }) => outcome) : undefined;
    });
    assert.deepEqual(
      outcomes,
      expected.map(() => "delivered"),
    );
    const told = receiver.requests.map(({ headers, body, url }: Received) => {
      assert.equal(url, "/paid");
      const payload = verifier.verify(body, headers as Record<string, string>);
      return (payload as { data: { order: number; amount: number } }).data;
    });
    // In no promised order.
    assert.deepEqual(
      told.sort((one, other) => one.order - other.order),
      expected.map((amount, index) => ({ order: index + 1, amount })),
    );
  });

  test("with a card that is declined fail for good, and the order can be paid by another", async (t) => {
    const { gateway, customer, order } = await open(t);
    const id = await order(2);
    const declined = await customer.pay(id, { card: "tok_declined" });
    assert.equal(declined.status, 200);
    assert.equal(declined.body.state, "failed");
    assert.deepEqual(declined.body.failure, {
      code: "card-declined",
      detail: "The card was declined.",
    });
    assert.equal(await stateOf(customer, id), "open");
    assert.deepEqual(await gateway.charges(), []);
    assert.deepEqual(await customer.mails(), []);
    const paid = await customer.pay(id);
    assert.equal(paid.body.state, "succeeded");
    assert.equal(await stateOf(customer, id), "paid");
    assert.deepEqual(await amounts(gateway), [202]);
  });

  test("without a key are refused, and nothing has begun", async (t) => {
    const { gateway, customer, order, store } = await open(t);
    const id = await order(1);
    const refused = await customer.post(`/orders/${id}/payments`, { card: "tok_visa" });
    assert.equal(refused.status, 400);
    assert.equal(refused.body.type, "/problems/idempotency-key-required");
    assert.equal(await stateOf(customer, id), "open");
    assert.deepEqual(await gateway.charges(), []);
    const database = new DatabaseSync(store, { readOnly: true });
    const { jobs } = database
      .prepare("SELECT count(*) AS jobs FROM posthaste_jobs WHERE kind = 'order-payment'")
      .get()!;
    database.close();
    assert.equal(jobs, 0);
  });

  test("with the same key are one payment, also at once; with another key they conflict", async (t) => {
    const { gateway, customer, order } = await open(t);
    const id = await order(3);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 5 }, () => customer.pay(id, { key })));
    answers.push(await customer.pay(id, { key }));
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.state]),
      answers.map(() => [200, "succeeded"]),
    );
    assert.equal(new Set(answers.map(({ headers }) => headers.get("location"))).size, 1);
    const replayed = answers.filter(({ headers }) => headers.get("idempotent-replayed") === "true");
    assert.equal(replayed.length, 5);
    const other = await customer.pay(id);
    assert.equal(other.status, 409);
    assert.deepEqual(other.body.errors, [
      { detail: "The order is paid already.", code: "order-paid" },
    ]);
    const reused = await customer.pay(id, { key, card: "tok_mastercard" });
    assert.deepEqual([reused.status, reused.body.type], [422, "/problems/idempotency-key-reused"]);
    assert.deepEqual(await amounts(gateway), [303]);
    assert.deepEqual(await customer.mails(), ["Receipt for order 1"]);
  });
});

/** Serves the tour in a process of its own that takes over soon what a dead one had. */
const script = `
  const { startServer } = await import(${JSON.stringify(source("src/http/server.ts"))});
  const module = new URL(${JSON.stringify(pathToFileURL(tour).href)});
  const { default: api } = await import(module.href);
  const store = process.env.TEST_STORE;
  const options = { host: "127.0.0.1", port: 0, store, module, beatMs: 50 };
  const { origin } = await startServer(api, options);
  process.stdout.write(origin + "\\n");
`;

async function startTour(t: TestContext, store: string, gateway: Gateway) {
  const file = join(temporaryFolder(t), "serve.mjs");
  writeFileSync(file, script);
  const child = spawn(process.execPath, ["--conditions=posthaste-source", file], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...cleanEnvironment(), TEST_STORE: store, TOUR_GATEWAY: gateway.url },
  });
  const gone = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await gone;
  };
  t.after(kill);
  const ended = gone.then(() => assert.fail("The tour has ended before it was served."));
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  return { customer: new Customer(String(line).trim()), kill };
}

suite("Payments in a tour that is killed", { concurrency: 2 }, () => {
  for (const [when, behaviour, seen] of [
    [
      "while the gateway is asked",
      ["slow"],
      async (_: Gateway, { progress }: Record<string, unknown>) => progress === "authorising",
    ],
    [
      "behind the charge, of which it was not told",
      ["drop-after"],
      async (gateway: Gateway) => (await gateway.charges()).length === 1,
    ],
    [
      "between charge and capture",
      ["well", "slow"],
      async (_: Gateway, { progress }: Record<string, unknown>) => progress === "capturing",
    ],
  ] as const) {
    test(`are charged once and paid after a restart: killed ${when}`, async (t) => {
      const store = join(temporaryFolder(t), "store.db");
      const gateway = await startGateway(t);
      const first = await startTour(t, store, gateway);
      const id = await (await ordering(first.customer))(4);
      await gateway.next(...behaviour);
      const key = randomUUID();
      const body = { card: "tok_visa" };
      const path = `/orders/${id}/payments`;
      const accepted = await first.customer.post(path, body, { "idempotency-key": key });
      assert.equal(accepted.status, 202);
      const monitor = accepted.headers.get("location")!;
      await eventually(5_000, when, async () =>
        seen(gateway, (await first.customer.get(monitor)).body),
      );
      await first.kill();
      assert.notEqual(stateIn(store), "paid", "it was killed in the middle");

      const { customer } = await startTour(t, store, gateway);
      await eventually(10_000, "the payment has succeeded", async () => {
        return (await customer.get(monitor)).body.state === "succeeded";
      });
      assert.equal(await stateOf(customer, id), "paid");
      const charges = await gateway.charges();
      assert.deepEqual(
        charges.map(({ amount, captured }) => [amount, captured]),
        [[404, true]],
      );
      assert.deepEqual(await customer.mails(), [`Receipt for order ${id}`]);
      const again = await customer.post(path, body, { "idempotency-key": key });
      assert.equal(again.headers.get("location"), monitor, "the key is known behind the crash");
      assert.equal(again.headers.get("idempotent-replayed"), "true");
      assert.equal((await gateway.charges()).length, 1);
    });
  }
});

function stateIn(store: string): unknown {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    return database.prepare("SELECT state FROM orders").get()!.state;
  } finally {
    database.close();
  }
}

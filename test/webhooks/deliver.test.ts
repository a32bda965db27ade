import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { suite, test } from "node:test";
import { Webhook as Verifier } from "standardwebhooks";
import { type Delivery, type DeliveryOptions, deliverWebhook } from "../../src/webhooks/deliver.ts";
import { type DestinationPolicy, destinationGuard } from "../../src/webhooks/destination.ts";
import { webhookPayload } from "../../src/webhooks/payload.ts";
import { generateWebhookSecret } from "../../src/webhooks/secret.ts";
import { verifyWebhook } from "../../src/webhooks/signature.ts";
import { eventually, within } from "../support/time.ts";
import { selfSigned } from "./certificate.ts";
import { acceptOnly, receiveWebhooks } from "./receiver.ts";

const secret = generateWebhookSecret();
const body = webhookPayload({ type: "user.created", at: 0, data: { name: "Žofia 🎉" } });
const local: DestinationPolicy = { allowHttp: true, allowPrivate: ["127.0.0.1"] };

function deliver(
  url: string,
  options: Partial<DeliveryOptions> = {},
  secrets: readonly string[] = [secret],
): Promise<Delivery> {
  const webhook = { url, id: "msg_1", body, secrets };
  return deliverWebhook(webhook, { guard: destinationGuard(local), timeoutMs: 5_000, ...options });
}

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end();

/** A name that leads to each of these in turn, one a question. */
function resolving(...answers: (readonly string[])[]) {
  const asked: string[] = [];
  const resolve = async (hostname: string) => {
    asked.push(hostname);
    const answer = answers[Math.min(asked.length, answers.length) - 1]!;
    return answer.map((address) => ({ address }));
  };
  return { asked, resolve };
}

suite("A webhook", () => {
  test("arrives as a POST of its body, with a signature that others verify", async (t) => {
    const receiver = await receiveWebhooks(t);
    const old = generateWebhookSecret();
    const url = `http://127.0.0.1:${receiver.port}/hooks?for=me#part`;
    const delivery = await deliver(url, {}, [secret, old]);
    assert.deepEqual(delivery, {
      outcome: "delivered",
      status: 204,
      milliseconds: delivery.milliseconds,
      detail: `127.0.0.1:${receiver.port} answered 204.`,
    });
    assert.ok(Number.isInteger(delivery.milliseconds) && delivery.milliseconds < 5_000);

    const [request, ...more] = receiver.requests;
    assert.deepEqual(more, []);
    assert.equal(request!.method, "POST");
    assert.equal(request!.url, "/hooks?for=me");
    assert.equal(request!.body, body);
    const { headers } = request!;
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["content-length"], String(Buffer.byteLength(body)));
    assert.equal(headers["user-agent"], "Posthaste");
    assert.equal(headers["webhook-id"], "msg_1");
    for (const known of [secret, old]) {
      const verified = new Verifier(known).verify(request!.body, headers as Record<string, string>);
      assert.deepEqual(verified, JSON.parse(body));
      verifyWebhook(headers, request!.body, [known]);
    }
  });

  test("has the same id and another timestamp at the next attempt", async (t) => {
    const receiver = await receiveWebhooks(t, answering(500));
    const url = `http://127.0.0.1:${receiver.port}/`;
    for (const now of [1_000_999, 2_000_000]) await deliver(url, { clock: { now: () => now } });
    const [first, second] = receiver.requests.map(({ headers }) => headers);
    assert.equal(first!["webhook-id"], second!["webhook-id"]);
    assert.equal(first!["webhook-timestamp"], "1000");
    assert.equal(second!["webhook-timestamp"], "2000");
    assert.notEqual(first!["webhook-signature"], second!["webhook-signature"]);
  });

  test("goes over TLS, to who has the certificate for its name", async (t) => {
    const certificate = selfSigned(t, "DNS:hooks.example.com");
    if (certificate === undefined) return;
    const receiver = await receiveWebhooks(t, undefined, { certificate });
    const { asked, resolve } = resolving(["127.0.0.1"]);
    const guard = destinationGuard({ allowPrivate: ["127.0.0.1"], resolve });
    const at = (host: string, options: Partial<DeliveryOptions> = {}) =>
      deliver(`https://${host}:${receiver.port}/`, { guard, ...options });

    const delivery = await at("hooks.example.com", { ca: certificate.cert });
    assert.equal(delivery.outcome, "delivered");
    assert.deepEqual(asked, ["hooks.example.com"]);
    assert.equal(receiver.requests[0]!.headers.host, `hooks.example.com:${receiver.port}`);

    for (const refused of [
      await at("hooks.example.com"),
      await at("other.example.com", { ca: certificate.cert }),
    ]) {
      assert.equal(refused.outcome, "retry");
      assert.match(refused.detail, /certificate that can't be trusted/);
    }
    assert.equal(receiver.requests.length, 1);
  });

  test("can't be sent without a good id or secret", async () => {
    await assert.rejects(deliver("https://a.example/", {}, []), TypeError);
    await assert.rejects(deliver("https://a.example/", {}, ["whsec_x"]), TypeError);
  });
});

suite("The status of the answer", () => {
  for (const [status, outcome] of [
    [200, "delivered"],
    [201, "delivered"],
    [202, "delivered"],
    [204, "delivered"],
    [299, "delivered"],
    [300, "retry"],
    [304, "retry"],
    [400, "retry"],
    [401, "retry"],
    [404, "retry"],
    [409, "retry"],
    [410, "gone"],
    [429, "retry"],
    [500, "retry"],
    [502, "retry"],
    [503, "retry"],
    [504, "retry"],
    [999, "retry"],
  ] as const) {
    test(`${status}: ${outcome}`, async (t) => {
      const receiver = await receiveWebhooks(t, answering(status));
      const delivery = await deliver(`http://127.0.0.1:${receiver.port}/`);
      assert.equal(delivery.outcome, outcome);
      assert.equal(delivery.status, status);
      assert.ok(!("retryAfterMs" in delivery));
      assert.match(delivery.detail, new RegExp(`answered ${status}`));
    });
  }

  test("429 and 503 put the next attempt off, to a bound; others don't", async (t) => {
    const now = Date.UTC(2026, 1, 3, 4, 5, 6);
    const clock = { now: () => now };
    const after = async (status: number, retryAfter: string) => {
      const receiver = await receiveWebhooks(t, answering(status, { "retry-after": retryAfter }));
      const options = { clock, maxRetryAfterMs: 3_600_000 };
      return (await deliver(`http://127.0.0.1:${receiver.port}/`, options)).retryAfterMs;
    };
    assert.equal(await after(429, "120"), 120_000);
    assert.equal(await after(503, new Date(now + 90_000).toUTCString()), 90_000);
    assert.equal(await after(503, "86400"), 3_600_000);
    assert.equal(await after(429, new Date(now + 1e12).toUTCString()), 3_600_000);
    assert.equal(await after(429, "soon"), undefined);
    assert.equal(await after(500, "120"), undefined);
    assert.equal(await after(200, "120"), undefined);
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status} is not followed, to a private address least of all`, async (t) => {
      const inner = await receiveWebhooks(t);
      const location = `http://127.0.0.1:${inner.port}/secret-path`;
      const receiver = await receiveWebhooks(t, answering(status, { location }));
      const delivery = await deliver(`http://127.0.0.1:${receiver.port}/`);
      assert.equal(delivery.outcome, "retry");
      assert.equal(delivery.status, status);
      assert.match(delivery.detail, /redirects are not followed/);
      assert.doesNotMatch(delivery.detail, /secret-path/);
      assert.equal(inner.connections.opened, 0);
      assert.equal(receiver.requests.length, 1);
    });
  }
});

suite("A destination that is not allowed", () => {
  test("is never connected to, however it is written", async (t) => {
    const receiver = await receiveWebhooks(t);
    for (const host of ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0"]) {
      const guard = destinationGuard({ allowHttp: true });
      const delivery = await deliver(`http://${host}:${receiver.port}/`, { guard });
      assert.equal(delivery.outcome, "refused", host);
      assert.ok(!("status" in delivery));
      assert.match(delivery.detail, /Webhooks can't go there: /);
    }
    const encrypted = await deliver(`http://127.0.0.1:${receiver.port}/`, {
      guard: destinationGuard({ allowPrivate: ["127.0.0.1"] }),
    });
    assert.match(encrypted.detail, /begins with https:/);
    assert.equal(receiver.connections.opened, 0);
  });

  test("is not reached through a name, alone or beside an allowed address", async (t) => {
    const receiver = await receiveWebhooks(t);
    for (const answer of [
      ["127.0.0.1"],
      ["1.1.1.1", "127.0.0.1"],
      ["::ffff:127.0.0.1"],
      ["0.0.0.0"],
    ]) {
      const { asked, resolve } = resolving(answer);
      const guard = destinationGuard({ allowHttp: true, resolve });
      const delivery = await deliver(`http://hooks.example.com:${receiver.port}/`, { guard });
      assert.equal(delivery.outcome, "refused", answer.join());
      assert.deepEqual(asked, ["hooks.example.com"]);
    }
    assert.equal(receiver.connections.opened, 0);
  });

  test("is not reached by rebinding: one question, and its answer is connected to", async (t) => {
    // 127.0.0.2 stands for an address of the internet: allowed, and with nobody at this port.
    const inner = await receiveWebhooks(t);
    const { asked, resolve } = resolving(["127.0.0.2"], ["127.0.0.1"]);
    const guard = destinationGuard({ allowHttp: true, allowPrivate: ["127.0.0.2"], resolve });
    const url = `http://hooks.example.com:${inner.port}/`;

    const first = await deliver(url, { guard });
    assert.equal(first.outcome, "retry");
    assert.match(first.detail, /can't be reached/);
    assert.equal(asked.length, 1);
    const second = await deliver(url, { guard });
    assert.equal(second.outcome, "refused");
    assert.match(second.detail, /leads to 127\.0\.0\.1, which is loopback/);
    assert.equal(asked.length, 2);
    assert.equal(inner.connections.opened, 0);
  });

  test("is not reached over a connection that an earlier attempt left open", async (t) => {
    const receiver = await receiveWebhooks(t);
    const { asked, resolve } = resolving(["127.0.0.1"], ["127.0.0.2"]);
    const guard = destinationGuard({ ...local, resolve });
    const url = `http://hooks.example.com:${receiver.port}/`;
    assert.equal((await deliver(url, { guard })).outcome, "delivered");
    assert.equal((await deliver(url, { guard })).outcome, "refused");
    assert.equal(asked.length, 2);
    assert.equal(receiver.requests.length, 1);
    await eventually(2_000, "the end of the connection", () => receiver.connections.open === 0);
  });
});

suite("A receiver that is not well", () => {
  test("is not there", async (t) => {
    const { port } = await acceptOnly(t, () => {});
    const guard = destinationGuard({ allowHttp: true, allowPrivate: ["127.0.0.3"] });
    const delivery = await deliver(`http://127.0.0.3:${port}/`, { guard });
    assert.equal(delivery.outcome, "retry");
    assert.match(delivery.detail, /^127\.0\.0\.3:\d+ can't be reached.*ECONNREFUSED/);
  });

  test("has a name that is not found", async () => {
    const guard = destinationGuard({ resolve: async () => [] });
    const delivery = await deliver("https://hooks.example.com/", { guard });
    assert.equal(delivery.outcome, "retry");
    assert.match(delivery.detail, /^hooks\.example\.com can't be found/);
  });

  const silent: Readonly<Record<string, (socket: Socket) => void>> = {
    "accepts and says nothing": (socket) => socket.resume(),
    "sends its header fields for ever": (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      every(socket, () => socket.write("x: y\r\n"));
    },
    "sends interim answers for ever": (socket) => {
      every(socket, () => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"));
    },
  };
  for (const [what, accepted] of Object.entries(silent)) {
    test(`${what}: given up in time`, async (t) => {
      const receiver = await acceptOnly(t, accepted);
      const delivering = deliver(`http://127.0.0.1:${receiver.port}/`, { timeoutMs: 200 });
      const delivery = await within(3_000, "the end of the attempt", delivering);
      assert.equal(delivery.outcome, "retry");
      assert.match(delivery.detail, /did not answer within 200 ms/);
      assert.ok(delivery.milliseconds >= 190 && delivery.milliseconds < 2_000);
      await eventually(2_000, "the end of the connection", () => receiver.connections.open === 0);
    });
  }

  test("has a name that never resolves: given up in time", async () => {
    const guard = destinationGuard({ resolve: () => new Promise(() => {}) });
    const delivering = deliver("https://hooks.example.com/", { guard, timeoutMs: 200 });
    const delivery = await within(3_000, "the end of the attempt", delivering);
    assert.match(delivery.detail, /did not answer within 200 ms/);
  });

  for (const [what, bytes] of Object.entries({
    "does not speak HTTP": "220 mail.example.com ESMTP\r\n",
    "switches to another protocol":
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "hangs up in the header fields": "HTTP/1.1 200 OK\r\nx: ",
    "has header fields without measure": `HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}\r\n\r\n`,
    "hangs up at once": "",
  })) {
    test(`${what}: retry`, async (t) => {
      const receiver = await acceptOnly(t, (socket) => {
        socket.once("data", () => socket.end(bytes));
      });
      const delivery = await deliver(`http://127.0.0.1:${receiver.port}/`);
      assert.equal(delivery.outcome, "retry");
      assert.ok(!("status" in delivery));
      await eventually(2_000, "the end of the connection", () => receiver.connections.open === 0);
    });
  }

  test("answers with a body that never ends: a part is read, and it counts as delivered", async (t) => {
    let written = 0;
    const receiver = await receiveWebhooks(t, (_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(65_536, "x");
      const more = () => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
      };
      response.on("drain", more);
      more();
    });
    const delivering = deliver(`http://127.0.0.1:${receiver.port}/`, { timeoutMs: 60_000 });
    const delivery = await within(5_000, "the end of the attempt", delivering);
    assert.equal(delivery.outcome, "delivered");
    assert.ok(delivery.milliseconds < 900, "the bound of bytes ended it, not that of time");
    assert.ok(written < 20_000_000);
    await eventually(2_000, "the end of the connection", () => receiver.connections.open === 0);
  });

  test("answers with a body that trickles: it counts as delivered, soon", async (t) => {
    const receiver = await receiveWebhooks(t, (request, response) => {
      response.writeHead(200);
      every(request.socket, () => response.write("x"));
    });
    const delivering = deliver(`http://127.0.0.1:${receiver.port}/`, { timeoutMs: 60_000 });
    const delivery = await within(5_000, "the end of the attempt", delivering);
    assert.equal(delivery.outcome, "delivered");
    await eventually(2_000, "the end of the connection", () => receiver.connections.open === 0);
  });

  test("hangs up in the body: the status was said", async (t) => {
    const receiver = await acceptOnly(t, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 410 Gone\r\ncontent-length: 99\r\n\r\nx"));
    });
    assert.equal((await deliver(`http://127.0.0.1:${receiver.port}/`)).outcome, "gone");
  });

  test("says secrets in its answer: nothing of it is in the detail", async (t) => {
    const receiver = await acceptOnly(t, (socket) => {
      const answer = "HTTP/1.1 500 hunter2\r\nx: hunter2\r\ncontent-length: 7\r\n\r\nhunter2";
      socket.once("data", () => socket.end(answer));
    });
    const delivery = await deliver(`http://127.0.0.1:${receiver.port}/hooks/hunter2?t=hunter2`);
    assert.equal(delivery.status, 500);
    assert.doesNotMatch(JSON.stringify(delivery), /hunter2/);
  });
});

suite("An attempt that is stopped", () => {
  test("beforehand connects to nothing", async (t) => {
    const receiver = await receiveWebhooks(t);
    const signal = AbortSignal.abort();
    const delivery = await deliver(`http://127.0.0.1:${receiver.port}/`, { signal });
    assert.equal(delivery.outcome, "retry");
    assert.match(delivery.detail, /was stopped/);
    assert.equal(receiver.connections.opened, 0);
  });

  test("on the way ends at once", async (t) => {
    const receiver = await receiveWebhooks(t, () => {});
    const stop = new AbortController();
    const delivering = deliver(`http://127.0.0.1:${receiver.port}/`, { signal: stop.signal });
    await eventually(5_000, "the request at the receiver", () => receiver.requests.length === 1);
    stop.abort(new Error("a reason"));
    const delivery = await within(1_000, "the end of the attempt", delivering);
    assert.equal(delivery.outcome, "retry");
    assert.match(delivery.detail, /was stopped/);
    await eventually(2_000, "the end of the connection", () => receiver.connections.open === 0);
  });

  test("while the body comes is what its status says, at once", async (t) => {
    const stop = new AbortController();
    const receiver = await receiveWebhooks(t, (_request, response) => {
      response.writeHead(200);
      response.write("x");
      setTimeout(() => stop.abort(), 100);
    });
    const url = `http://127.0.0.1:${receiver.port}/`;
    const delivery = await deliver(url, { signal: stop.signal });
    assert.equal(delivery.outcome, "delivered");
    assert.ok(delivery.milliseconds < 900);
  });
});

function every(socket: Socket, act: () => void): void {
  const timer = setInterval(act, 20);
  socket.on("close", () => clearInterval(timer));
}

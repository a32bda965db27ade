import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { suite, type TestContext, test } from "node:test";
import {
  type AuthenticationScheme,
  action,
  anyone,
  api,
  nobody,
  resource,
  verifyWebhook,
  type WebhooksConfig,
  webhooks,
  workflow,
} from "posthaste";
import { Webhook as Verifier } from "standardwebhooks";
import { z } from "zod";
import { servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { temporaryProject } from "../support/project.ts";
import { type Row, type Served, serve } from "../support/scenario.ts";
import { eventually } from "../support/time.ts";
import { type Received, receiveWebhooks } from "./receiver.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const events = {
  "thing.made": z.object({ id: z.int(), name: z.string() }),
  "thing.named": z.object({ name: z.string().default("nameless") }),
};
type Config = WebhooksConfig<typeof events>;

/** The receivers of these tests are on the loopback, and speak no TLS. */
const local = { allowHttp: true, allowPrivate: ["127.0.0.1"] };

/** `Bearer NAME` is the caller of that name. */
const bearer: AuthenticationScheme = {
  name: "bearer",
  challenge: "Bearer",
  openapi: { type: "http", scheme: "bearer" },
  authenticate: ({ headers: { authorization } }) => {
    const [, id] = /^Bearer (\S+)$/.exec(String(authorization)) ?? [];
    return id === undefined ? null : { id };
  },
};

/** An API that publishes from a hook, from an action and from a step. */
function publishing(config: Partial<Config> = {}) {
  const hooks = webhooks({ events, access: anyone, destinations: local, ...config });
  const ends = z.enum(["well", "refused", "thrown", "unfit"]).default("well");
  const things = resource("things", {
    schema: z.object({ name: z.string(), hush: z.string().default("hidden value"), ends }),
    access: { create: anyone, read: anyone, update: nobody, delete: nobody },
    created: async ({ row, tx, enqueue, fail }) => {
      if (row.ends === "unfit") await hooks.publish({ tx, enqueue }, "thing.made", {} as never);
      // The whole row: what the schema of the event does not name must not leave with it.
      await hooks.publish({ tx, enqueue }, "thing.made", row);
      if (row.ends === "refused") fail("/ends", "refused");
      if (row.ends === "thrown") throw new Error("The hook fails.");
    },
  });
  const name = action("name", {
    input: z.object({ name: z.string().optional(), ends }),
    access: anyone,
    run: async ({ input, tx, enqueue, conflict }) => {
      await hooks.publish({ tx, enqueue }, "thing.named", { name: input.name });
      if (input.ends === "refused") conflict("refused", "The action is refused.");
    },
  });
  const parade = workflow("parade", {
    input: z.object({}),
    backoff: { first: "20 milliseconds" },
    run: async ({ step, attempt }) => {
      await step.transaction("tell", async (given) => {
        await hooks.publish(given, "thing.named", { name: `attempt ${attempt}` });
        if (attempt === 1) throw new Error("The step fails behind its publishing.");
      });
    },
  });
  const start = action("parades", { access: anyone, starts: parade, run: () => ({}) });
  return api({ things, name, start, ...hooks.declarations }, { authenticate: [bearer] });
}

const url = ({ port }: { readonly port: number }, path = "/") => `http://127.0.0.1:${port}${path}`;

const listen = (served: Served, to: string, ...types: string[]) =>
  served.make("/webhooks", { url: to, events: types.length > 0 ? types : ["thing.made"] });

const make = (served: Served, name = "Pen", ends = "well") =>
  served.post("/things", { name, ends });

const newSecret = async (served: Served, endpoint: string) => {
  const answer = await served.request("POST", `${endpoint}/secret`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as { readonly secret: string; readonly oldUntil: string };
};

const deliveryJobs = (served: Served, state?: string) =>
  served
    .rows("posthaste_jobs")
    .filter(
      (row) => row.kind === "webhook-delivery" && (state === undefined || row.state === state),
    );

const settled = (served: Served, count: number, state = "done") =>
  eventually(8_000, `${count} deliveries are ${state}`, () => {
    const jobs = deliveryJobs(served, state);
    return jobs.length === count ? jobs : undefined;
  });

const log = async (served: Served, endpoint: string) =>
  (await served.get(`${endpoint}/webhook-deliveries`)).body as Row[];

/** Deliveries that wait for their time are due now, as if it had passed. */
async function hurry(store: string): Promise<void> {
  const database = new DatabaseSync(store, { timeout: 0 });
  try {
    // The writer is in this thread: to wait for its lock here would be to wait for ever.
    await eventually(5_000, "the database is free", () => {
      try {
        database.exec("UPDATE posthaste_jobs SET state = 'ready' WHERE state = 'scheduled'");
        return true;
      } catch (error) {
        if ((error as { errcode?: unknown }).errcode === 5) return false;
        throw error;
      }
    });
  } finally {
    database.close();
  }
}

/** Served with a store that `hurry` knows, and looked at so often that nobody waits for it. */
async function serveHasty(t: TestContext, config: Partial<Config> = {}, clock?: Config["clock"]) {
  const store = `${temporaryFolder(t)}/store.db`;
  const timed = clock === undefined ? {} : { clock };
  const served = await serve(t, publishing({ ...timed, ...config }), {
    store,
    beatMs: 25,
    ...timed,
  });
  return { served, hurry: () => hurry(store) };
}

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end();

/** Answers these in turn, and then the last one again and again. */
function inTurn(...listeners: RequestListener[]): RequestListener {
  let count = 0;
  return (request, response) =>
    listeners[Math.min(count++, listeners.length - 1)]!(request, response);
}

const payload = ({ body }: Received) =>
  JSON.parse(body) as { type: string; timestamp: string; data: Row };

const verifies = (secret: string, { body, headers }: Received) => {
  try {
    new Verifier(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};

suite("Endpoints of webhooks", { concurrency: 2 }, () => {
  test("are created, read, listed, changed and removed like any record", async (t) => {
    const served = await serve(t, publishing({ destinations: {} }));
    const created = await served.post("/webhooks", {
      url: "https://hooks.example.com/a",
      events: ["thing.made"],
      description: "The warehouse",
    });
    assert.equal(created.status, 201, created.text);
    const path = created.header("location")!;
    assert.equal(path, "/api/webhooks/1");
    const { createdAt, updatedAt, ...rest } = created.body as Row;
    assert.ok(createdAt && updatedAt);
    assert.deepEqual(rest, {
      id: 1,
      url: "https://hooks.example.com/a",
      events: ["thing.made"],
      description: "The warehouse",
    });
    const other = await listen(served, "https://hooks.example.com/b", ...Object.keys(events));
    assert.deepEqual(
      ((await served.get("/webhooks")).body as Row[]).map((endpoint) => endpoint.url),
      ["https://hooks.example.com/a", "https://hooks.example.com/b"],
    );
    const patched = await served.mergePatch(path, { events: ["thing.named"], description: null });
    assert.equal(patched.status, 200, patched.text);
    const changed = (await served.get(path)).body as Row;
    assert.deepEqual([changed.events, changed.description], [["thing.named"], undefined]);
    assert.equal((await served.delete(other)).status, 204);
    assert.equal((await served.get(other)).status, 404);
    assert.equal(served.rows("webhooks").length, 1);
  });

  test("list each fault with its place, and nothing is stored", async (t) => {
    const served = await serve(t, publishing());
    const refused = async (body: object, ...faults: string[]) => {
      const answer = await served.post("/webhooks", body);
      assert.deepEqual(
        assertProblem(answer, 422, "validation-failed")
          .errors!.map(({ pointer }) => pointer)
          .sort(),
        faults,
        answer.text,
      );
    };
    const to = "https://example.com/";
    await refused({}, "#/events", "#/url");
    await refused({ url: to, events: [] }, "#/events");
    await refused({ url: to, events: ["thing.made", "thing.eaten"] }, "#/events/1");
    await refused({ url: to, events: ["thing.made", "thing.made"] }, "#/events/1");
    await refused({ url: 7, events: "thing.made" }, "#/events", "#/url");
    await refused(
      { url: to, events: ["thing.made"], description: "x".repeat(201) },
      "#/description",
    );
    await refused({ url: to, events: ["thing.made"], secrets: [] }, "#/secrets");
    await refused({ url: to, events: ["thing.made"], disabledBecause: "" }, "#/disabledBecause");
    assert.deepEqual(served.rows("webhooks"), []);
  });

  test("inside our own network are refused when they are set", async (t) => {
    const served = await serve(t, publishing({ destinations: {} }));
    const path = await listen(served, "https://example.com/");
    const before = served.rows("webhooks");
    for (const to of [
      "http://example.com/",
      "https://127.0.0.1/",
      "https://10.1.2.3/",
      "https://169.254.169.254/latest/meta-data/",
      "https://[::1]/",
      "https://[::ffff:10.0.0.1]/",
      "https://[fd00::1]/",
      "https://0x7f.1/",
      "https://2130706433/",
      "https://user:password@example.com/",
      "https://example.com:0/",
      "ftp://example.com/",
      "file:///etc/passwd",
      "example.com",
      `https://example.com/${"x".repeat(2_048)}`,
    ]) {
      const body = { url: to, events: ["thing.made"] };
      assertInvalid(await served.post("/webhooks", body), ["#/url destination"]);
      assertInvalid(await served.put(path, body), ["#/url destination"]);
      assertInvalid(await served.mergePatch(path, { url: to }), ["#/url destination"]);
    }
    assert.deepEqual(served.rows("webhooks"), before);
  });

  test("keep the access rule, and so do deliveries and secrets", async (t) => {
    const served = await serve(t, publishing({ access: ({ id }) => id === "root" }));
    const by = (name: string) => ({ authorization: `Bearer ${name}` });
    const body = { url: "https://example.com/", events: ["thing.made"] };
    const path = await served.make("/webhooks", body, by("root"));
    const ways: [string, (headers: Record<string, string>) => ReturnType<Served["get"]>][] = [
      ["create", (headers) => served.post("/webhooks", body, headers)],
      ["list", (headers) => served.get("/webhooks", headers)],
      ["read", (headers) => served.get(path, headers)],
      ["deliveries", (headers) => served.get(`${path}/webhook-deliveries`, headers)],
      ["replace", (headers) => served.put(path, body, headers)],
      ["patch", (headers) => served.mergePatch(path, { description: "a" }, headers)],
      ["secret", (headers) => served.request("POST", `${path}/secret`, headers)],
      ["delete", (headers) => served.delete(path, headers)],
    ];
    for (const [what, way] of ways) {
      assert.equal((await way({})).status, 401, what);
      assert.equal((await way(by("alice"))).status, 403, what);
    }
    for (const [what, way] of ways) {
      const { status, text } = await way(by("root"));
      assert.ok(status >= 200 && status < 300, `${what}: ${text}`);
    }
  });
});

suite("Publishing", { concurrency: 2 }, () => {
  test("in a hook tells of what was committed, and of nothing else", async (t) => {
    const receiver = await receiveWebhooks(t);
    const served = await serve(t, publishing());
    await listen(served, url(receiver));
    assert.equal((await make(served, "Refused", "refused")).status, 422);
    assert.equal((await make(served, "Thrown", "thrown")).status, 500);
    assert.equal((await make(served, "Pen")).status, 201);
    await settled(served, 1);
    assert.equal(deliveryJobs(served).length, 1, "what was rolled back left nothing to deliver");
    assert.equal(receiver.requests.length, 1);
    const { type, data, timestamp } = payload(receiver.requests[0]!);
    assert.equal(type, "thing.made");
    assert.ok(Math.abs(Date.now() - Date.parse(timestamp)) < 60_000);
    assert.deepEqual(data, { id: served.rows("things")[0]!.id, name: "Pen" });
  });

  test("in an action or a step does so, too", async (t) => {
    const receiver = await receiveWebhooks(t);
    const served = await serve(t, publishing());
    await listen(served, url(receiver), "thing.named");
    assert.equal((await served.post("/name", { name: "A", ends: "refused" })).status, 409);
    assert.equal((await served.post("/name", { name: "B" })).status, 204);
    await settled(served, 1);
    assert.equal((await served.post("/name", {})).status, 204);
    await settled(served, 2);
    assert.equal((await served.request("POST", "/parades")).status, 202);
    await settled(served, 3);
    assert.deepEqual(
      receiver.requests.map((request) => payload(request).data.name),
      ["B", "nameless", "attempt 2"],
    );
    assert.equal(deliveryJobs(served).length, 3);
  });

  test("reaches all who listen to the type, and nobody else", async (t) => {
    const receiver = await receiveWebhooks(t);
    const served = await serve(t, publishing());
    await listen(served, url(receiver, "/made"), "thing.made");
    await listen(served, url(receiver, "/named"), "thing.named");
    await listen(served, url(receiver, "/both"), "thing.named", "thing.made");
    await make(served);
    await settled(served, 2);
    assert.deepEqual(receiver.requests.map((request) => request.url).sort(), ["/both", "/made"]);
    const [one, two] = receiver.requests;
    assert.equal(one!.headers["webhook-id"], two!.headers["webhook-id"]);
    assert.equal(one!.body, two!.body);
  });

  test("of what does not fit its schema fails the request, and nothing is sent", async (t) => {
    const receiver = await receiveWebhooks(t);
    const served = await serve(t, publishing());
    await listen(served, url(receiver));
    assertProblem(await make(served, "Pen", "unfit"), 500, "internal-error");
    const failed = served.observed.find(({ event }) => event === "request.failed");
    assert.match(String(failed!.error), /data of the webhook "thing\.made" does not fit/);
    assert.deepEqual(deliveryJobs(served), []);
    assert.deepEqual(served.rows("things"), []);
  });

  test("happens from the writer thread, and the log shows no secret", async (t) => {
    const receiver = await receiveWebhooks(t);
    const folder = temporaryProject(t, {
      "api.ts": `
        import { anyone, api, resource, webhooks } from "posthaste";
        import { z } from "zod";
        const hooks = webhooks({
          events: { "thing.made": z.object({ id: z.int() }) },
          access: anyone,
          destinations: { allowHttp: true, allowPrivate: ["127.0.0.1"] },
        });
        const things = resource("things", {
          schema: z.object({ name: z.string() }),
          access: { create: anyone, read: anyone, update: anyone, delete: anyone },
          created: ({ row, ...given }) => hooks.publish(given, "thing.made", { id: row.id }),
        });
        export default api({ things, ...hooks.declarations });
      `,
    });
    const server = await servePosthaste(t, ["api.ts"], { cwd: folder });
    const post = async (path: string, body?: object) => {
      const json = body && { headers: { "content-type": "application/json" } };
      const init = { method: "POST", ...json, body: body ? JSON.stringify(body) : null };
      return (await fetch(`${server.origin}/api${path}`, init)).json();
    };
    await post("/webhooks", { url: url(receiver), events: ["thing.made"] });
    const { secret } = (await post("/webhooks/1/secret")) as { secret: string };
    await post("/things", { name: "Pen" });
    await server.says("stderr", /"event":"job\.done","kind":"webhook-delivery"/);
    assert.ok(verifies(secret, receiver.requests[0]!));
    await server.end();
    assert.match(server.stderr, /webhooks\.secret/);
    assert.doesNotMatch(server.stderr + server.stdout, /whsec_/);
  });
});

suite("Secrets of webhooks", { concurrency: 2 }, () => {
  test("sign what is sent, so that the standard's own library verifies it", async (t) => {
    const receiver = await receiveWebhooks(t);
    const served = await serve(t, publishing());
    const endpoint = await listen(served, url(receiver));
    const { secret } = await newSecret(served, endpoint);
    await make(served);
    await settled(served, 1);
    const [request] = receiver.requests;
    assert.ok(verifies(secret, request!));
    assert.ok(!verifies(`whsec_${Buffer.alloc(32).toString("base64")}`, request!));
    assert.ok(!verifies(secret, { ...request!, body: request!.body.replace("Pen", "Pan") }));
    const { id } = verifyWebhook(request!.headers, request!.body, [secret]);
    assert.match(id, /^evt_[0-9a-f-]{36}$/);
  });

  test("are two for a day when one is replaced, and then the new one alone", async (t) => {
    const receiver = await receiveWebhooks(t);
    // Two days ago, so that what is sent at the end is of today for the verifier.
    let now = Date.now() - 2 * DAY;
    const { served } = await serveHasty(t, {}, { now: () => now });
    const endpoint = await listen(served, url(receiver));
    now += DAY;
    const first = await newSecret(served, endpoint);
    now += DAY - HOUR;
    const rotatedAt = now;
    const second = await newSecret(served, endpoint);
    assert.equal(second.oldUntil, new Date(rotatedAt + DAY).toISOString());
    const sent = async (at: number) => {
      now = at;
      await make(served);
      const count = deliveryJobs(served).length;
      await settled(served, count);
      return receiver.requests[count - 1]!;
    };
    const signedBy = ({ headers, body }: Received, secret: string) => {
      const id = String(headers["webhook-id"]);
      const time = new Date(Number(headers["webhook-timestamp"]) * 1_000);
      const signature = new Verifier(secret).sign(id, time, body);
      return String(headers["webhook-signature"]).split(" ").includes(signature);
    };
    const during = await sent(rotatedAt + HOUR);
    assert.ok(verifies(first.secret, during) && verifies(second.secret, during));
    assert.ok(signedBy(during, first.secret) && signedBy(during, second.secret));
    const justBefore = await sent(rotatedAt + DAY - 1);
    assert.ok(signedBy(justBefore, first.secret) && signedBy(justBefore, second.secret));
    const after = await sent(rotatedAt + DAY);
    assert.ok(!signedBy(after, first.secret));
    assert.ok(signedBy(after, second.secret));
    assert.equal(String(after.headers["webhook-signature"]).split(" ").length, 1);
    verifyWebhook(after.headers, after.body, [second.secret], { clock: { now: () => now } });
  });

  test("that are replaced often are three at the most, and none is prolonged", async (t) => {
    let now = Date.now();
    const { served } = await serveHasty(t, {}, { now: () => now });
    const endpoint = await listen(served, "https://example.com/");
    const ends: string[] = [];
    for (let round = 0; round < 4; round++) {
      now += HOUR;
      ends.push((await newSecret(served, endpoint)).oldUntil);
    }
    const stored = JSON.parse(String(served.rows("webhooks")[0]!.secrets)) as { until?: number }[];
    assert.deepEqual(
      stored.map(({ until }) => until && new Date(until).toISOString()),
      [undefined, ends[3], ends[2]],
    );
  });

  test("are in no answer but the one that makes them", async (t) => {
    const receiver = await receiveWebhooks(t, inTurn(answering(500), answering(204)));
    const { served, hurry } = await serveHasty(t);
    const key = { "idempotency-key": "8e03978e-40d5-43e8-bc93-6894a57f9324" };
    const body = { url: url(receiver), events: ["thing.made"] };
    const seen = [await served.post("/webhooks", body, key)];
    const endpoint = seen[0]!.header("location")!;
    const one = await served.request("POST", `${endpoint}/secret`, key);
    const two = await served.request("POST", `${endpoint}/secret`, key);
    const made = [one, two].map((answer) => (answer.body as { secret: string }).secret);
    assert.notEqual(made[0], made[1], "no answer with a secret is kept, so none is replayed");
    const secrets = (JSON.parse(String(served.rows("webhooks")[0]!.secrets)) as Row[]).map(
      ({ secret }) => String(secret),
    );
    assert.equal(secrets.length, 3);
    assert.deepEqual(secrets.slice(0, 2), made.toReversed());
    await make(served);
    await settled(served, 1, "scheduled");
    await hurry();
    await settled(served, 1);
    seen.push(
      await served.post("/webhooks", body, key),
      await served.get("/webhooks"),
      await served.get("/webhooks?limit=1&sort=-id"),
      await served.get(endpoint),
      await served.put(endpoint, { ...body, description: "a" }),
      await served.mergePatch(endpoint, { description: "b" }),
      await served.jsonPatch(endpoint, [{ op: "test", path: "/secrets", value: [] }]),
      await served.get(`${endpoint}/webhook-deliveries`),
      await served.get(`/idempotency/${key["idempotency-key"]}`),
      await served.get("/openapi.json"),
    );
    const told = [
      ...seen.map(({ text, headers }) => text + JSON.stringify(headers)),
      JSON.stringify(served.observed),
      JSON.stringify(served.rows("posthaste_jobs")),
      JSON.stringify(served.rows("webhook_deliveries")),
      ...receiver.requests.map((request) => JSON.stringify(request)),
    ];
    for (const text of told) assert.doesNotMatch(text, /whsec_/);
    for (const secret of secrets) {
      const bytes = secret.slice("whsec_".length);
      for (const text of told) assert.ok(!text.includes(bytes), text);
    }
  });
});

suite("Deliveries of webhooks", { concurrency: 2 }, () => {
  test("are tried again with the same id and body, and each attempt is in the log", async (t) => {
    const drop: RequestListener = (request) => request.socket.destroy();
    const receiver = await receiveWebhooks(t, inTurn(answering(500), drop, answering(204)));
    const { served, hurry } = await serveHasty(t);
    const endpoint = await listen(served, url(receiver));
    await make(served);
    for (let attempt = 1; attempt <= 2; attempt++) {
      await eventually(5_000, `attempt ${attempt} has failed`, () =>
        deliveryJobs(served, "scheduled").find((row) => row.attempt === attempt),
      );
      await hurry();
    }
    const [job] = await settled(served, 1);
    assert.equal(job!.attempt, 3);
    assert.deepEqual(JSON.parse(String(job!.result)), { outcome: "delivered" });
    const sent = receiver.requests.map(({ headers, body }) => [headers["webhook-id"], body]);
    assert.equal(sent.length, 3);
    assert.deepEqual(sent[1], sent[0]);
    assert.deepEqual(sent[2], sent[0]);
    const records = await log(served, endpoint);
    const at = `127.0.0.1:${receiver.port}`;
    assert.deepEqual(
      records.map(({ attempt, outcome, status, detail, event, type }) => [
        attempt,
        outcome,
        status,
        detail,
        event === sent[0]![0],
        type,
      ]),
      [
        [1, "retry", 500, `${at} answered 500.`, true, "thing.made"],
        [
          2,
          "retry",
          undefined,
          `${at} can't be reached, or hung up (ECONNRESET).`,
          true,
          "thing.made",
        ],
        [3, "delivered", 204, `${at} answered 204.`, true, "thing.made"],
      ],
    );
    for (const { milliseconds, webhookId, createdAt } of records) {
      assert.ok(Number.isInteger(milliseconds) && Number(milliseconds) < 60_000);
      assert.ok(webhookId === 1 && Number.isFinite(Date.parse(String(createdAt))));
    }
    const path = `${endpoint}/webhook-deliveries`;
    assert.equal((await served.post(path, records[0])).status, 405);
    assert.equal((await served.delete(`${path}/${records[0]!.id}`)).status, 405);
  });

  test("wait 5 seconds, then twice that, or as long as Retry-After says, a day at the most", async (t) => {
    const later = (seconds: string) => answering(503, { "retry-after": seconds });
    const receiver = await receiveWebhooks(
      t,
      inTurn(answering(500), answering(500), later("7200"), later("999999999"), answering(204)),
    );
    const now = Date.now();
    const { served, hurry } = await serveHasty(t, {}, { now: () => now });
    await listen(served, url(receiver));
    await make(served);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      const job = await eventually(5_000, `attempt ${attempt} has failed`, () =>
        deliveryJobs(served, "scheduled").find((row) => row.attempt === attempt),
      );
      waits.push(Number(job.run_at) - now);
      await hurry();
    }
    await settled(served, 1);
    const [first = 0, second = 0, third, fourth] = waits;
    assert.ok(first >= 2_500 && first <= 5_000, String(first));
    assert.ok(second >= 5_000 && second <= 10_000, String(second));
    assert.equal(third, 2 * HOUR);
    assert.equal(fourth, DAY);
  });

  test("are given up after 15 attempts; the endpoint stays, and hears of what comes next", async (t) => {
    const failing: RequestListener[] = Array(15).fill(answering(500));
    const receiver = await receiveWebhooks(t, inTurn(...failing, answering(204)));
    const { served, hurry } = await serveHasty(t);
    const endpoint = await listen(served, url(receiver));
    await make(served, "First");
    await eventually(15_000, "the delivery is given up", async () => {
      await hurry();
      return deliveryJobs(served, "failed").length === 1;
    });
    assert.equal(deliveryJobs(served)[0]!.attempt, 15);
    const records = (await served.get(`${endpoint}/webhook-deliveries?limit=100`)).body as Row[];
    assert.deepEqual(
      records.map(({ attempt }) => attempt),
      Array.from({ length: 15 }, (_, index) => index + 1),
    );
    assert.equal(((await served.get(endpoint)).body as Row).disabledBecause, undefined);
    await make(served, "Second");
    await settled(served, 1);
    assert.equal(payload(receiver.requests.at(-1)!).data.name, "Second");
  });

  test("end with 410: the endpoint is disabled, and is not told of what comes next", async (t) => {
    const receiver = await receiveWebhooks(
      t,
      inTurn(answering(500), answering(410), answering(204)),
    );
    const { served, hurry } = await serveHasty(t);
    const endpoint = await listen(served, url(receiver));
    await make(served, "waits");
    await settled(served, 1, "scheduled");
    await make(served, "meets 410");
    await settled(served, 1);
    const disabled = (await served.get(endpoint)).body as Row;
    assert.match(String(disabled.disabledBecause), /answered 410: it wants no more webhooks\./);
    // What was published before is not sent there any more.
    await hurry();
    await settled(served, 2);
    assert.equal((await make(served, "unheard")).status, 201);
    assert.equal(deliveryJobs(served).length, 2, "nothing is made for who does not listen");
    assert.equal(receiver.requests.length, 2);

    // It is served again once somebody has changed it.
    const again = await served.mergePatch(endpoint, { description: "mended" });
    assert.equal(again.status, 200);
    assert.ok(!("disabledBecause" in (again.body as Row)), again.text);
    await make(served, "heard");
    await settled(served, 3);
    assert.equal(receiver.requests.length, 3);
    assert.equal(payload(receiver.requests[2]!).data.name, "heard");
  });

  test("to a name that leads into our own network later are refused, and nothing is sent", async (t) => {
    const receiver = await receiveWebhooks(t);
    let address = "127.0.0.1";
    const asked: string[] = [];
    const resolve = async (hostname: string) => {
      asked.push(hostname);
      return [{ address }];
    };
    const served = await serve(t, publishing({ destinations: { ...local, resolve } }));
    const to = `http://hooks.example:${receiver.port}/`;
    const endpoint = await listen(served, to);
    assert.deepEqual(asked, [], "no name is asked for when an endpoint is set");
    await make(served, "allowed");
    await settled(served, 1);
    for (const inside of ["10.0.0.7", "169.254.169.254", "::1"]) {
      address = inside;
      await make(served, inside);
      await eventually(5_000, `${inside} is refused`, () =>
        deliveryJobs(served, "failed").find((row) => String(row.error).includes(inside)),
      );
    }
    assert.equal(receiver.connections.opened, 1);
    for (const job of deliveryJobs(served, "failed")) {
      assert.equal(job.attempt, 1, "it is not tried again");
      const { code } = JSON.parse(String(job.failure)) as { code: string };
      assert.equal(code, "destination-refused");
    }
    const records = await log(served, endpoint);
    assert.deepEqual(
      records.map(({ outcome, status }) => [outcome, status]),
      [["delivered", 204], ...Array(3).fill(["refused", undefined])],
    );
    assert.match(
      String(records[1]!.detail),
      /hooks\.example leads to 10\.0\.0\.7, which is private/,
    );
  });

  test("go with their endpoint when it is removed, and nothing more is sent there", async (t) => {
    const receiver = await receiveWebhooks(t, inTurn(answering(204), answering(500)));
    const { served, hurry } = await serveHasty(t);
    const kept = await listen(served, url(receiver), "thing.named");
    const endpoint = await listen(served, url(receiver));
    await make(served, "delivered");
    await settled(served, 1);
    await make(served, "waits");
    await settled(served, 1, "scheduled");
    assert.equal(served.rows("webhook_deliveries").length, 2);
    assert.equal((await served.delete(endpoint)).status, 204);
    assert.deepEqual(served.rows("webhook_deliveries"), []);
    assert.equal((await served.get(`${endpoint}/webhook-deliveries`)).status, 404);
    await hurry();
    const jobs = await settled(served, 2);
    assert.deepEqual(JSON.parse(String(jobs[1]!.result)), { outcome: "nobody listens any more" });
    assert.equal(receiver.requests.length, 2);
    assert.deepEqual(await log(served, kept), []);
  });

  test("that are under way when their endpoint is removed end without a fault", async (t) => {
    const asked = Promise.withResolvers<() => void>();
    const receiver = await receiveWebhooks(t, (_request, response) => {
      asked.resolve(() => response.writeHead(204).end());
    });
    const { served } = await serveHasty(t);
    const endpoint = await listen(served, url(receiver));
    await make(served);
    const answer = await asked.promise;
    assert.equal((await served.delete(endpoint)).status, 204);
    answer();
    const [job] = await settled(served, 1);
    assert.equal(job!.attempt, 1);
    assert.deepEqual(served.rows("webhook_deliveries"), []);
    assert.ok(!served.observed.some(({ event }) => event === "job.retried"));
  });
});

suite("webhooks() is refused when it is declared", () => {
  const refused = (config: object, sentence: RegExp) =>
    assert.throws(
      () => webhooks({ events, access: anyone, ...config } as never),
      (error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, sentence);
        return true;
      },
    );

  test("with an option that is none", () => {
    refused(
      { acces: anyone },
      /"acces" is not an option of webhooks\(\)\. Did you mean "access"\?/,
    );
    refused({ destinations: { allowHtp: true } }, /Did you mean "allowHttp"\?/);
    refused({ destinations: { allowPrivate: ["localhost"] } }, /neither an address nor a subnet/);
  });

  test("without events, or with one whose type can't be sent", () => {
    refused({ events: {} }, /has no events to tell of/);
    refused({ events: undefined }, /has no events to tell of/);
    refused({ events: { "order paid": z.object({}) } }, /such as user\.created/);
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { action, anyone, api, job, resource, signedIn, webhooks } from "posthaste";
import { testServer } from "posthaste/testing";
import { z } from "zod";
import type { Observation } from "../../src/kernel/observations.ts";

const open = { create: anyone, read: anyone, update: anyone, delete: anyone };

/** Values that throw when they are looked at, or can't be told as text. */
const odd: Record<string, () => unknown> = {
  nothing: () => Object.create(null),
  getter: () => ({
    get permanent() {
      throw new Error("hands off");
    },
  }),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  postponed: () => Object.assign(new Error("q"), { postponeMs: Number.NaN }),
};

suite("What a job throws, whatever it is", () => {
  for (const [name, value] of Object.entries(odd)) {
    test(`is an attempt that failed, and the next job of the kind runs: ${name}`, async (t) => {
      const throwing = job("throwing", {
        input: z.object({ well: z.boolean() }),
        attempts: 1,
        concurrency: 1,
        run: ({ input }) => {
          if (!input.well) throw value();
        },
      });
      const start = action("start", {
        input: z.object({ well: z.boolean() }),
        access: anyone,
        starts: throwing,
        run: ({ input }) => input,
      });
      const server = await testServer(t, api({ start }));
      const wait = { prefer: "wait=10" };
      const failed = await (await server.post("/start", { well: false }, wait)).json();
      assert.equal((failed as { state: string }).state, "failed");
      const done = await (await server.post("/start", { well: true }, wait)).json();
      assert.equal((done as { state: string }).state, "succeeded");
    });
  }
});

suite("A principal without an id of its own", () => {
  for (const principal of [{ sub: "alice" }, {}, "alice", true, { id: "" }, { id: 7 }]) {
    test(`lets nobody in: ${JSON.stringify(principal)}`, async (t) => {
      const observed: Observation[] = [];
      const notes = resource("notes", {
        schema: z.object({ text: z.string() }),
        access: { ...open, create: signedIn },
      });
      const scheme = {
        name: "odd",
        challenge: "Bearer",
        openapi: { type: "http", scheme: "bearer" },
        authenticate: () => principal as never,
      };
      const server = await testServer(t, api({ notes }, { authenticate: [scheme] }), {
        observe: (observation) => observed.push(observation),
      });
      const headers = { "idempotency-key": "7" };
      assert.equal((await server.post("/notes", { text: "a" }, headers)).status, 500);
      const told = observed.find(({ event }) => event === "request.failed");
      assert.match(String((told as { error: unknown }).error), /scheme "odd" gave a principal/);
    });
  }
});

test("A job's location that is no path of this server is a 500, and leads nowhere", async (t) => {
  const leading = job("leading", {
    input: z.object({ to: z.string() }),
    run: ({ input }) => input,
    location: ({ to }) => to as `/${string}`,
  });
  const go = action("go", {
    input: z.object({ to: z.string() }),
    access: anyone,
    starts: leading,
    run: ({ input }) => input,
  });
  const server = await testServer(t, api({ go }));
  for (const to of ["/x\r\nSet-Cookie: a=1", "//evil.example/", "/é", "x"]) {
    const started = await server.post("/go", { to }, { prefer: "wait=10" });
    const monitor = await server.request("GET", started.headers.get("location"), {
      redirect: "manual",
    });
    assert.equal(monitor.status, 500, JSON.stringify(to));
    assert.equal(monitor.headers.get("location"), null);
  }
});

test("What guards the network is never guessed from another type", () => {
  const events = { "a.b": z.object({}) };
  const declare = (destinations: object) =>
    webhooks({ events, access: anyone, destinations: destinations as never });
  assert.throws(() => declare({ allowHttp: "false" }), /allowHttp .* true or false/);
  assert.throws(() => declare({ allowPrivate: "10.0.0.0/8" }), /allowPrivate .* an array/);
  assert.throws(() => declare({ ports: [0] }), /ports .* an array of ports/);
  assert.throws(
    () => webhooks({ events: { "a.b": null as never }, access: anyone }),
    /"a\.b" .* has no schema/,
  );
});

/** @node-idempotency/core in Fastify, with its flow: onRequest before the handler, onResponse after. */

import { Idempotency, IdempotencyError, IdempotencyErrorCodes } from "@node-idempotency/core";
import { MemoryStorageAdapter } from "@node-idempotency/storage-adapter-memory";
import fastify from "fastify";
import { EmailTaken, listening, openApi, openShop, principalOf, schemas } from "./shop.mjs";

const shop = openShop(process.argv[2]);
const idempotency = new Idempotency(new MemoryStorageAdapter());

const STATUS = {
  [IdempotencyErrorCodes.REQUEST_IN_PROGRESS]: 409,
  [IdempotencyErrorCodes.IDEMPOTENCY_FINGERPRINT_MISSMATCH]: 422,
  [IdempotencyErrorCodes.IDEMPOTENCY_KEY_LEN_EXEEDED]: 400,
  [IdempotencyErrorCodes.IDEMPOTENCY_KEY_MISSING]: 400,
};

const paramsOf = ({ headers, body, method, url }) => ({ headers, body, method, path: url });

const app = fastify();
app.get("/openapi.json", () => openApi("Keys are kept for 24 hours."));

app.addHook("onRequest", async (request, reply) => {
  if (request.url === "/openapi.json") return;
  request.principal = principalOf(request.headers.authorization);
  if (request.principal !== undefined) return;
  return reply.code(401).header("www-authenticate", "Bearer").send({ error: "Sign in." });
});

// Behind validation, so that what is not valid takes no key.
app.addHook("preHandler", async (request, reply) => {
  if (request.method !== "POST") return;
  try {
    const stored = await idempotency.onRequest(paramsOf(request));
    request.isFirst = stored === undefined;
    if (stored === undefined) return;
    const { statusCode, location } = stored.additional;
    reply.code(statusCode).header("idempotent-replayed", "true");
    if (location !== undefined) reply.header("location", location);
    return reply.type("application/json; charset=utf-8").send(stored.body);
  } catch (error) {
    if (!(error instanceof IdempotencyError)) throw error;
    if (STATUS[error.code] === 409) reply.header("retry-after", "1");
    return reply.code(STATUS[error.code] ?? 500).send({ error: error.message });
  }
});

app.addHook("onSend", async (request, reply, payload) => {
  if (request.isFirst !== true) return;
  const additional = { statusCode: reply.statusCode, location: reply.getHeader("location") };
  await idempotency.onResponse(paramsOf(request), { body: payload, additional });
});

for (const [table, schema] of Object.entries(schemas)) {
  app.post(`/api/${table}`, { schema: { body: schema } }, async (request, reply) => {
    try {
      const row = await shop.create(table, request.principal, request.body);
      return reply.code(201).header("location", `/api/${table}/${row.id}`).send(row);
    } catch (error) {
      if (!(error instanceof EmailTaken)) throw error;
      return reply.code(409).send({ error: "The email is taken." });
    }
  });
  app.get(`/api/${table}`, (request) => shop.list(table, request.principal));
  app.get(`/api/${table}/:id`, async (request, reply) => {
    const row = await shop.read(table, request.principal, request.params.id);
    return row ?? reply.code(404).send({ error: "Not found" });
  });
}

app.setErrorHandler((error, _request, reply) => {
  const { statusCode = 500 } = error;
  return reply
    .code(statusCode)
    .send({ error: statusCode < 500 ? error.message : "Internal error" });
});

await app.listen({ port: 0, host: "127.0.0.1" });
listening(app.server.address().port);

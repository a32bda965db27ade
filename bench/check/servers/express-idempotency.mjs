/** express-idempotency, as its README says: the middleware on every POST, and isHit in handlers. */

import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import express from "express";
import idempotencyPackage from "express-idempotency";
import { EmailTaken, listening, openApi, openShop, principalOf, schemas } from "./shop.mjs";

const { getSharedIdempotencyService, idempotency } = idempotencyPackage;
const shop = openShop(process.argv[2]);
const ajv = new Ajv({ allErrors: true });
addFormats.default(ajv);

const app = express();
app.disable("x-powered-by");
app.get("/openapi.json", (_request, response) =>
  response.json(openApi("Keys are kept until the server ends.")),
);
app.use((request, response, next) => {
  request.principal = principalOf(request.get("authorization"));
  if (request.principal !== undefined) return next();
  response.status(401).set("WWW-Authenticate", "Bearer").json({ error: "Sign in." });
});
app.use(express.json());
app.post("*", idempotency());

for (const [table, schema] of Object.entries(schemas)) {
  const validate = ajv.compile(schema);
  app.post(`/api/${table}`, async (request, response, next) => {
    const service = getSharedIdempotencyService();
    if (service.isHit(request)) return;
    if (!validate(request.body)) {
      response.status(400).json({ error: "Not valid", errors: validate.errors });
      return;
    }
    try {
      const row = await shop.create(table, request.principal, request.body);
      response.status(201).location(`/api/${table}/${row.id}`).json(row);
    } catch (error) {
      await service.reportError(request);
      if (error instanceof EmailTaken) response.status(409).json({ error: "The email is taken." });
      else next(error);
    }
  });
  app.get(`/api/${table}`, async (request, response) => {
    response.json(await shop.list(table, request.principal));
  });
  app.get(`/api/${table}/:id`, async (request, response) => {
    const row = await shop.read(table, request.principal, request.params.id);
    if (row === undefined) response.status(404).json({ error: "Not found" });
    else response.json(row);
  });
}

app.use((_request, response) => response.status(404).json({ error: "Not found" }));
// The middleware sets the status (409, 417), and passes an error on.
app.use((error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const status = error.status ?? (response.statusCode >= 400 ? response.statusCode : 500);
  response.status(status).json({ error: status < 500 ? error.message : "Internal error" });
});

const server = app.listen(0, "127.0.0.1", () => listening(server.address().port));

/**
 * @node-idempotency/nestjs in Nest on Express, as its README says: the module with the memory
 * adapter, and its decorator on handlers. Decorators are called, as plain JavaScript has none.
 */

import "reflect-metadata";
import {
  Body,
  ConflictException,
  Controller,
  Get,
  HttpCode,
  Inject,
  Module,
  NotFoundException,
  Param,
  Post,
  Req,
  Res,
  UnprocessableEntityException,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Idempotent, NodeIdempotencyModule } from "@node-idempotency/nestjs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { EmailTaken, listening, openApi, openShop, principalOf, schemas } from "./shop.mjs";

const SHOP = "shop";
const shop = openShop(process.argv[2]);
const ajv = new Ajv({ allErrors: true });
addFormats.default(ajv);

/** `@decorators… method(@parameters…) {}` */
function decorate(target, name, decorators, parameters) {
  const { prototype } = target;
  for (const [index, parameter] of parameters.entries()) parameter(prototype, name, index);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  Reflect.defineMetadata(
    "design:paramtypes",
    parameters.map(() => Object),
    prototype,
    name,
  );
  for (const decorator of decorators.toReversed()) decorator(prototype, name, descriptor);
}

function controllerOf(table, schema) {
  const validate = ajv.compile(schema);
  class ShopController {
    constructor(store) {
      this.store = store;
    }

    async create(body, request, response) {
      if (!validate(body)) throw new UnprocessableEntityException(validate.errors);
      try {
        const row = await this.store.create(table, request.principal, body);
        response.setHeader("Location", `/api/${table}/${row.id}`);
        return row;
      } catch (error) {
        if (error instanceof EmailTaken) throw new ConflictException("The email is taken.");
        throw error;
      }
    }

    list(request) {
      return this.store.list(table, request.principal);
    }

    async read(id, request) {
      const row = await this.store.read(table, request.principal, id);
      if (row === undefined) throw new NotFoundException();
      return row;
    }
  }
  const response = Res({ passthrough: true });
  decorate(
    ShopController,
    "create",
    [Idempotent(), Post(), HttpCode(201)],
    [Body(), Req(), response],
  );
  decorate(ShopController, "list", [Get()], [Req()]);
  decorate(ShopController, "read", [Get(":id")], [Param("id"), Req()]);
  Inject(SHOP)(ShopController, undefined, 0);
  Controller(table)(ShopController);
  return ShopController;
}

class AppModule {}
Module({
  imports: [NodeIdempotencyModule.forRootAsync({ storage: { adapter: "memory" } })],
  providers: [{ provide: SHOP, useValue: shop }],
  controllers: Object.entries(schemas).map(([table, schema]) => controllerOf(table, schema)),
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
app.setGlobalPrefix("api");
app.use((request, response, next) => {
  if (request.url === "/openapi.json") return response.json(openApi("Keys are kept for 24 hours."));
  request.principal = principalOf(request.get("authorization"));
  if (request.principal !== undefined) return next();
  response.status(401).set("WWW-Authenticate", "Bearer").json({ error: "Sign in." });
});
await app.listen(0, "127.0.0.1");
listening(app.getHttpServer().address().port);

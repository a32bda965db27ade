import type { FastifyInstance, FastifyReply, RouteHandlerMethod } from "fastify";
import { requestId } from "../kernel/ids.ts";
import { Problem } from "../kernel/problems.ts";
import { MailCapture } from "../mail/capture.ts";
import { problemAnswer } from "../pipeline/problem-answer.ts";
import type { Service } from "../pipeline/service.ts";
import { docsPage, docsScript } from "./docs-page.ts";
import { mailIndex, mailPage, mailPagePolicy } from "./mail-pages.ts";
import { openApiDocument } from "./openapi.ts";
import { problemIndex, problemPage, problemPagePolicy } from "./problem-pages.ts";
import { sendAnswer } from "./reply.ts";
import { answering, type Intake, route } from "./routes.ts";

/** The OpenAPI document, and the documentation made from it. */
export function serveDocs(app: FastifyInstance, service: Service, intake: Intake): void {
  const { serving } = service;
  const { pages } = serving.place;
  const document = JSON.stringify(openApiDocument(serving.api, serving.place), null, 2);
  const { html, contentSecurityPolicy } = docsPage({
    title: serving.api.options.title ?? "API",
    documentUrl: `${pages}/openapi.json`,
    scriptUrl: `${pages}/docs/reference.js`,
  });
  const serve = (url: string, handler: RouteHandlerMethod) =>
    servePage(app, service, intake, url, handler);

  serve("/openapi.json", (_request, reply) =>
    reply.type("application/json").header("cache-control", "no-cache").send(document),
  );
  serve("/docs", (_request, reply) => sendPage(reply, html, contentSecurityPolicy));
  serve("/docs/reference.js", async (request, reply) => {
    const script = docsScript();
    reply
      .type("text/javascript; charset=utf-8")
      .header("cache-control", "no-cache")
      .header("vary", "Accept-Encoding")
      .header("x-content-type-options", "nosniff");
    const zipped = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    const etag = zipped ? script.etag.replace(/"$/, '-gzip"') : script.etag;
    reply.header("etag", etag);
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    if (!zipped) return reply.send(script.body);
    return reply.header("content-encoding", "gzip").send(await script.gzip());
  });
}

/** Where mail is captured, it is shown. */
export function serveMail(app: FastifyInstance, service: Service, intake: Intake): void {
  const { mail, serving } = service;
  if (!(mail instanceof MailCapture)) return;
  const { pages } = serving.place;
  servePage(app, service, intake, "/mail", (_request, reply) =>
    sendPage(reply, mailIndex(mail.list(), pages), mailPagePolicy),
  );
  servePage(app, service, intake, "/mail/:id", (request, reply) => {
    const found = mail.find(Number((request.params as { id: string }).id));
    if (found !== undefined) return sendPage(reply, mailPage(found, pages), mailPagePolicy);
    return sendNotFound(reply, service);
  });
}

/** What problems mean: where the `type` of every one of them leads. */
export function serveProblemPages(app: FastifyInstance, service: Service, intake: Intake): void {
  const { pages } = service.serving.place;
  const serve = (url: string, handler: RouteHandlerMethod) =>
    servePage(app, service, intake, url, handler);
  serve("/problems", (_request, reply) => sendPage(reply, problemIndex(pages), problemPagePolicy));
  serve("/problems/:name", (request, reply) => {
    const html = problemPage((request.params as { name: string }).name);
    if (html !== undefined) return sendPage(reply, html, problemPagePolicy);
    return sendNotFound(reply, service);
  });
}

function sendNotFound(reply: FastifyReply, { serving }: Service): FastifyReply {
  const id = requestId();
  const { api, place } = serving;
  sendAnswer(reply, problemAnswer(new Problem("not-found"), api.dialect, place.pages, id), id);
  return reply;
}

function sendPage(reply: FastifyReply, body: string, policy: string): FastifyReply {
  return reply
    .type("text/html; charset=utf-8")
    .header("content-security-policy", policy)
    .header("referrer-policy", "no-referrer")
    .header("cache-control", "no-cache")
    .send(body);
}

/** A page of our own: GET and HEAD, and for every other method the answer that operations give. */
export function servePage(
  app: FastifyInstance,
  service: Service,
  intake: Intake,
  url: string,
  handler: RouteHandlerMethod,
): void {
  app.get(url, async (request, reply) => {
    reply.header("request-id", requestId()).header("x-content-type-options", "nosniff");
    return handler.call(app, request, reply);
  });
  const others = app.supportedMethods.filter((method) => method !== "GET" && method !== "HEAD");
  const refuse = answering(service, intake, () =>
    Promise.reject(new Problem("method-not-allowed", { headers: { allow: "GET, HEAD" } })),
  );
  route(app, others, url, refuse);
}

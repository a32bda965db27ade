import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { Operation } from "../declare/operation.ts";
import { requestId } from "../kernel/ids.ts";
import { Problem } from "../kernel/problems.ts";
import type { Answer } from "../pipeline/answer.ts";
import { type Life, lifeOf } from "../pipeline/life.ts";
import { problemAnswer } from "../pipeline/problem-answer.ts";
import { problemOf } from "../pipeline/problem-of.ts";
import type { Service } from "../pipeline/service.ts";
import { ClientGone, endBehind, isEnding, readBody } from "./body.ts";
import { sendAnswer, sendAnswerAndClose, sendEvents } from "./reply.ts";

/** Whether this process still takes requests; a stopping one finishes what it has. */
export interface Intake {
  draining: boolean;
  inFlight: number;
  /** In somebody else's Fastify app. */
  readonly hosted: boolean;
}

/** Puts the operations of an API on a Fastify instance, and an answer on every other method. */
export function serveOperations(app: FastifyInstance, service: Service, intake: Intake): void {
  // Bodies are read by the pipeline, after access was checked; only in this instance's scope.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));

  for (const [path, operations] of byPath(service.serving.api.operations)) {
    const url = path.replaceAll(/\{(\w+)\}/g, ":$1");
    const allow = allowedMethods(operations);
    for (const operation of operations) {
      const handler = handlerOf(service, intake, operation, path);
      route(app, operation.method, url, handler);
      if (operation.method === "GET") route(app, "HEAD", url, handler);
    }
    const options = optionsAnswer(allow, operations);
    const tellOptions = async (request: FastifyRequest) => {
      assertNamed(request);
      return options;
    };
    route(app, "OPTIONS", url, answering(service, intake, tellOptions));
    const others = app.supportedMethods.filter((method) => !allow.includes(method));
    const headers = { allow: allow.join(", ") };
    const refusal = async (request: FastifyRequest) => {
      assertNamed(request);
      throw new Problem("method-not-allowed", { headers });
    };
    route(app, others, url, answering(service, intake, refusal));
  }
}

/** A path that ends in a slash has an empty last segment, and names nothing. */
function assertNamed({ params }: FastifyRequest): void {
  if (Object.values(params as Record<string, string>).includes("")) throw new Problem("not-found");
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

export function route(
  app: FastifyInstance,
  method: string | string[],
  url: string,
  handler: Handler,
): void {
  app.route({
    method: method as RouteOptions["method"],
    url,
    handler,
    config: { posthaste: handler },
    exposeHeadRoute: false,
  });
}

/**
 * What would have run, had Fastify not refused the media type first: whether it fits is decided
 * after who may call, and not before.
 */
export function handlerBehind(request: FastifyRequest, error: unknown): Handler | undefined {
  const { code } = error as { code?: unknown };
  const aboutTheType = /^FST_ERR_(?:CTP_|ROUTE_MISSING_CONTENT_TYPE)/.test(String(code));
  const { posthaste } = request.routeOptions.config as { posthaste?: Handler };
  return aboutTheType ? posthaste : undefined;
}

export function byPath(operations: readonly Operation[]): Map<string, Operation[]> {
  const paths = new Map<string, Operation[]>();
  for (const operation of operations) {
    const known = paths.get(operation.path);
    if (known === undefined) paths.set(operation.path, [operation]);
    else known.push(operation);
  }
  return paths;
}

export function allowedMethods(operations: readonly Operation[]): string[] {
  const methods: string[] = operations.map(({ method }) => method);
  return [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
}

function optionsAnswer(allow: readonly string[], operations: readonly Operation[]): Answer {
  const headers: Record<string, string> = { allow: allow.join(", ") };
  for (const { method, accepts } of operations) {
    if (accepts.length === 0) continue;
    if (method === "POST") headers["accept-post"] = accepts.join(", ");
    if (method === "PATCH") headers["accept-patch"] = accepts.join(", ");
  }
  return { status: 204, headers, body: undefined, problem: undefined };
}

function handlerOf(service: Service, intake: Intake, operation: Operation, template: string) {
  const life: Life = lifeOf(operation.kind);
  const { serving, store, underway, work, clock, observe } = service;
  // A parameter is named by the dialect on the wire; Fastify hands it over by that name.
  const named = template.includes("{");
  return answering(
    service,
    intake,
    (request, reply, id) => {
      const { path, search } = splitTarget(request.raw.url!);
      return life({
        serving,
        lane: store.lane,
        reader: store.reader,
        observe,
        underway,
        work,
        now: clock.now(),
        requestId: id,
        operation,
        method: request.method,
        path,
        search,
        headers: request.headers,
        params: named ? (request.params as Record<string, string>) : {},
        readBody: (maxBytes) => readBody(request.raw, reply.raw, maxBytes),
      });
    },
    operation.id,
  );
}

/** A request target without its query, and the query without its `?`. */
export function splitTarget(url: string): { readonly path: string; readonly search: string } {
  const query = url.indexOf("?");
  if (query === -1) return { path: url, search: "" };
  return { path: url.slice(0, query), search: url.slice(query + 1) };
}

type Work = (request: FastifyRequest, reply: FastifyReply, requestId: string) => Promise<Answer>;

/** Runs the work of a route; whatever it throws becomes an answer here, in one place. */
export function answering(service: Service, intake: Intake, work: Work, operation?: string) {
  const { serving, observe } = service;
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const began = performance.now();
    const id = requestId();
    const finish = (answer: Answer) => {
      intake.inFlight--;
      if (intake.draining) reply.raw.shouldKeepAlive = false;
      if (answer.events !== undefined) {
        void sendEvents(reply, answer, answer.events, id, () => intake.draining).catch(() =>
          reply.raw.destroy(),
        );
      }
      // After bytes that are no HTTP, nothing that follows can be told apart.
      else if (hasUnreadBody(request) || answer.problem === "malformed-request")
        sendAnswerAndClose(reply, answer, id);
      else sendAnswer(reply, answer, id);
      observe({
        event: "request.answered",
        requestId: id,
        method: request.method,
        path: splitTarget(request.raw.url!).path,
        ...(operation === undefined ? {} : { operation }),
        status: answer.status,
        milliseconds: Math.round((performance.now() - began) * 1_000) / 1_000,
        ...(answer.problem === undefined ? {} : { problem: answer.problem }),
      });
    };
    // Pipelined behind an answer that ends the connection: nobody will read what comes of it.
    if (isEnding(request.raw.socket)) return reply.hijack();
    if (wantsEnd(request.raw)) endBehind(request.raw.socket);
    intake.inFlight++;
    accept(request, intake)
      .then(() => work(request, reply, id))
      .then(finish, (error) => {
        if (error instanceof ClientGone) {
          intake.inFlight--;
          reply.hijack();
          return;
        }
        const problem = problemOf(error);
        if (problem.status === 500)
          observe({ event: "request.failed", requestId: id, error: problem.cause });
        finish(problemAnswer(problem, serving.api.dialect, serving.place.pages, id));
      })
      .catch((error) => {
        // A dialect or a host's hook that throws leaves nothing to answer with.
        observe({ event: "request.failed", requestId: id, error });
        reply.raw.destroy();
      });
    return reply;
  };
}

const accepted = Promise.resolve();
const MAX_URL_LENGTH = 8_192;

/** What must hold of every request before anything is done with it. */
function accept(request: FastifyRequest, { draining }: Intake): Promise<void> {
  if (draining) {
    return Promise.reject(new Problem("draining", { headers: { "retry-after": "1" } }));
  }
  if (request.raw.url!.length > MAX_URL_LENGTH) {
    return Promise.reject(
      new Problem("uri-too-long", { detail: `A URL may have ${MAX_URL_LENGTH} bytes.` }),
    );
  }
  const fault = framingFault(request.raw);
  if (fault !== undefined) {
    // At once: what follows in the same packet is parsed before this is answered.
    endBehind(request.raw.socket);
    return Promise.reject(new Problem("malformed-request", { detail: fault }));
  }
  return accepted;
}

/** RFC 9110 section 7.2: uri-host, and a port. Empty where the target has no authority. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::\d*)?$/;

/** Fields of which Node keeps the first and drops a second without a word. */
const SINGLE = new Map([
  [4, "host"],
  [12, "content-type"],
  [13, "authorization"],
]);

/** What Node's parser lets pass, and RFC 9112 does not. */
function framingFault({ rawHeaders, httpVersion, headers }: IncomingMessage): string | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0")
    return "The version of HTTP is not 1.1 or 1.0.";
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    const single = SINGLE.get(name.length);
    if (single === undefined || name.toLowerCase() !== single) continue;
    const bit = 1 << name.length;
    if ((seen & bit) !== 0) return `The request has more than one ${name} header field.`;
    seen |= bit;
  }
  // Section 3.2: exactly one.
  if ((seen & (1 << 4)) === 0 && httpVersion === "1.1")
    return "The request has no Host header field.";
  if (headers.host !== undefined && !HOST.test(headers.host))
    return "The Host header field is no host.";
  const coding = headers["transfer-encoding"];
  // Section 6.1: HTTP/1.0 knows no transfer codings, and who sends one may mean another length.
  if (coding !== undefined && httpVersion === "1.0") return "HTTP/1.0 has no Transfer-Encoding.";
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    return "The transfer coding is not one that the server undoes: chunked.";
  }
  return undefined;
}

function wantsEnd({ headers }: IncomingMessage): boolean {
  return headers.connection !== undefined && /\bclose\b/i.test(headers.connection);
}

function hasUnreadBody({ raw }: FastifyRequest): boolean {
  if (raw.readableEnded || raw.complete) return false;
  return (
    raw.headers["transfer-encoding"] !== undefined || Number(raw.headers["content-length"] ?? 0) > 0
  );
}

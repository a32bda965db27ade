import type { AddressInfo, Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import type { Api } from "../declare/api.ts";
import { Problem } from "../kernel/problems.ts";
import { type Service, type ServiceOptions, startService } from "../pipeline/service.ts";
import { serveHealth } from "./health.ts";
import { serveDocs, serveMail, servePage, serveProblemPages } from "./pages.ts";
import { answerBeforeRoutes, answerParserError, type RawAnswers } from "./parser-errors.ts";
import { problemOfFastify, refuse } from "./refusals.ts";
import { answering, type Intake } from "./routes.ts";
import { servePosthaste } from "./scope.ts";

export interface ServerOptions extends ServiceOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Path in front of every operation. Default `/api`. */
  readonly base?: string;
  /** Milliseconds for the header fields to arrive. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds for the whole request to arrive. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Milliseconds that an idle connection is kept. Default 72,000: above the usual proxies' 60 s. */
  readonly keepAliveTimeoutMs?: number;
  /** Milliseconds that a stop waits for requests under way. Default 10,000. */
  readonly stopTimeoutMs?: number;
}

export interface RunningServer {
  /** `http://127.0.0.1:3000` */
  readonly origin: string;
  readonly base: string;
  /** Answers what was accepted, takes nothing more, loses nothing. */
  stop(): Promise<void>;
}

const MAX_HEADER_BYTES = 16_384;

/** Serves an API by itself: operations below its base path, our own pages at the root. */
export async function startServer(api: Api, options: ServerOptions): Promise<RunningServer> {
  const base = options.base ?? "/api";
  const service = await startService(api, { base, pages: "" }, options);
  const intake: Intake = { draining: false, inFlight: 0, hosted: false };
  const { observe, serving } = service;
  const raw: RawAnswers = { dialect: serving.api.dialect, pages: "", observe };

  const app = Fastify({
    logger: false,
    // Fastify's own answer to a draining server would not be ours.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 72_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      connectionsCheckingInterval: 1_000,
      // Node would answer by itself, without our form: routes.ts checks it.
      requireHostHeader: false,
    },
    frameworkErrors: (error, request, reply) => {
      answering(service, intake, () => Promise.reject(problemOfFastify(error)))(
        request as never,
        reply as never,
      );
    },
    clientErrorHandler: (error, socket) => answerParserError(error, socket as Socket, raw),
  });
  answerBeforeRoutes(app.server, raw);
  // A client may end its side and wait for the answer (RFC 9112 section 9.6).
  Object.assign(app.server, { httpAllowHalfOpen: true });

  answerAsterisk(app, service, intake);
  servePage(app, service, intake, "/", (_request, reply) => reply.redirect("/docs"));
  serveDocs(app, service, intake);
  serveProblemPages(app, service, intake);
  serveMail(app, service, intake);
  serveHealth(app, service, intake);
  refuse(app, service, intake);
  await app.register(async (scope) => servePosthaste(scope, service, intake), { prefix: base });
  try {
    await app.listen({ host: options.host, port: options.port, backlog: 1_024 });
  } catch (error) {
    await service.close();
    throw error;
  }
  const { address, port, family } = app.server.address() as AddressInfo;
  const origin = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    intake.draining = true;
    service.work.drain();
    observe({ event: "server.draining", requestsInFlight: intake.inFlight });
    const late = setTimeout(
      () => app.server.closeAllConnections(),
      options.stopTimeoutMs ?? 10_000,
    );
    await app.close();
    clearTimeout(late);
    await service.close();
    observe({ event: "server.stopped" });
  };
  return {
    origin,
    base,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** RFC 9112 section 3.2.4: `OPTIONS *` asks about the server as a whole; for no other method it is a target. */
function answerAsterisk(app: FastifyInstance, service: Service, intake: Intake): void {
  const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  const answer = answering(service, intake, async ({ raw }) => {
    if (raw.method !== "OPTIONS") throw new Problem("not-found");
    return { status: 204, headers: { allow }, body: undefined, problem: undefined };
  });
  app.addHook("onRequest", (request, reply, next) => {
    if (request.raw.url === "*" || request.originalUrl === "*") answer(request, reply);
    else next();
  });
}

import type { FastifyInstance } from "fastify";
import { Problem } from "../kernel/problems.ts";
import type { Service } from "../pipeline/service.ts";
import {
  allowedMethods,
  answering,
  byPath,
  handlerBehind,
  type Intake,
  splitTarget,
} from "./routes.ts";

/**
 * Gives our answers to what Fastify finds wrong before a route of ours is reached, within the scope
 * of this instance: an unknown path, a URL that is no URL, a method that nobody has.
 */
export function refuse(app: FastifyInstance, service: Service, intake: Intake): void {
  const templates = [...byPath(service.serving.api.operations)].map(([path, operations]) => ({
    pattern: new RegExp(`^${app.prefix}${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    allow: allowedMethods(operations).join(", "),
  }));
  const nowhere = answering(service, intake, ({ raw }) => {
    // Methods that Fastify has no route for end here, also at paths that exist.
    const { path } = splitTarget(raw.url ?? "");
    const known = templates.find(({ pattern }) => pattern.test(path));
    return Promise.reject(
      known === undefined
        ? new Problem("not-found")
        : new Problem("method-not-allowed", { headers: { allow: known.allow } }),
    );
  });
  app.setNotFoundHandler(nowhere);
  answerErrors(app, service, intake, nowhere);
}

type Handler = ReturnType<typeof answering>;

/** Errors of Fastify, and of a host's hooks, in the scope of this instance. */
export function answerErrors(
  app: FastifyInstance,
  service: Service,
  intake: Intake,
  nowhere?: Handler,
): void {
  app.setErrorHandler((error, request, reply) => {
    const behind = request.is404 ? nowhere : handlerBehind(request, error);
    if (behind !== undefined) return behind(request, reply);
    // A hook of the host has refused the request: the host's own handler has the word.
    if (intake.hosted && !isFastifyError(error)) throw error;
    return answering(service, intake, () => Promise.reject(problemOfFastify(error)))(
      request,
      reply,
    );
  });
}

/** Fastify's errors that mean the client (https://fastify.dev/docs/latest/Reference/Errors/). */
export function problemOfFastify(error: unknown): unknown {
  if (!isFastifyError(error)) return error;
  const { code, statusCode } = error;
  if (code === "FST_ERR_BAD_URL" || code === "FST_ERR_ASYNC_CONSTRAINT") {
    return new Problem("malformed-request", {
      detail: "The path is not valid percent-encoded UTF-8.",
    });
  }
  if (code === "FST_ERR_MAX_PARAM_LENGTH" || statusCode === 414) return new Problem("uri-too-long");
  if (statusCode === 413) return new Problem("content-too-large");
  if (statusCode === 415) return new Problem("unsupported-media-type");
  if (statusCode === 404) return new Problem("not-found");
  if (statusCode === 400) return new Problem("malformed-request");
  return error;
}

function isFastifyError(error: unknown): error is { code: string; statusCode?: number } {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && code.startsWith("FST_");
}

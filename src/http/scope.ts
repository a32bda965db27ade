import type { FastifyInstance } from "fastify";
import type { Service } from "../pipeline/service.ts";
import { answerErrors, refuse } from "./refusals.ts";
import { type Intake, serveOperations } from "./routes.ts";

/** Operations, and answers to all else, in the scope of a Fastify instance. */
export function servePosthaste(app: FastifyInstance, service: Service, intake: Intake): void {
  serveOperations(app, service, intake);
  // Fastify allows one not-found handler for a prefix; without one the host's answers.
  if (app.prefix !== "") refuse(app, service, intake);
  else answerErrors(app, service, intake);
}

import type { FastifyInstance } from "fastify";
import type { Service } from "../pipeline/service.ts";
import { servePage } from "./pages.ts";
import type { Intake } from "./routes.ts";

/**
 * For whoever decides whether to restart this process (`live`) and whether to send it requests
 * (`ready`). A stopping process is alive and not ready.
 */
export function serveHealth(app: FastifyInstance, service: Service, intake: Intake): void {
  const { store } = service;
  servePage(app, service, intake, "/health/live", (_request, reply) => {
    return reply.header("cache-control", "no-store").send({ status: "ok" });
  });
  servePage(app, service, intake, "/health/ready", (_request, reply) => {
    const health = store.health();
    const ready = health.ok && !intake.draining;
    return reply
      .code(ready ? 200 : 503)
      .header("cache-control", "no-store")
      .send({
        status: ready ? "ok" : "unavailable",
        checks: {
          store: health.ok ? "ok" : "unavailable",
          intake: intake.draining ? "draining" : "ok",
        },
      });
  });
}

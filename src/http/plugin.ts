import type { FastifyInstance } from "fastify";
import type { Api } from "../declare/api.ts";
import { type Service, type ServiceOptions, startService } from "../pipeline/service.ts";
import { servePages } from "./pages.ts";
import { answerErrors, refuse } from "./refusals.ts";
import { type Intake, serveOperations } from "./routes.ts";

export interface PosthasteOptions extends ServiceOptions {
  /** Whether `/docs`, `/openapi.json` and `/problems` are served below the prefix. Default true. */
  readonly pages?: boolean;
}

/**
 * An API as a Fastify plugin, for an existing app:
 * `app.register(posthaste(api, { store: "./data.db" }), { prefix: "/v1" })`.
 * It keeps to its own scope: the host's parsers, hooks and error handlers stay as they are, and so
 * do those of another API in the same app. Closing the app closes the store.
 */
export function posthaste(
  api: Api,
  options: PosthasteOptions,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const place = { base: app.prefix, pages: app.prefix };
    const service = await startService(api, place, options);
    const intake: Intake = { draining: false, inFlight: 0 };
    app.addHook("preClose", async () => {
      intake.draining = true;
    });
    app.addHook("onClose", () => service.close());
    servePosthaste(app, service, intake);
    if (options.pages !== false) servePages(app, service);
  };
}

/** Operations, and answers to all else below the prefix. */
export function servePosthaste(app: FastifyInstance, service: Service, intake: Intake): void {
  serveOperations(app, service, intake);
  // Fastify allows one not-found handler for a prefix; without one the host's answers.
  if (app.prefix !== "") refuse(app, service, intake);
  else answerErrors(app, service, intake);
}

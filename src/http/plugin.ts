import type { FastifyInstance } from "fastify";
import type { Api } from "../declare/api.ts";
import { type Observe, redacted } from "../kernel/observations.ts";
import { type ServiceOptions, startService } from "../pipeline/service.ts";
import { serveDocs, serveMail, serveProblemPages } from "./pages.ts";
import type { Intake } from "./routes.ts";
import { servePosthaste } from "./scope.ts";

/** The options of `posthaste()`. */
export interface PosthasteOptions extends ServiceOptions {
  /** Whether `/docs`, `/openapi.json` and captured mail are served below the prefix. Default true. */
  readonly pages?: boolean;
}

/**
 * An API as a Fastify plugin, for an existing app:
 * `app.register(posthaste(api, { store: "./data.db" }), { prefix: "/v1" })`.
 * It keeps to its own scope: the host's parsers, hooks and error handlers stay as they are, and so
 * do those of another API in the same app. Closing the app closes the store.
 * @throws DeclarationError or StoreError, when the app gets ready: both are sentences for the operator
 */
export function posthaste(
  api: Api,
  options: PosthasteOptions,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const place = { base: app.prefix, pages: app.prefix };
    const observe = options.observe ?? logTo(app.log);
    const service = await startService(api, place, { ...options, observe });
    const intake: Intake = { draining: false, inFlight: 0, hosted: true };
    app.addHook("preClose", async () => {
      intake.draining = true;
      service.work.drain();
    });
    app.addHook("onClose", () => service.close());
    servePosthaste(app, service, intake);
    serveProblemPages(app, service, intake);
    if (options.pages !== false) {
      serveDocs(app, service, intake);
      serveMail(app, service, intake);
    }
  };
}

/** Failures go to the host's log, where the host chose no other place for observations. */
function logTo(log: FastifyInstance["log"]): Observe {
  return (observation) => {
    if ("error" in observation) log.error(redacted(observation), observation.event);
    else log.debug(observation, observation.event);
  };
}

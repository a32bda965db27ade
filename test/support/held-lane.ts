import { join } from "node:path";
import Fastify from "fastify";
import type { Api } from "posthaste";
import { servePosthaste } from "../../src/http/scope.ts";
import { type ServiceOptions, startService } from "../../src/pipeline/service.ts";
import { temporaryFolder } from "./folder.ts";

type Cleaner = { after(clean: () => unknown): void };

/** An API, served with its commit lane at hand: whoever holds that keeps all writes waiting. */
export interface Holdable {
  readonly origin: string;
  readonly store: string;
  /** Takes the lane once everything before has been committed, and gives it back when called. */
  hold(): Promise<() => Promise<void>>;
  /** Gives the lane back, and closes everything; what happens after the test anyway. */
  close(): Promise<void>;
}

export async function serveHoldable(
  t: Cleaner,
  api: Api,
  options: Partial<ServiceOptions> = {},
): Promise<Holdable> {
  const store = join(temporaryFolder(t as never), "store.db");
  const service = await startService(
    api,
    { base: "/api", pages: "" },
    { store, maxHoldMs: 30_000, ...options },
  );
  const app = Fastify({ forceCloseConnections: true });
  const intake = { draining: false, inFlight: 0, hosted: true };
  await app.register(async (scope) => servePosthaste(scope, service, intake), { prefix: "/api" });
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const gifts = new Set<() => Promise<void>>();
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      for (const give of gifts) await give();
      await app.close();
      await service.close();
    })();
    return closing;
  };
  t.after(close);
  return {
    origin,
    store,
    close,
    hold: async () => {
      const held = Promise.withResolvers<void>();
      const free = Promise.withResolvers<void>();
      const holding = service.store.lane.transact(() => {
        held.resolve();
        return free.promise;
      });
      await Promise.race([held.promise, holding]);
      const give = () => {
        free.resolve();
        return holding;
      };
      gifts.add(give);
      return give;
    },
  };
}

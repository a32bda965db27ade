import type { ServerCommand } from "../server.ts";

/** Posthaste as a user starts it, from its sources; no limits, as all load has one address. */
export const ours: ServerCommand = {
  args: (store) => [
    "--conditions=posthaste-source",
    "src/cli/main.ts",
    "serve",
    "examples/tour/api.ts",
    "--port",
    "0",
    "--store",
    store,
  ],
  env: { POSTHASTE_LIMITS: "off" },
  rowsIn: "users",
};

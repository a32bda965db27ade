/** How the servers under test are started. */

import type { ServerCommand } from "../server.ts";

/** Bare `node:http`, for whatever is sent to it. */
export const floor: ServerCommand = { args: () => ["bench/servers/floor.ts"] };

/** One durable row with each 201. */
export const handWritten: ServerCommand = {
  args: (store) => ["bench/servers/hand-written.ts", store],
  rowsIn: ["users"],
};

/** A row, a key and a job with each 201. */
export const handWrittenFull: ServerCommand = {
  args: (store) => ["bench/servers/hand-written-full.ts", store],
  rowsIn: ["users", "idempotency_keys", "jobs"],
};

/** See `bench/apis/users.ts`. */
export const users: ServerCommand = { ...posthaste("users"), rowsIn: ["users"] };

/** See `bench/apis/full.ts`. */
export const full: ServerCommand = {
  ...posthaste("full"),
  rowsIn: ["users", "posthaste_keys", "posthaste_jobs"],
};

/** See `bench/apis/jobs.ts`. */
export const jobs: ServerCommand = posthaste("jobs");

/** Posthaste as a user starts it, from its sources; no limits, as all load has one address. */
function posthaste(api: string): ServerCommand {
  return {
    args: (store) => [
      "--conditions=posthaste-source",
      "src/cli/main.ts",
      "serve",
      `bench/apis/${api}.ts`,
      "--port",
      "0",
      "--store",
      store,
    ],
    env: { POSTHASTE_LIMITS: "off" },
  };
}

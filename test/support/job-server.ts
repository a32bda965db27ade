import { startServer } from "../../src/http/server.ts";

/**
 * `node job-server.ts MODULE STORE PLACE`: serves an API as `posthaste serve` does, but for its
 * beats, which are quick, so that a test need not wait for what a dead process had.
 */
const [, , module = "", store = "", place = ""] = process.argv;
const { default: api } = await import(module);
const server = await startServer(api, {
  host: "127.0.0.1",
  port: 0,
  store,
  beatMs: 50,
  ...(place === "thread" ? { module } : {}),
  observe: (observation) => {
    if (observation.event !== "request.answered" && observation.event !== "job.done")
      process.stderr.write(
        `${observation.event} ${"error" in observation ? observation.error : ""}\n`,
      );
  },
});
process.stdout.write(`${server.origin}\n`);
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));

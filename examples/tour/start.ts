/**
 * `npm start`: the tour's payment gateway, as a process beside, and then the tour itself, as
 * `posthaste serve examples/tour/api.ts` would serve it.
 */
import { fork } from "node:child_process";

const beside = fork(new URL("./gateway.ts", import.meta.url), {
  // Ctrl+C in a terminal reaches every process; this one ends when its channel closes.
  stdio: "inherit",
  env: { ...process.env, PORT: "0" },
});
// Nobody pays in the first moment, so nobody waits for it.
beside.once("message", ({ url }: { url: string }) => {
  process.env.TOUR_GATEWAY = url;
});
// A signal to npm ends npm alone; whoever lost it that way ends as well.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, 500).unref();
process.argv.splice(2, 0, "serve", "examples/tour/api.ts");
await import("../../src/cli/main.ts");

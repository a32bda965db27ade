import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LoadOrder, LoadReport } from "./load.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("load.ts", import.meta.url));

/**
 * Puts the ordered load on a server, from a process that is new each time, so that no figure
 * depends on what was measured before it. Throws what the generator complained about.
 */
export async function generateLoad(order: LoadOrder): Promise<LoadReport> {
  try {
    const { stdout } = await run(process.execPath, [script, JSON.stringify(order)]);
    return JSON.parse(stdout) as LoadReport;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(stderr?.trim() || String(error), { cause: error });
  }
}

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

const present = new Set<ScratchDirectory>();

process.on("exit", () => {
  for (const directory of present) directory.remove();
});

/** A directory that is gone when this process is, however it ends. */
export class ScratchDirectory {
  readonly path: string;

  constructor(parentDirectory: string) {
    this.path = mkdtempSync(join(parentDirectory, "posthaste-bench-"));
    present.add(this);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
    present.delete(this);
  }
}

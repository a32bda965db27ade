import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { temporaryFolder } from "./folder.ts";

const root = resolve(import.meta.dirname, "../..");

/** A folder as a user's project is: modules in it import `posthaste` and `zod` by their names. */
export function temporaryProject(
  t: { after(clean: () => void): void },
  files: Readonly<Record<string, string>>,
): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/posthaste"));
  symlinkSync(join(root, "node_modules/zod"), join(folder, "node_modules/zod"));
  const all = { "package.json": '{ "type": "module" }', ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** The module of an API with one resource, `notes`; `config` is what its declaration has more. */
export function notesApi(config = "", above = ""): string {
  return `
    import { anyone, api, resource } from "posthaste";
    import { z } from "zod";
    ${above}
    const notes = resource("notes", {
      schema: z.object({ text: z.string() }),
      access: { create: anyone, read: anyone, update: anyone, delete: anyone },
      ${config}
    });
    export default api({ notes }, { title: "Notes", version: "1.2.3" });
  `;
}

import { writeFileSync } from "node:fs";
import { compile } from "../declare/compile.ts";
import { openApiDocument } from "../http/openapi.ts";
import { loadApi } from "./load-api.ts";
import { readPrefix } from "./prefix.ts";
import { CommandError } from "./terminal.ts";

/** `posthaste openapi FILE`: the document that `/openapi.json` serves. */
export async function openapi(
  file: string,
  options: { readonly prefix: string; readonly out?: string },
): Promise<void> {
  const base = readPrefix(options.prefix);
  const { api } = await loadApi(file);
  const text = `${JSON.stringify(openApiDocument(compile(api), { base, pages: "" }), null, 2)}\n`;
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(options.out, text);
  } catch (error) {
    throw new CommandError(`${options.out} can't be written: ${(error as Error).message}.`);
  }
}

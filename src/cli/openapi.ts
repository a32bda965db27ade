import { writeFileSync } from "node:fs";
import { compile } from "../declare/compile.ts";
import { openApiDocument } from "../http/openapi.ts";
import { loadApi } from "./load-api.ts";

/** `posthaste openapi FILE`: the document that `/openapi.json` serves. */
export async function openapi(
  file: string,
  options: { readonly prefix: string; readonly out?: string },
): Promise<void> {
  const { api } = await loadApi(file);
  const base = options.prefix === "/" ? "" : options.prefix;
  const text = `${JSON.stringify(openApiDocument(compile(api), { base, pages: "" }), null, 2)}\n`;
  if (options.out === undefined) process.stdout.write(text);
  else writeFileSync(options.out, text);
}

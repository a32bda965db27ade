import { readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../kernel/json.ts";
import { type Patience, send } from "./client.ts";
import { type HeaderLine, jsonOf, NoAnswer } from "./message.ts";
import { CannotCheck } from "./refusal.ts";

export interface OpenApiSource {
  readonly document: JsonObject;
  /** The URL or file that it was read from. */
  readonly from: string;
  /** Where its paths begin. Always on the origin that the person named. */
  readonly base: string;
}

/**
 * Reads the document of the API at `url`: from `source`, a URL or a file, or else from
 * `openapi.json` below `url` and at the root of its origin.
 *
 * @throws {CannotCheck} where there is none.
 */
export async function readOpenApi(
  url: URL,
  source: string | undefined,
  headers: readonly HeaderLine[],
  patience: Patience,
): Promise<OpenApiSource> {
  if (source !== undefined && !/^https?:/i.test(source)) {
    const document = fromFile(source);
    return { document, from: source, base: baseOf(document, url, url) };
  }
  const places =
    source === undefined
      ? [...new Set([below(url, "openapi.json"), new URL("/openapi.json", url).href])]
      : [source];
  const faults: string[] = [];
  for (const place of places) {
    const answer = await fromServer(new URL(place), headers, patience);
    if (isOpenApi(answer)) {
      return { document: answer, from: place, base: baseOf(answer, url, new URL(place)) };
    }
    faults.push(`${place} ${answer}`);
  }
  throw new CannotCheck(
    `There is no OpenAPI document: ${faults.join("; ")}. Name it with --openapi (a URL or a file, in JSON), or describe the operations with --config.`,
  );
}

function below(url: URL, name: string): string {
  return new URL(name, url.href.endsWith("/") ? url : `${url.href}/`).href;
}

function fromFile(file: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CannotCheck(`${file} can't be read: ${(error as Error).message}.`);
  }
  const document = parsed(text);
  if (isOpenApi(document)) return document;
  throw new CannotCheck(`${file} ${fault(document)}.`);
}

/** The document, or what is wrong with what is there. */
async function fromServer(
  url: URL,
  headers: readonly HeaderLine[],
  patience: Patience,
): Promise<JsonObject | string> {
  const request = { method: "GET", url, headers: [["Accept", "application/json"], ...headers] };
  try {
    const answer = await send(request as Parameters<typeof send>[0], patience);
    if (answer.status !== 200) return `answers ${answer.status}`;
    const document = jsonOf(answer);
    return isOpenApi(document) ? document : fault(document);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new CannotCheck(`${url.origin} can't be reached: ${error.message}.`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOpenApi(document: unknown): document is JsonObject {
  return (
    isJsonObject(document) &&
    typeof document.openapi === "string" &&
    document.openapi.startsWith("3.")
  );
}

function fault(document: unknown): string {
  if (!isJsonObject(document)) return "is no JSON object";
  if (typeof document.swagger === "string")
    return `is of Swagger ${document.swagger}; OpenAPI 3 is needed`;
  return "is not an OpenAPI 3 document";
}

/**
 * A path in the URL that the person named wins over the document's `servers`. Only the path of
 * those is taken, never their host: a document may well name the production server.
 */
function baseOf(document: JsonObject, url: URL, from: URL): string {
  const own = url.pathname.replace(/\/$/, "");
  if (own !== "") return `${url.origin}${own}`;
  const [server] = Array.isArray(document.servers) ? document.servers : [];
  const named = isJsonObject(server) && typeof server.url === "string" ? server.url : "/";
  const path = URL.canParse(named, from.href) ? new URL(named, from.href).pathname : "/";
  return `${url.origin}${path.replace(/\/$/, "")}`;
}

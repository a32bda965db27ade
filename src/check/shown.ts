import { linesWithFraming } from "./client.ts";
import type { Answer, Exchange, Request } from "./message.ts";

/** At most so many characters, on one line; what is left out is counted. */
export function shorten(text: string, most = 200): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const safe = [...line].map((each) => (isControl(each) ? "�" : each)).join("");
  if (safe.length <= most) return safe;
  return `${safe.slice(0, most)}… (${text.length} characters)`;
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0)!;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/** Fields of an answer that findings are about. */
const SHOWN_FIELDS = [
  "content-type",
  "location",
  "etag",
  "allow",
  "accept",
  "accept-post",
  "accept-encoding",
  "retry-after",
  "idempotent-replayed",
];

export function shownAnswer(answer: Answer, most = 200): string {
  const fields = SHOWN_FIELDS.filter((name) => answer.headers.has(name)).map(
    (name) => `${name}: ${shorten(answer.headers.get(name)!, 80)}`,
  );
  const body = shorten(answer.body.toString("utf8"), most);
  return [String(answer.status), ...fields, body].filter((part) => part !== "").join("  ");
}

/** Fields that every request has, and that tell nothing. */
const UNTOLD = new Set(["host", "content-length", "connection"]);

/** @param secrets Names, in lower case, of fields whose values are not shown. */
export function shownRequest(
  { request, bytes }: Exchange,
  secrets: ReadonlySet<string>,
  most = 160,
): string {
  const target = `${request.method} ${request.url.pathname}${request.url.search}`;
  if (bytes !== undefined) return `${target}  ${shorten(escaped(bytes.toString("latin1")), most)}`;
  const fields = request.headers
    .filter(([name]) => !UNTOLD.has(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${shorten(shownValue(name, value, secrets), 80)}`);
  const body = request.body === undefined ? "" : shorten(request.body.toString("utf8"), most);
  return [target, ...fields, body].filter((part) => part !== "").join("  ");
}

/** A command that sends the same again. */
export function commandOf(exchange: Exchange, secrets: ReadonlySet<string>): string {
  const { request, bytes } = exchange;
  const { url } = request;
  if (bytes !== undefined) {
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    const to =
      url.protocol === "https:"
        ? `openssl s_client -quiet -connect ${url.hostname}:${port}`
        : `nc ${url.hostname} ${port}`;
    return `printf ${quoted(escaped(bytes.toString("latin1")).replaceAll("%", "%%"))} | ${to}`;
  }
  return curl(request, secrets);
}

/** A body longer than this is no argument for a shell. */
const LONGEST_ARGUMENT = 2_000;

function curl(request: Request, secrets: ReadonlySet<string>): string {
  const parts = ["curl -i"];
  if (request.method !== "GET" && request.method !== "POST") parts.push(`-X ${request.method}`);
  if (request.method === "POST" && request.body === undefined) parts.push("-X POST");
  parts.push(quoted(request.url.href));
  const lines = linesWithFraming(request).filter(([name]) => !UNTOLD.has(name.toLowerCase()));
  // curl would add a type of its own.
  if (request.body !== undefined && !lines.some(([name]) => /^content-type$/i.test(name)))
    parts.push("-H 'Content-Type:'");
  for (const [name, value] of lines) {
    const shown = shownValue(name, value, secrets);
    parts.push(`-H ${quoted(shown === "" ? `${name};` : `${name}: ${shown}`)}`);
  }
  if (request.body !== undefined) {
    const text = request.body.toString("latin1");
    const data = request.body.toString("utf8");
    if (text.length > LONGEST_ARGUMENT) parts.push(`--data-binary @BODY # ${text.length} bytes`);
    else if (Buffer.from(data, "utf8").equals(request.body))
      parts.push(`--data-binary ${quoted(data)}`);
    else parts.push(`--data-binary $'${escaped(text).replaceAll("'", "\\'")}'`);
  }
  return parts.join(" ");
}

function shownValue(name: string, value: string, secrets: ReadonlySet<string>): string {
  return secrets.has(name.toLowerCase()) ? "…" : value;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** For `printf` and `$'…'`: everything that is not visible as an escape. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n")
    .replaceAll(
      /[^\x20-\x7e]/g,
      (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
}

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openApi } from "./document.ts";
import type { Fault } from "./planted.ts";

/** What goes back. */
interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Row = Record<string, unknown> & { id: string };

interface Claim {
  readonly print: string;
  readonly resource: string;
  readonly principal: string;
  reply: Reply | undefined;
}

/** Long enough for twins to meet. */
const WORK_MS = 15;
const LARGEST_BODY = 1_048_576;
const PAGE = 20;

/** Ends the request with a problem. */
class Refusal extends Error {
  readonly status: number;
  readonly extra: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    detail: string,
    extra: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    super(detail);
    this.status = status;
    this.extra = extra;
    this.headers = headers;
  }
}

/** A server with two resources, written by hand, that does everything right but for its faults. */
export class PlantedServer {
  readonly #faults: ReadonlySet<Fault>;
  readonly #signedIn: boolean;
  readonly #rows: Record<string, Row[]> = { users: [], orders: [] };
  readonly #claims = new Map<string, Claim>();
  /** What a polluted prototype would give to every object. */
  readonly #polluted: Record<string, unknown> = {};
  readonly #server;
  #firstReply: Reply | undefined;

  constructor(faults: readonly Fault[], signedIn: boolean) {
    this.#faults = new Set(faults);
    this.#signedIn = signedIn;
    this.#server = createServer(
      {
        insecureHTTPParser: this.#has("lenient parser"),
        requireHostHeader: !this.#has("no Host is needed"),
      },
      (request, response) => void this.#serve(request, response),
    );
    if (this.#has("Expect is ignored"))
      this.#server.on("checkContinue", (request, response) => void this.#serve(request, response));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** How many records there are. */
  rows(resource: "users" | "orders"): number {
    return this.#rows[resource]!.length;
  }

  #has(fault: Fault): boolean {
    return this.#faults.has(fault);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#reply(request, response).catch((error: unknown) =>
      this.#problem(error),
    );
    response.writeHead(reply.status, {
      ...reply.headers,
      "content-length": Buffer.byteLength(reply.body),
    });
    response.end(reply.body);
  }

  #problem(error: unknown): Reply {
    if (!(error instanceof Refusal)) throw error;
    const { status, message, extra, headers } = error;
    if (this.#has("errors are HTML") && status !== 422)
      return { status, headers: { ...headers, "content-type": "text/html" }, body: "<p>No.</p>" };
    const problem = {
      type: this.#has("problems have a number for a type") ? 42 : "about:blank",
      title: "No",
      status: this.#has("problems name another status") ? 200 : status,
      detail: this.#has("stack trace") && status === 400 ? error.stack : message,
      instance: `urn:uuid:${randomUUID()}`,
      ...extra,
    };
    return {
      status,
      headers: { ...headers, "content-type": "application/problem+json" },
      body: JSON.stringify(problem),
    };
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<Reply> {
    const url = new URL(request.url!, "http://localhost");
    const [, name = "", id, ...more] = url.pathname.split("/");
    if (url.pathname === "/openapi.json") return json(200, openApi(this.#faults, this.#signedIn));
    const rows = this.#rows[name];
    if (rows === undefined || more.length > 0) {
      if (this.#has("unknown paths answer 200")) return json(200, {});
      throw new Refusal(404, "There is no such path.");
    }
    return id === undefined
      ? this.#collection(request, response, name, url)
      : this.#record(request, rows, id);
  }

  async #record(request: IncomingMessage, rows: Row[], id: string): Promise<Reply> {
    const index = rows.findIndex((row) => row.id === id);
    const row = rows[index];
    if (row === undefined)
      throw new Refusal(this.#has("unknown records answer 500") ? 500 : 404, "No such record.");
    if (request.method === "DELETE") {
      rows.splice(index, 1);
      return { status: 204, headers: {}, body: "" };
    }
    if (request.method !== "GET") throw new Refusal(405, "No.", {}, { allow: "GET, DELETE" });
    const shown = this.#has("GET shows another representation") ? { ...row, name: "?" } : row;
    const etag = this.#has("GET has another ETag") ? '"other"' : `"${id}"`;
    return json(200, shown, { etag });
  }

  async #collection(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    url: URL,
  ): Promise<Reply> {
    const allow = this.#has("Allow without POST") ? "GET, OPTIONS" : "GET, POST, OPTIONS";
    switch (request.method) {
      case "GET":
        this.#principal(request);
        return page(this.#rows[name]!, url);
      case "OPTIONS": {
        const told = { allow: "GET, POST, OPTIONS", "accept-post": "application/json" };
        return {
          status: 204,
          headers: this.#has("OPTIONS without Allow") ? {} : told,
          body: "",
        };
      }
      case "POST":
        return this.#post(request, response, name);
      default:
        if (this.#has("404 instead of 405")) throw new Refusal(404, "No.");
        throw new Refusal(405, "No.", {}, this.#has("405 without Allow") ? {} : { allow });
    }
  }

  /** Who asks; everybody is the same one where nobody signs in. */
  #principal({ headers }: IncomingMessage): string {
    if (!this.#signedIn) return "anyone";
    const [, who] = /^Bearer (alice|bob)$/.exec(headers.authorization ?? "") ?? [];
    if (who !== undefined) return who;
    throw new Refusal(401, "Who are you?", {}, { "www-authenticate": "Bearer" });
  }

  async #post(
    request: IncomingMessage,
    response: ServerResponse,
    resource: string,
  ): Promise<Reply> {
    if (
      this.#has("replays before it authenticates") &&
      request.headers.authorization === undefined
    ) {
      const stored = this.#claims.get(`alice ${resource} ${this.#key(request)}`)?.reply;
      if (stored !== undefined) return stored;
    }
    const principal = this.#principal(request);
    const key = this.#key(request);
    const place = this.#scope(key, principal, resource);
    const hang = () => {
      if (key !== undefined)
        this.#claims.set(place, { print: "", reply: undefined, resource, principal });
    };
    if (request.headers["transfer-encoding"] !== undefined && this.#has("chunks answer 501"))
      throw new Refusal(501, "There has to be a length.");
    const bytes = await this.#read(request, hang);
    if (this.#has("415 leaves the key hanging") && /^text/.test(request.headers["content-type"]!))
      hang();
    const text = this.#decode(request, bytes);
    if (/"(\w+)":"[^"]*".*"\1":/.test(text) && this.#has("names that stand twice answer 500"))
      throw new Refusal(500, "It stands twice.");
    const value = this.#parse(text);
    const late = this.#has("406 after the effect");
    const acceptable = /json|\*\/\*|^$/.test(request.headers.accept ?? "");
    if (!acceptable && !late) throw new Refusal(406, "There is JSON.");
    const faults = this.#faultsOf(request, value, resource);
    if (faults.length > 0) {
      if (this.#has("invalid bodies leave the key hanging")) hang();
      const errors = this.#has("only the first fault is told") ? faults.slice(0, 1) : faults;
      throw new Refusal(422, "It is not valid.", { errors });
    }
    const print = this.#has("fingerprint of the bytes") ? text : canonical(value);
    const work = () => this.#create(resource, value);
    if (key === undefined) return this.#finish(await work(), acceptable);
    const claim: Claim = { print, reply: undefined, resource, principal };
    const reply = await this.#once(place, claim, work, response);
    return this.#finish(reply, acceptable);
  }

  #finish(reply: Reply, acceptable: boolean): Reply {
    if (!acceptable) throw new Refusal(406, "There is JSON.");
    return reply;
  }

  #scope(key: string | undefined, principal: string, resource: string): string {
    const who =
      this.#has("answers are shared by principals") ||
      this.#has("somebody else's key is in the way")
        ? ""
        : principal;
    const where =
      this.#has("keys are shared by paths") || this.#has("answers are shared by paths")
        ? ""
        : resource;
    return `${who} ${where} ${key}`;
  }

  /** The key of the request (draft section 2.1), or `undefined` where it has none. */
  #key(request: IncomingMessage): string | undefined {
    if (this.#has("keys are ignored") || this.#has("keys are ignored, and not documented"))
      return undefined;
    const lines = request.headersDistinct["idempotency-key"];
    if (lines === undefined) return undefined;
    if (lines.length > 1 && !this.#has("two keys are one"))
      throw new Refusal(400, "There are two keys.");
    const [line = ""] = lines;
    const bare = /^"([\x20-\x7e]*)"$/.exec(line)?.[1] ?? line;
    if (bare === "" && this.#has("empty keys are ignored")) return undefined;
    if (bare.length > 255 && this.#has("long keys are ignored")) return undefined;
    if (this.#has("quoted keys are refused") && line.startsWith('"'))
      throw new Refusal(400, "The key has quotes.");
    if (!/^[\x21-\x7e]{1,255}$/.test(bare)) throw new Refusal(400, "The key is malformed.");
    return bare;
  }

  async #read(request: IncomingMessage, hang: () => void): Promise<Buffer> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      if (this.#has("hanging up in the body leaves the key hanging")) hang();
      if (!this.#has("broken requests are processed")) throw new Refusal(400, "It broke off.");
    }
    const bytes = Buffer.concat(chunks);
    if (bytes.length > LARGEST_BODY)
      throw new Refusal(this.#has("large bodies answer 500") ? 500 : 413, "It is too large.");
    return bytes;
  }

  #decode({ headers }: IncomingMessage, bytes: Buffer): string {
    const encoding = headers["content-encoding"];
    if (encoding !== undefined && !this.#has("encodings are ignored")) {
      const offered = { "accept-encoding": "identity" };
      throw new Refusal(
        415,
        "The encoding is not known.",
        {},
        this.#has("415 without Accept-Encoding") ? {} : offered,
      );
    }
    const type = headers["content-type"] ?? "";
    const known = this.#isJson(type);
    if (!known) {
      const types = this.#has("415 offers another type") ? "application/xml" : "application/json";
      throw new Refusal(415, "The type is not known.", {}, { "accept-post": types });
    }
    if (/charset=iso/i.test(type) && this.#has("charset is believed"))
      return bytes.toString("latin1");
    try {
      const fatal = !this.#has("broken UTF-8 is mended");
      return new TextDecoder("utf-8", { fatal }).decode(bytes);
    } catch {
      throw new Refusal(400, "The body is not UTF-8.");
    }
  }

  #isJson(type: string): boolean {
    if (type === "") return this.#has("no type is JSON") || this.#has("no type is not validated");
    if (this.#has("any type is JSON") || this.#has("text/plain is not validated")) return true;
    if (this.#has("types with regard to case")) return type.startsWith("application/json");
    return /^application\/json\s*(;\s*charset="?(utf-8|iso-8859-1)"?)?$/i.test(type);
  }

  #parse(text: string): Record<string, unknown> {
    if (text === "" && this.#has("an empty body is an empty object")) return {};
    let value: unknown;
    try {
      const completed =
        this.#has("a body that breaks off is completed") && !text.trimEnd().endsWith("}");
      value = JSON.parse(completed ? `${text}}` : text);
    } catch {
      throw new Refusal(this.#has("malformed JSON answers 422") ? 422 : 400, "It is not JSON.");
    }
    if (typeof value !== "object" || value === null) throw new Refusal(400, "It is no object.");
    if (!JSON.stringify(value).isWellFormed() || /\\ud[89a-f]/i.test(JSON.stringify(value))) {
      if (!this.#has("surrogates are mended")) throw new Refusal(400, "Half of a pair.");
      value = Object.fromEntries(
        Object.entries(value).map(([name, member]) => [
          name,
          typeof member === "string" ? member.toWellFormed() : member,
        ]),
      );
    }
    return value as Record<string, unknown>;
  }

  #faultsOf({ headers }: IncomingMessage, value: Record<string, unknown>, resource: string) {
    const type = headers["content-type"];
    if (type === undefined && this.#has("no type is not validated")) return [];
    if (type?.startsWith("text/") && this.#has("text/plain is not validated")) return [];
    if (this.#has("nothing is validated")) return [];
    if (this.#has("an empty body is an empty object") && Object.keys(value).length === 0) return [];
    if (/^\[{1000}/.test(JSON.stringify(Object.values(value)[0]))) {
      if (this.#has("dies of depth")) this.close();
      if (this.#has("depth answers 500")) throw new Refusal(500, "It is deep.");
    }
    if (Object.hasOwn(value, "__proto__")) {
      if (!this.#has("__proto__ pollutes")) throw new Refusal(400, "The name is not allowed.");
      Object.assign(this.#polluted, value["__proto__" as never]);
      return [];
    }
    const names = resource === "users" ? ["name", "email"] : ["item", "note"];
    const wrong = Object.keys(value).filter(
      (name) => !names.includes(name) || typeof value[name] !== "string",
    );
    const missing = names.slice(0, resource === "users" ? 2 : 1).filter((n) => !(n in value));
    return [...wrong, ...missing].map((name) => ({
      pointer: `#/${name}`,
      detail: "is not right",
    }));
  }

  async #create(resource: string, value: Record<string, unknown>): Promise<Reply> {
    await sleep(WORK_MS);
    const rows = this.#rows[resource]!;
    const most = this.#has("accepts one record") ? 1 : this.#has("accepts 30 records") ? 30 : 1e6;
    if (rows.length >= most) throw new Refusal(422, "There are no more.");
    if (resource === "users" && rows.some(({ email }) => email === value.email)) {
      const sql = this.#has("SQL in a conflict");
      throw new Refusal(409, sql ? "UNIQUE constraint failed: users.email" : "It is taken.");
    }
    const row: Row = { id: String(rows.length + 1_000), ...value, ...this.#polluted };
    rows.push(row);
    const told = this.#has("Location of another record") ? rows[0]!.id : row.id;
    const location = this.#has("Location that leads nowhere")
      ? `/${resource}/nowhere-${row.id}`
      : `/${resource}/${told}`;
    return json(this.#has("created with 200") ? 200 : 201, row, {
      etag: `"${row.id}"`,
      ...(this.#has("no Location") ? {} : { location }),
      ...(this.#has("replays the cookie") ? { "set-cookie": "session=1" } : {}),
    });
  }

  /** Runs the work once for each key, and gives its reply to everybody who asks with that key. */
  async #once(
    place: string,
    claim: Claim,
    work: () => Promise<Reply>,
    response: ServerResponse,
  ): Promise<Reply> {
    const before = this.#claims.get(place);
    if (before !== undefined) return this.#again(before, place, claim, work);
    if (!this.#has("claim after the work")) this.#claims.set(place, claim);
    let gone = false;
    response.on("close", () => {
      gone ||= !response.writableFinished;
    });
    const reply = await work().catch((error: unknown) => this.#problem(error));
    claim.reply = reply;
    this.#firstReply ??= reply;
    this.#claims.set(place, this.#claims.get(place) ?? claim);
    if (gone && this.#has("hanging up frees the key")) this.#claims.delete(place);
    return reply;
  }

  async #again(
    claim: Claim,
    place: string,
    later: Claim,
    work: () => Promise<Reply>,
  ): Promise<Reply> {
    const { reply } = claim;
    if (reply === undefined) return this.#underway(claim);
    if (claim.resource !== later.resource && this.#has("answers are shared by paths")) return reply;
    if (claim.print !== later.print) return this.#otherPayload(claim, place, reply, work);
    if (claim.principal !== later.principal && this.#has("somebody else's key is in the way"))
      throw new Refusal(422, "It is used.");
    if (this.#has("409 for ever"))
      throw new Refusal(409, "It is used.", {}, { "retry-after": "1" });
    if (this.#has("a conflict answers 422 later") && reply.status === 409)
      throw new Refusal(422, "It is used.");
    return this.#replay(reply);
  }

  #underway(claim: Claim): Reply {
    if (this.#has("twins answer 500")) throw new Refusal(500, "Twice.");
    const after: Record<string, string> = this.#has("409 without Retry-After")
      ? {}
      : { "retry-after": "1" };
    const refusal = new Refusal(409, "The first one still runs.", {}, after);
    if (!this.#has("the 409 of a twin is stored")) throw refusal;
    const stored = this.#problem(refusal);
    // The first one's answer can't be kept any more.
    Object.defineProperty(claim, "reply", { get: () => stored, set: () => {} });
    return stored;
  }

  #otherPayload(
    claim: Claim,
    place: string,
    reply: Reply,
    work: () => Promise<Reply>,
  ): Reply | Promise<Reply> {
    if (this.#has("another payload gets the stored answer")) return this.#replay(reply);
    if (this.#has("another payload is processed")) return work();
    const status = this.#has("another payload answers 400") ? 400 : 422;
    const refusal = new Refusal(status, "The key was used with another payload.");
    if (this.#has("422 overwrites the 201"))
      this.#claims.set(place, { ...claim, reply: this.#problem(refusal) });
    throw refusal;
  }

  #replay(reply: Reply): Reply {
    const { "set-cookie": cookie, location, ...headers } = reply.headers;
    const marked: Record<string, string> = { ...headers, "idempotent-replayed": "true" };
    if (location !== undefined && !this.#has("replays without Location"))
      marked.location = location;
    if (cookie !== undefined && this.#has("replays the cookie")) marked["set-cookie"] = cookie;
    if (this.#has("replays nothing")) return { status: 201, headers: {}, body: "" };
    if (this.#has("replays the first answer of all")) return this.#firstReply!;
    const status = this.#has("replays with 200") && reply.status === 201 ? 200 : reply.status;
    return { status, headers: marked, body: reply.body };
  }
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

function page(rows: readonly Row[], url: URL): Reply {
  const from = Number(url.searchParams.get("from") ?? 0);
  const found = rows.slice(from, from + PAGE);
  const more = rows.length > from + PAGE;
  return json(
    200,
    { items: found },
    more ? { link: `<${url.pathname}?from=${from + PAGE}>; rel="next"` } : {},
  );
}

function canonical(value: Record<string, unknown>): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

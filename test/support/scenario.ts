import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, describe } from "node:test";
import type { Api } from "posthaste";
import { type TestContext, type TestServer, testServer } from "posthaste/testing";

type ServerOptions = NonNullable<Parameters<typeof testServer>[2]>;
type Headers = Readonly<Record<string, string>>;
export type Row = Record<string, unknown>;

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** What the text says as JSON; `undefined` where there is none. */
  readonly body: unknown;
  header(name: string): string | null;
  readonly headers: Row;
}

/** A served API and its database file: what a scenario acts on, and where it looks for effects. */
export class Served {
  #server: TestServer | undefined;
  #store = "";
  readonly #cleaning: (() => unknown)[] = [];
  /** What the server observed of itself, for tests of what the operator gets to know. */
  readonly observed: Row[] = [];

  async open(api: Api, options: ServerOptions = {}): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "posthaste-scenario-"));
    this.#store = options.store ?? join(folder, "store.db");
    this.#cleaning.push(() => rmSync(folder, { recursive: true, force: true }));
    this.#server = await testServer({ after: (clean) => this.#cleaning.unshift(clean) }, api, {
      observe: (observation) => this.observed.push({ ...observation }),
      ...options,
      store: this.#store,
    });
  }

  async close(): Promise<void> {
    for (const clean of this.#cleaning) await clean();
  }

  get origin(): string {
    return this.#opened.origin;
  }

  /** The database file. */
  get store(): string {
    return this.#store;
  }

  /** The rows of a table by id, without the columns that the framework keeps for itself. */
  rows(table: string): Row[] {
    const database = new DatabaseSync(this.#store, { readOnly: true });
    try {
      return database
        .prepare(`SELECT * FROM "${table}" ORDER BY id`)
        .all()
        .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => name[0] !== "_")));
    } finally {
      database.close();
    }
  }

  row(table: string, id: string | number): Row | undefined {
    return this.rows(table).find((row) => row.id === id);
  }

  /** Takes all rows away and lets ids begin at 1 again, so that tests leave nothing to each other. */
  empty(): void {
    this.observed.length = 0;
    const database = new DatabaseSync(this.#store, { enableForeignKeyConstraints: false });
    try {
      const tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .all()
        .map(({ name }) => String(name))
        .filter((name) => !name.startsWith("posthaste_"));
      database.exec("PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
      for (const table of tables) database.exec(`DELETE FROM "${table}"`);
      database.exec("DELETE FROM sqlite_sequence; COMMIT");
    } finally {
      database.close();
    }
  }

  /** Sends a request as it is given; a path below `/api` may leave that out. */
  async request(
    method: string,
    path: string,
    headers: Headers = {},
    body?: NonNullable<RequestInit["body"]>,
  ): Promise<Answer> {
    const response = await this.#opened.request(method, path, {
      headers,
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      text,
      body: /json/.test(response.headers.get("content-type") ?? "") ? parsed(text) : undefined,
      header: (name) => response.headers.get(name),
      headers: Object.fromEntries(response.headers),
    };
  }

  get(path: string, headers: Headers = {}): Promise<Answer> {
    return this.request("GET", path, headers);
  }

  head(path: string, headers: Headers = {}): Promise<Answer> {
    return this.request("HEAD", path, headers);
  }

  delete(path: string, headers: Headers = {}): Promise<Answer> {
    return this.request("DELETE", path, headers);
  }

  post(path: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    return this.#send("POST", path, body, "application/json", headers);
  }

  put(path: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    return this.#send("PUT", path, body, "application/json", headers);
  }

  mergePatch(path: string, patch: unknown, headers: Headers = {}): Promise<Answer> {
    return this.#send("PATCH", path, patch, "application/merge-patch+json", headers);
  }

  jsonPatch(path: string, patch: unknown, headers: Headers = {}): Promise<Answer> {
    return this.#send("PATCH", path, patch, "application/json-patch+json", headers);
  }

  /** Creates a record that the scenario starts from, and gives its path. */
  async make(path: string, body: unknown, headers: Headers = {}): Promise<string> {
    const { status, header, text } = await this.post(path, body, headers);
    const location = header("location");
    if (status !== 201 || location === null) {
      throw new Error(`POST ${path} for the scenario answered ${status}: ${text}`);
    }
    return location;
  }

  #send(method: string, path: string, body: unknown, type: string, headers: Headers) {
    return this.request(
      method,
      path,
      { "content-type": type, ...headers },
      typeof body === "string" ? body : JSON.stringify(body),
    );
  }

  get #opened(): TestServer {
    if (this.#server === undefined) throw new Error("The server is not open yet.");
    return this.#server;
  }
}

function parsed(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}

/** Serves an API for one test. */
export async function serve(
  t: TestContext,
  api: Api,
  options: ServerOptions = {},
): Promise<Served> {
  const served = new Served();
  t.after(() => served.close());
  await served.open(api, options);
  return served;
}

/** Serves a fixture for the tests of one suite, each of which begins with an empty database. */
export function servedFor(api: Api, options: ServerOptions = {}): Served {
  const served = new Served();
  before(() => served.open(api, options));
  beforeEach(() => served.empty());
  after(() => served.close());
  return served;
}

/**
 * Runs the same scenarios twice: with the writer in a thread of its own, which loads the fixture's
 * module a second time, and with writes committed on the main thread. A fixture therefore shows
 * what its hooks did in the database only.
 */
export function inBothModes(
  module: URL,
  api: Api,
  scenarios: (served: Served) => void,
  options: ServerOptions = {},
): void {
  describe("with the writer in a thread", () => {
    scenarios(servedFor(api, { ...options, module }));
  });
  describe("with the lane on the main thread", () => {
    scenarios(servedFor(api, options));
  });
}

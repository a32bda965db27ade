import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "../declare/api.ts";
import { type ServerOptions, startServer } from "../http/server.ts";

/** What `node:test` and most others hand to a test: a way to clean up behind it. */
export interface TestContext {
  after(clean: () => unknown): void;
}

export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Calls an operation. A path below `/api` may leave that out. */
  request(method: string, path: string | null, init?: RequestInit): Promise<Response>;
  /** GETs a path, such as the one in a `Location` header. */
  get(path: string | null): Promise<Response>;
  /** POSTs a value as JSON. */
  post(path: string | null, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** What is served beside the operations, at the root. */
const OWN_PAGES = /^\/(?:docs|health|mail|problems|openapi\.json)(?:[/?]|$)/;

/** Serves an API on a free port with a store of its own; both are gone after the test. */
export async function testServer(
  t: TestContext,
  api: Api,
  options: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "posthaste-test-"));
  const server = await startServer(api, {
    host: "127.0.0.1",
    port: 0,
    store: join(folder, "store.db"),
    ...options,
  });
  t.after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const request = (method: string, path: string | null, init: RequestInit = {}) => {
    // As from a Location header, which an answer may lack.
    if (path === null) throw new Error(`There is no path to ${method}: null was given.`);
    const complete = path.startsWith(`${server.base}/`) || OWN_PAGES.test(path);
    return fetch(`${server.origin}${complete ? "" : server.base}${path}`, { ...init, method });
  };
  return {
    origin: server.origin,
    request,
    get: (path) => request("GET", path),
    post: (path, body, headers = {}) =>
      request("POST", path, {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
  };
}

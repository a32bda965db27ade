import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Api, anyone, api, resource } from "posthaste";
import { z } from "zod";
import tour from "../../examples/tour/api.ts";
import { compile } from "../../src/declare/compile.ts";
import library from "../fixtures/library.ts";
import { lintWithRedocly, lintWithSpectral } from "../support/openapi-lint.ts";
import { exchange, request } from "../support/raw-http.ts";
import { type Answer, type Served, serve } from "../support/scenario.ts";

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly Json[];
  readonly parameters: readonly { name: string; in: string; schema: Json }[];
  readonly requestBody?: { content: Record<string, { schema: Json; example?: unknown }> };
  readonly responses: Record<string, { $ref?: string }>;
}
interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly servers: readonly { url: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Json>; securitySchemes?: Json } & Json;
}

async function documentOf(served: Served): Promise<Document> {
  const response = await fetch(`${served.origin}/openapi.json`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^application\/json\b/);
  return (await response.json()) as Document;
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );

/** A path that the server can be asked for, with ids that could be. */
function concrete(path: string, { parameters }: Operation): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const { schema } = parameters.find((each) => each.name === name) ?? assert.fail(name);
    return schema.format === "uuid" ? "01890a5d-ac96-774b-bcce-b302099a8057" : "1";
  });
}

/** The schema of a component as one that stands alone, for zod to judge by. */
function judge({ components }: Document, schema: unknown): z.ZodType {
  const local = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll("#/components/schemas/", "#/$defs/")
        // Which zod takes for that of whole URLs.
        .replaceAll('"format":"uri-reference",', ""),
    );
  const whole = { ...(local(schema) as Json), $defs: local(components.schemas) };
  return z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0]);
}

const loose = api({
  things: resource("loose-things", {
    schema: z.object({ tags: z.array(z.string()), Any: z.unknown().optional() }),
    access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  }),
});
const fixtures: Record<string, Api> = {
  "the tour": tour,
  "the library": library,
  "values of any kind": loose,
};

for (const [name, fixture] of Object.entries(fixtures)) {
  suite(`The OpenAPI document of ${name}`, () => {
    test("is clean under the recommended rules of Redocly and of Spectral", async (t) => {
      const document = await documentOf(await serve(t, fixture));
      assert.equal(document.openapi, "3.1.0");
      assert.deepEqual(await lintWithRedocly(document), []);
      assert.deepEqual(await lintWithSpectral(document), []);
    });

    test("has every operation that is served, and serves every one that it has", async (t) => {
      const served = await serve(t, fixture);
      const document = await documentOf(served);
      const documented = operationsOf(document).map(({ method, path }) => `${method} ${path}`);
      const compiled = compile(fixture).operations.map(({ method, path }) => `${method} ${path}`);
      assert.deepEqual(documented.sort(), compiled.sort());

      for (const [path, methods] of Object.entries(document.paths)) {
        const target = concrete(path, Object.values(methods)[0]!);
        const options = await served.request("OPTIONS", target);
        assert.equal(options.status, 204, path);
        const allowed = new Set((options.header("allow") ?? "").split(", "));
        const expected = Object.keys(methods).map((method) => method.toUpperCase());
        if (expected.includes("GET")) expected.push("HEAD");
        assert.deepEqual([...allowed].sort(), [...expected, "OPTIONS"].sort(), path);
        for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
          const { status } = await served.request(method, target);
          assert.equal(status === 405, !allowed.has(method), `${method} ${path}: ${status}`);
        }
      }
    });

    test("names the content types that OPTIONS and 415 name", async (t) => {
      const served = await serve(t, fixture);
      for (const { path, method, operation } of operationsOf(await documentOf(served))) {
        const types = Object.keys(operation.requestBody?.content ?? {});
        const target = concrete(path, operation);
        const options = await served.request("OPTIONS", target);
        if (method === "POST") assert.equal(options.header("accept-post") ?? "", types.join(", "));
        if (method === "PATCH") assert.equal(options.header("accept-patch"), types.join(", "));
        if (types.length === 0) continue;
        const headers = { "content-type": "text/x-unknown", ...asked, ...librarian };
        const refused = await served.request(method, target, headers, "x");
        assert.equal(refused.status, 415, `${method} ${path}`);
        assert.equal(refused.header("accept"), types.join(", "));
      }
    });

    test("tells what each operation is, and every error it can meet", async (t) => {
      const document = await documentOf(await serve(t, fixture));
      const ids = new Set<string>();
      for (const { path, method, operation } of operationsOf(document)) {
        const at = `${method} ${path}`;
        ids.add(operation.operationId);
        assert.match(operation.summary, /^[A-Z][a-z]/, at);
        assert.ok(operation.description.length > 20, at);
        assert.equal(operation.tags.length, 1, at);
        const parameters = operation.parameters.filter((each) => each.in === "path");
        assert.deepEqual(
          parameters.map((each) => `{${each.name}}`),
          path.match(/\{\w+\}/g) ?? [],
          at,
        );
        for (const status of ["400", "408", "500", "503"])
          assert.ok(status in operation.responses, `${at} has no ${status}`);
      }
      assert.equal(ids.size, operationsOf(document).length);
    });

    test("gives examples that the server takes, and that its own schemas allow", async (t) => {
      const served = await serve(t, fixture);
      const document = await documentOf(served);
      const paths = new Map<string, string>();
      // Parents stand before their children: each collection begins with the path of a record.
      const collections = operationsOf(document).filter(
        ({ method, operation }) => method === "POST" && "201" in operation.responses,
      );
      for (const { path, operation } of collections) {
        const [parent] =
          [...paths].filter(([template]) => path.startsWith(`${template}/`)).at(-1) ?? [];
        const at = parent === undefined ? path : `${paths.get(parent)}${path.slice(parent.length)}`;
        const content = operation.requestBody?.content["application/json"];
        assert.ok(content);
        const component = componentOf(document, content.schema);
        const [example] = (component.examples ?? []) as unknown[];
        if (example === undefined) continue;
        assert.deepEqual(judge(document, component).safeParse(example).error, undefined);
        const created = await served.post(at, example, librarian);
        assert.equal(created.status, 201, `POST ${at}: ${created.text}`);
        const location = created.header("location")!.replace(/^\/api/, "");
        paths.set(`${path}/{${idNameIn(document, path)}}`, location);
        assertShaped(document, operation, created);
        await assertRecordOperations(served, document, `${path}/{id}`, location);
      }
    });
  });
}

/** What some operations need to be told, and all others let pass. */
const asked = { "idempotency-key": "8e03978e-40d5-43e8-bc93-6894a57f9324", "if-match": '"x"' };

const librarian = { authorization: "Bearer librarian" };

/** Sends what the document says of a record to that record, and compares what comes back with it. */
async function assertRecordOperations(
  served: Served,
  document: Document,
  template: string,
  path: string,
): Promise<void> {
  const { get, put, patch } = document.paths[template] ?? {};
  assert.ok(get);
  assertShaped(document, get, await served.get(path));
  const asItIs = async () => ({ "if-match": (await served.get(path)).header("etag")! });
  if (put !== undefined) {
    const schema = componentOf(document, put.requestBody!.content["application/json"]!.schema);
    const replaced = await served.request(
      "PUT",
      path,
      { "content-type": "application/json", ...(await asItIs()), ...librarian },
      JSON.stringify((schema.examples as unknown[])[0]),
    );
    assert.equal(replaced.status, 200, replaced.text);
    assertShaped(document, put, replaced);
  }
  for (const [type, content] of Object.entries(patch?.requestBody?.content ?? {})) {
    const component = componentOf(document, content.schema);
    const example = content.example ?? (component.examples as unknown[] | undefined)?.[0];
    assert.ok(example !== undefined, `${template} has no example of ${type}`);
    assert.equal(judge(document, component).safeParse(example).error, undefined);
    const patched = await served.request(
      "PATCH",
      path,
      { "content-type": type, ...(await asItIs()), ...librarian },
      JSON.stringify(example),
    );
    assert.equal(patched.status, 200, patched.text);
    assertShaped(document, patch!, patched);
  }
}

function componentOf({ components }: Document, schema: Json): Json {
  const name = String(schema.$ref).replace("#/components/schemas/", "");
  return components.schemas[name] ?? assert.fail(`no schema ${name}`);
}

function idNameIn({ paths }: Document, collection: string): string {
  const child = Object.keys(paths).find(
    (path) => path.startsWith(`${collection}/{`) && !path.startsWith(`${collection}/{id}`),
  );
  return /\{(\w+)\}/.exec(child?.slice(collection.length) ?? "")?.[1] ?? "id";
}

/** Asserts that an answer is one that the document foresees: status, media type, headers, body. */
function assertShaped(document: Document, operation: Operation, answer: Answer): void {
  const declared = operation.responses[answer.status];
  const at = `${operation.operationId}: ${answer.status}`;
  assert.ok(declared, `${at} is not declared`);
  const response = (declared.$ref === undefined ? declared : resolve(document, declared.$ref)) as {
    content?: Record<string, { schema: Json }>;
    headers?: Json;
  };
  for (const header of Object.keys(response.headers ?? {})) {
    if (header === "Link") continue;
    assert.ok(answer.header(header), `${at} has no ${header}`);
  }
  if (answer.text === "") return;
  const type = answer.header("content-type") ?? "";
  const content = response.content?.[type];
  assert.ok(content, `${at} is not declared as ${type}`);
  const { error } = judge(document, content.schema).safeParse(answer.body);
  assert.equal(error, undefined, `${at}: ${error?.message}\n${answer.text}`);
}

function resolve(document: Document, reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>((value, step) => (value as Json)[step], document);
}

suite("Every answer of the library is one that its document foresees", () => {
  test("whatever goes right or wrong", async (t) => {
    const served = await serve(t, library, { headersTimeoutMs: 500, requestTimeoutMs: 600 });
    const document = await documentOf(served);
    const seen = new Set<string>();
    const call = async (
      method: string,
      template: string,
      path: string,
      headers: Record<string, string> = {},
      body?: unknown,
    ): Promise<Answer> => {
      const operation = document.paths[template]?.[method.toLowerCase()];
      assert.ok(operation, `${method} ${template}`);
      const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const answer = await served.request(
        method,
        path,
        body === undefined ? headers : { "content-type": type, ...headers },
        text,
      );
      assertShaped(document, operation, answer);
      seen.add(`${answer.status}`);
      return answer;
    };
    const book = {
      title: "Sand",
      isbn: "9780000000001",
      published: null,
      price: { amount: 1, currency: "EUR" },
    };
    const [books, one] = ["/books", "/books/{id}"];
    const [copies, copy] = ["/books/{bookId}/copies", "/books/{bookId}/copies/{id}"];

    await call("POST", books, books, {}, book);
    await call("POST", books, books, { authorization: "Bearer wrong" }, book);
    const created = await call("POST", books, books, librarian, book);
    assert.equal(created.status, 201);
    const etag = created.header("etag")!;
    await call("POST", books, books, librarian, book);
    await call("POST", books, books, librarian, "{");
    await call("POST", books, books, librarian, { title: 1 });
    await call("POST", books, books, { ...librarian, "content-type": "text/csv" }, "x");
    await call("POST", books, books, { ...librarian, "content-encoding": "gzip" }, book);
    await call("POST", books, books, { ...librarian, accept: "image/png" }, book);
    await call("POST", books, books, librarian, { ...book, title: "x".repeat(10_001) });
    const other = { ...book, title: "Water", isbn: "9780000000002" };
    await call("POST", books, books, { ...librarian, prefer: "return=minimal" }, other);
    await call("GET", books, `${books}?limit=1&sort=-title&language=en`);
    await call("GET", books, `${books}?limit=0&nothing=1`);
    await call("GET", books, `${books}?title=${"x".repeat(9_000)}`);
    await call("GET", books, books, { accept: "text/html;level=1" });
    await call("GET", one, `${books}/1`);
    await call("GET", one, `${books}/1`, { "if-none-match": etag });
    await call("GET", one, `${books}/1`, { "if-match": '"x"' });
    await call("GET", one, `${books}/1`, { "if-match": "x" });
    await call("GET", one, `${books}/99`);
    await call("PUT", one, `${books}/1`, {}, book);
    await call("PUT", one, `${books}/1`, { authorization: "Bearer reader" }, book);
    await call("PUT", one, `${books}/1`, { ...librarian, "if-match": '"x"' }, book);
    await call("PUT", one, `${books}/1`, librarian, { ...book, rating: 5 });
    await call("PUT", one, `${books}/1`, { ...librarian, prefer: "return=minimal" }, book);
    await call("PUT", one, `${books}/1`, librarian, { ...other, title: "Sand" });
    await call("PATCH", one, `${books}/1`, librarian, { rating: "good" });
    await call("PATCH", one, `${books}/1`, librarian, { rating: null });
    await call("PATCH", one, `${books}/1`, librarian, { price: { amount: -1 } });
    await call("PATCH", one, `${books}/99`, librarian, {});
    const patch = { ...librarian, "content-type": "application/json-patch+json" };
    await call("PATCH", one, `${books}/1`, patch, [{ op: "test", path: "/title", value: "x" }]);
    await call("PATCH", one, `${books}/1`, patch, [{ op: "nothing" }]);
    const lent = { barcode: "A-1", condition: "good", location: { room: "B" } };
    const first = await call("POST", copies, "/books/1/copies", {}, lent);
    assert.equal(first.status, 201);
    await call("POST", copies, "/books/1/copies", {}, { ...lent, condition: "worn" });
    await call("POST", copies, "/books/99/copies", {}, { ...lent, barcode: "A-2" });
    await call("GET", copies, "/books/1/copies");
    await call("GET", copies, "/books/99/copies");
    const path = first.header("location")!.replace(/^\/api/, "");
    await call("GET", copy, path);
    await call("DELETE", one, `${books}/1`, librarian);
    await call("DELETE", copy, path, { "if-match": '"x"' });
    await call("DELETE", copy, path);
    await call("DELETE", copy, path);
    await call("PUT", "/members/{id}", "/members/ada", {}, { name: "Ada", pin: "1234" });
    await call("PUT", "/members/{id}", "/members/ada", {}, { name: "Ada", pin: "1234" });
    await call("PUT", "/members/{id}", "/members/a%20b", {}, { name: "Ada", pin: "1234" });

    const declared = (status: number, template: string, method: string) => {
      const operation = document.paths[template]?.[method.toLowerCase()];
      assert.ok(
        operation && String(status) in operation.responses,
        `${method} ${template} ${status}`,
      );
      seen.add(String(status));
    };
    for (const [bytes, status] of [
      [request("POST", "/api/books", { Expect: "coffee" }, "{}"), 417],
      [request("POST", "/api/books", { "X-A": "a".repeat(20_000) }, "{}"), 431],
      [`POST /api/books HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n`, 401],
      [
        `POST /api/books HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer librarian\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n`,
        408,
      ],
    ] as const) {
      assert.equal((await exchange(served.origin, bytes)).status, status);
      declared(status, books, "POST");
    }
    const expected = "200 201 204 304 400 401 403 404 406 408 409 412 413 414 415 417 422 431";
    assert.equal([...seen].sort().join(" "), expected);
  });

  test("security says who needs credentials, and of what kind", async (t) => {
    const document = await documentOf(await serve(t, library));
    assert.deepEqual(Object.keys(document.components.securitySchemes ?? {}), ["bearer", "apiKey"]);
    const alternatives = [{ bearer: [] }, { apiKey: [] }];
    assert.deepEqual(document.paths["/books"]?.post?.security, alternatives);
    assert.deepEqual(document.paths["/books/{id}"]?.delete?.security, alternatives);
    assert.deepEqual(document.paths["/books"]?.get?.security, [{}, ...alternatives]);
  });

  test("an API without authentication asks for none", async (t) => {
    const document = await documentOf(await serve(t, tour));
    for (const { operation } of operationsOf(document)) assert.deepEqual(operation.security, []);
    assert.equal(document.components.securitySchemes, undefined);
  });

  test("what is hidden, written only or set by the server is where it belongs", async (t) => {
    const { components } = await documentOf(await serve(t, library));
    const properties = (name: string) =>
      components.schemas[name]?.properties as Record<string, Json>;
    assert.deepEqual(Object.keys(properties("Books")).includes("note"), false);
    assert.equal(properties("Books").acquiredBy?.readOnly, true);
    assert.equal(properties("Books").shelfMark?.readOnly, true);
    for (const name of ["note", "acquiredBy", "shelfMark", "id", "createdAt"])
      assert.equal(name in properties("BooksInput"), false, name);
    assert.equal("pin" in properties("Members"), false);
    assert.equal(properties("MembersInput").pin?.writeOnly, true);
  });

  test("a recursive part refers to itself, and nested objects are closed as the server has them", async (t) => {
    const served = await serve(t, library);
    const { components } = await documentOf(served);
    const section = components.schemas.BooksInputSection as {
      properties: Record<string, Json>;
    } & Json;
    assert.deepEqual(section.properties.parts?.items, {
      $ref: "#/components/schemas/BooksInputSection",
    });
    assert.equal(section.additionalProperties, false);
    const answer = await served.post(
      "/books",
      {
        title: "Sand",
        isbn: "9780000000001",
        published: null,
        price: { amount: 1, currency: "EUR", discount: 1 },
        contents: [{ heading: "One", page: 1, pages: 2 }],
      },
      librarian,
    );
    assert.equal(answer.status, 422);
    const { errors } = answer.body as { errors: { pointer: string }[] };
    assert.deepEqual(errors.map(({ pointer }) => pointer).sort(), [
      "#/contents/0/pages",
      "#/price/discount",
    ]);
  });
});

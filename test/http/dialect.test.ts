import assert from "node:assert/strict";
import { suite, test } from "node:test";
import vendorApi, { VENDOR } from "../fixtures/vendor.ts";
import { lintWithRedocly, lintWithSpectral } from "../support/openapi-lint.ts";
import { exchange, post, type RawAnswer, request } from "../support/raw-http.ts";
import { type Answer, inBothModes, type Served, serve, servedFor } from "../support/scenario.ts";

const vendorModule = new URL("../fixtures/vendor.ts", import.meta.url);
const ada = { full_name: "Ada", email_address: "ada@example.com" };
const mergePatch = "application/merge-patch+json";
const jsonPatch = "application/json-patch+json";

interface VendorError {
  readonly kind: string;
  readonly http_status: number;
  readonly message: string;
  readonly request: string;
  readonly causes: readonly {
    readonly where: string;
    readonly code: string;
    readonly text: string;
  }[];
}

/** Asserts that an error is the dialect's from its media type to its last member. */
function vendorError(answer: RawAnswer): VendorError {
  assert.equal(answer.headers.get("content-type"), VENDOR, answer.body.toString());
  const document = answer.json() as { error: VendorError };
  assert.deepEqual(Object.keys(document), ["error"]);
  const { error } = document;
  assert.deepEqual(Object.keys(error), ["kind", "http_status", "message", "request", "causes"]);
  assert.equal(error.http_status, answer.status);
  assert.equal(error.request, `urn:uuid:${answer.headers.get("request-id")}`);
  return error;
}

suite("Another dialect renders every error", () => {
  const errorsOf = (served: Served) => {
    const send = (bytes: string | Buffer) => exchange(served.origin, bytes);
    const user = () => served.make("/users", { user: ada });
    const patch = (type: string, body: string, headers: Record<string, string> = {}) =>
      send(request("PATCH", "/api/users/1", { "Content-Type": type, ...headers }, body));
    const cases: Record<string, [kind: string, () => Promise<RawAnswer>]> = {
      // Found by Node's parser.
      "bytes that are no request": ["malformed_request", () => send("GARBAGE\r\n\r\n")],
      "a length that is none": [
        "malformed_request",
        () => send("POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"),
      ],
      "a request that does not arrive": [
        "request_timeout",
        () => send("GET /api/users HTTP/1.1\r\n"),
      ],
      "a very long URL": [
        "uri_too_long",
        () => send(request("GET", `/api/users?${"a".repeat(20_000)}`)),
      ],
      "a very long header": [
        "header_fields_too_large",
        () => send(request("GET", "/api/users", { "X-A": "a".repeat(20_000) })),
      ],
      "an expectation": [
        "expectation_failed",
        () => send(post("/api/users", {}, { Expect: "coffee" })),
      ],
      CONNECT: ["method_not_allowed", () => send(request("CONNECT", "a.example:80"))],
      // Found by Fastify.
      "a path that is no UTF-8": ["malformed_request", () => send(request("GET", "/api/%ff"))],
      "a path that does not exist": ["not_found", () => send(request("GET", "/api/nothing"))],
      "a path that does not exist beside the API": ["not_found", () => send(request("GET", "/x"))],
      "a page that does not exist": ["not_found", () => send(request("GET", "/problems/x"))],
      "a method that does not exist here": [
        "method_not_allowed",
        () => send(request("DELETE", "/api/users")),
      ],
      "a method of another standard": [
        "method_not_allowed",
        () => send(request("PROPFIND", "/api/users")),
      ],
      "a Content-Type that is none": [
        "unsupported_media_type",
        () => send(request("POST", "/api/users", { "Content-Type": "x" }, "{}")),
      ],
      // Found by the pipeline.
      "two Hosts": [
        "malformed_request",
        () => send("GET /api/users HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
      ],
      "a long URL": ["uri_too_long", () => send(request("GET", `/api/users?${"a".repeat(9_000)}`))],
      nobody: ["unauthenticated", () => send(post("/api/secrets", {}))],
      "somebody who may not": [
        "forbidden",
        () => send(request("GET", "/api/secrets", { Authorization: "x" })),
      ],
      "a record that does not exist": ["not_found", () => send(request("GET", "/api/users/9"))],
      "an Accept of another type": [
        "not_acceptable",
        () => send(request("GET", "/api/users", { Accept: "application/json" })),
      ],
      "a query": ["invalid_query", () => send(request("GET", "/api/users?nothing=1"))],
      "another media type": [
        "unsupported_media_type",
        () => send(request("POST", "/api/users", { "Content-Type": "text/csv" }, "x")),
      ],
      "a coding": [
        "unsupported_content_encoding",
        () => send(post("/api/users", {}, { "Content-Encoding": "br" })),
      ],
      "a large body": [
        "content_too_large",
        () => send(post("/api/users", { user: { full_name: "x".repeat(3_000) } })),
      ],
      "malformed JSON": ["malformed_json", () => send(post("/api/users", "{"))],
      "an invalid record": ["validation_failed", () => send(post("/api/users", { user: {} }))],
      // Found inside the transaction.
      "a malformed If-Match": [
        "malformed_header",
        async () => {
          await user();
          return patch(mergePatch, "{}", { "If-Match": "x" });
        },
      ],
      "another ETag": [
        "precondition_failed",
        async () => {
          await user();
          return patch(mergePatch, "{}", { "If-Match": '"x"' });
        },
      ],
      "a malformed patch": ["malformed_patch", () => patch(jsonPatch, "{}")],
      "a patch that does not fit": [
        "patch_conflict",
        async () => {
          await user();
          return patch(jsonPatch, '[{"op":"test","path":"/user/full_name","value":"x"}]');
        },
      ],
      "a value that is taken": [
        "unique_conflict",
        async () => {
          await user();
          return send(post("/api/users", { user: ada }));
        },
      ],
      "a record that others belong to": [
        "still_referenced",
        async () => {
          await served.make(`${await user()}/visits`, { visit: { page_name: "x" } });
          return send(request("DELETE", "/api/users/1"));
        },
      ],
      "a hook that fails": [
        "internal_error",
        () => send(post("/api/users", { user: { ...ada, full_name: "Boom" } })),
      ],
    };
    for (const [what, [kind, cause]] of Object.entries(cases)) {
      test(`${what}: ${kind}`, async () => {
        const answer = await cause();
        assert.equal(vendorError(answer).kind, kind);
        assert.doesNotMatch(
          answer.body.toString(),
          /fullName|emailAddress|problem\+json|internals/,
        );
      });
    }
  };
  inBothModes(vendorModule, vendorApi, errorsOf, { headersTimeoutMs: 500, requestTimeoutMs: 500 });

  test("a lane that is full: overloaded", async (t) => {
    const full = await serve(t, vendorApi, { maxWaiting: 0 });
    const answer = await exchange(full.origin, post("/api/users", { user: ada }));
    assert.equal(vendorError(answer).kind, "overloaded");
  });
});

suite("Another dialect renders everything else", () => {
  inBothModes(vendorModule, vendorApi, (served) => {
    const make = () => served.make("/users", { user: ada });
    test("a record is in its envelope, under names of its own, and of its media type", async () => {
      const created = await served.post("/users", {
        user: { ...ada, home_address: { streetName: "Lane" } },
      });
      assert.equal(created.status, 201);
      assert.equal(created.header("content-type"), VENDOR);
      assert.equal(created.header("location"), "/api/users/1");
      const { user } = JSON.parse(created.text) as { user: Record<string, unknown> };
      assert.deepEqual(Object.keys(user), [
        "id",
        "full_name",
        "email_address",
        "home_address",
        "login_count",
        "created_at",
        "updated_at",
      ]);
      assert.deepEqual(user.home_address, { streetName: "Lane" });
      const read = await served.get("/users/1");
      assert.deepEqual(JSON.parse(read.text), { user });
      assert.deepEqual(served.row("users", 1)?.fullName, "Ada");
    });

    test("a body without its envelope, or with the declared names, is refused", async () => {
      const bare = await served.post("/users", ada);
      assert.equal(bare.status, 422);
      const declared = await served.post("/users", {
        user: { fullName: "Ada", emailAddress: "ada@example.com" },
      });
      assert.equal(declared.status, 422);
      const { error } = JSON.parse(declared.text) as { error: VendorError };
      assert.deepEqual(error.causes.map(({ where, code }) => `${where} ${code}`).sort(), [
        "#/user/emailAddress unknown_field",
        "#/user/email_address required",
        "#/user/fullName unknown_field",
        "#/user/full_name required",
      ]);
      assert.ok(error.causes.some(({ text }) => text.includes('Did you mean "full_name"?')));
      assert.deepEqual(served.rows("users"), []);
    });

    test("pointers are into the body that was sent, whoever found the fault", async () => {
      await make();
      const wheres = async (answer: Promise<Answer>) => {
        const { error } = JSON.parse((await answer).text) as { error: VendorError };
        return error.causes.map(({ where, code }) => `${where} ${code}`);
      };
      assert.deepEqual(
        await wheres(served.post("/users", { user: { ...ada, home_address: { streetName: 1 } } })),
        ["#/user/home_address/streetName invalid_type"],
      );
      assert.deepEqual(
        await wheres(served.post("/users", { user: { ...ada, full_name: "Nobody" } })),
        ["#/user/full_name nobody"],
      );
      assert.deepEqual(await wheres(served.post("/users", { user: ada })), [
        "#/user/email_address unique",
        "#/user/full_name unique",
        "#/user/login_count unique",
      ]);
      assert.deepEqual(await wheres(served.post("/users", '{"user":{"a":1,"a":2}}')), [
        "#/user/a duplicate_name",
      ]);
      assert.deepEqual(await wheres(served.put("/users/1", { user: { ...ada, login_count: 5 } })), [
        "#/user/login_count read_only",
      ]);
      assert.deepEqual(await wheres(served.get("/users?full_nam=x")), [
        "full_nam unknown_parameter",
      ]);
    });

    test("PUT takes what GET gave, and changes what differs", async () => {
      const path = await make();
      const read = JSON.parse((await served.get(path)).text) as { user: object };
      const replaced = await served.put(path, { user: { ...read.user, full_name: "Ada L." } });
      assert.equal(replaced.status, 200, replaced.text);
      assert.equal(served.row("users", 1)?.fullName, "Ada L.");
    });

    test("patches are of the record in its envelope", async () => {
      const path = await make();
      const merged = await served.mergePatch(path, { user: { full_name: "Ada M." } });
      assert.equal(merged.status, 200, merged.text);
      const patched = await served.jsonPatch(path, [
        { op: "test", path: "/user/full_name", value: "Ada M." },
        { op: "replace", path: "/user/full_name", value: "Ada P." },
      ]);
      assert.equal(patched.status, 200, patched.text);
      assert.equal(served.row("users", 1)?.fullName, "Ada P.");
      const id = await served.mergePatch(path, { user: { id: null } });
      assert.equal(id.status, 422);
    });

    test("a list is in its envelope, with the next page in it and in Link", async () => {
      for (const name of ["Ada", "Bob", "Cyd"])
        await served.make("/users", { user: { full_name: name, email_address: `${name}@a.bc` } });
      const page = await served.get("/users?limit=2&sort=-full_name");
      assert.equal(page.header("content-type"), VENDOR);
      const { users, paging } = JSON.parse(page.text) as {
        users: { user: { full_name: string } }[];
        paging: { next: string };
      };
      assert.deepEqual(
        users.map(({ user }) => user.full_name),
        ["Cyd", "Bob"],
      );
      assert.equal(page.header("link"), `<${paging.next}>; rel="next"`);
      const last = JSON.parse((await served.get(paging.next)).text) as typeof page.body & {
        paging: unknown;
      };
      assert.deepEqual(last.paging, { next: null });
    });

    test("filters and sort use its field names, and no others", async () => {
      for (const name of ["Ada", "Bob"])
        await served.make("/users", { user: { full_name: name, email_address: `${name}@a.bc` } });
      const found = async (query: string) => {
        const { users } = JSON.parse((await served.get(`/users?${query}`)).text) as {
          users: { user: { id: number } }[];
        };
        return users.map(({ user }) => user.id);
      };
      assert.deepEqual(await found("full_name=Bob"), [2]);
      assert.deepEqual(await found("email_address[in]=Ada@a.bc,Bob@a.bc"), [1, 2]);
      assert.deepEqual(
        await found("created_at[gt]=2000-01-01T00:00:00Z&sort=-created_at,-id"),
        [2, 1],
      );
      for (const query of ["fullName=Bob", "sort=createdAt", "emailAddress=x"])
        assert.equal((await served.get(`/users?${query}`)).status, 400, query);
    });

    test("a parent's key has its name in the path and in the record", async () => {
      const visit = await served.make(`${await make()}/visits`, { visit: { page_name: "Home" } });
      assert.equal(visit, "/api/users/1/visits/1");
      const read = await served.get(visit);
      assert.deepEqual(JSON.parse(read.text), { visit: { id: 1, user_id: 1, page_name: "Home" } });
    });

    test("HEAD tells what GET would", async () => {
      const path = await make();
      const [get, head] = [await served.get(path), await served.head(path)];
      assert.equal(head.header("content-type"), VENDOR);
      assert.equal(head.header("content-length"), get.header("content-length"));
    });
  });
});

suite("The OpenAPI document follows the dialect", () => {
  const served = servedFor(vendorApi);
  interface Media {
    readonly schema: { readonly $ref?: string };
    readonly example?: unknown;
    readonly examples?: Record<string, { value: { error: VendorError } }>;
  }
  type Part = { readonly content: Record<string, Media>; readonly $ref?: string };
  interface Document {
    readonly paths: Record<
      string,
      Record<
        string,
        {
          parameters: { name: string; in: string }[];
          requestBody?: Part;
          responses: Record<string, Part>;
        }
      >
    >;
    readonly components: {
      schemas: Record<string, { properties: Record<string, Record<string, unknown>> }>;
      responses: Record<string, Part>;
    };
  }
  const documentOf = async () =>
    (await (await fetch(`${served.origin}/openapi.json`)).json()) as Document;

  test("and stays clean under both linters", async () => {
    const document = await documentOf();
    assert.deepEqual(await lintWithRedocly(document), []);
    assert.deepEqual(await lintWithSpectral(document), []);
  });

  test("in names of parameters, paths and fields", async () => {
    const { paths, components } = await documentOf();
    const names = paths["/users"]!.get!.parameters.map(({ name }) => name);
    for (const name of ["full_name", "email_address", "created_at[gt]"])
      assert.ok(names.includes(name), name);
    assert.ok("/users/{user_id}/visits/{id}" in paths);
    const { user } = components.schemas.Users!.properties;
    assert.deepEqual(Object.keys(user?.properties as object), [
      "id",
      "full_name",
      "email_address",
      "home_address",
      "login_count",
      "created_at",
      "updated_at",
    ]);
    assert.doesNotMatch(JSON.stringify({ paths, components }), /fullName|emailAddress|loginCount/);
  });

  test("in media types and envelopes of records, lists and errors", async () => {
    const { paths, components } = await documentOf();
    const { post: create, get: list } = paths["/users"]!;
    assert.deepEqual(Object.keys(create!.responses["201"]!.content), [VENDOR]);
    assert.deepEqual(Object.keys(list!.responses["200"]!.content), [VENDOR]);
    assert.deepEqual(Object.keys(create!.requestBody!.content), ["application/json"]);
    for (const { content } of Object.values(components.responses)) {
      assert.deepEqual(Object.keys(content), [VENDOR]);
      for (const { value } of Object.values(content[VENDOR]?.examples ?? {}))
        assert.ok(value.error.kind.length > 0);
    }
    assert.deepEqual(Object.keys(components.schemas.Problem!.properties), ["error"]);
    assert.deepEqual(Object.keys(components.schemas.UsersInput!.properties), ["user"]);
  });

  test("in an example of a body that the server takes", async () => {
    const { components } = await documentOf();
    const { user } = components.schemas.UsersInput!.properties;
    const [example] = user!.examples as object[];
    assert.deepEqual(example, ada);
    const created = await served.post("/users", { user: example });
    assert.equal(created.status, 201, created.text);
  });
});

import fc from "fast-check";
import { request } from "./raw-http.ts";

/** A generated request that no server may take, with what it has to be answered. */
export interface BadRequest {
  /** What is wrong with it, for messages. */
  readonly kind: string;
  readonly method: string;
  readonly bytes: Buffer;
  /** The statuses that are right, for each answer that has to come. */
  readonly answers: readonly (readonly number[])[];
  /** Whether it is complete only once the client ends its side. */
  readonly ends: boolean;
}

type Arbitrary<T> = fc.Arbitrary<T>;

const USERS = "/api/users";
const JSON_TYPE = { "Content-Type": "application/json" };

/** Every kind of request that is wrong, the usual ones more often than those that cost a connection. */
export function badRequest(): Arbitrary<BadRequest> {
  return fc.oneof(
    { weight: 20, arbitrary: malformedJson() },
    { weight: 20, arbitrary: invalidRecord() },
    { weight: 12, arbitrary: badPatch() },
    { weight: 12, arbitrary: badMediaType() },
    { weight: 16, arbitrary: badPath() },
    { weight: 16, arbitrary: badQuery() },
    { weight: 8, arbitrary: badMethod() },
    { weight: 7, arbitrary: badHeaders() },
    { weight: 5, arbitrary: badChunks() },
    { weight: 5, arbitrary: badLength() },
    { weight: 4, arbitrary: badRequestLine() },
    { weight: 3, arbitrary: randomBytes() },
    { weight: 2, arbitrary: pipelinedGarbage() },
    { weight: 2, arbitrary: tooMuch() },
  );
}

function bad(
  kind: string,
  method: string,
  bytes: string | Buffer,
  statuses: readonly number[],
  { ends = false, before = [] as readonly (readonly number[])[] } = {},
): BadRequest {
  const buffer = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  return { kind, method, bytes: buffer, answers: [...before, statuses], ends };
}

/** JSON that every reader understands alike: no name `__proto__`, no number beyond 2^53. */
function anyJson({ maxDepth = 3 } = {}): Arbitrary<unknown> {
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { maxDepth, depthSize: "small" },
      fc.constantFrom(null, true, false, 0, -1, 1.5, Number.MAX_SAFE_INTEGER),
      fc.integer(),
      fc.string({ maxLength: 12 }),
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.array(tie("json"), { maxLength: 6 }),
      fc.dictionary(
        fc.string({ maxLength: 8 }).filter((name) => name !== "__proto__"),
        tie("json"),
        { maxKeys: 6 },
      ),
    ),
  }));
  return json;
}

/** JSON text that is none, or that readers disagree on. */
function malformedJson(): Arbitrary<BadRequest> {
  const name = fc.string({ maxLength: 12 }).map((text) => JSON.stringify(text));
  const value = anyJson({ maxDepth: 2 }).map((json) => JSON.stringify(json));
  const hex = fc.integer({ min: 0xd800, max: 0xdbff }).map((code) => code.toString(16));
  const member = (text: Arbitrary<string>) => text.map((json) => `{"name":${json}}`);
  const beyond = fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n });
  const text = fc.oneof(
    // A prefix of an object is never JSON.
    fc.tuple(value, fc.nat()).map(([json, cut]) => {
      const whole = `{"name":${json}}`;
      return whole.slice(0, cut % (whole.length - 1));
    }),
    fc.tuple(name, value, value).map(([key, a, b]) => `{${key}:${a},${key}:${b}}`),
    fc.tuple(name, value).map(([key, a]) => `{"a":[{${key}:${a},${key}:${a}}]}`),
    value.map((json) => `{"__proto__":${json}}`),
    value.map((json) => `{"tags":[{"__proto__":${json}}]}`),
    member(hex.map((code) => `"\\u${code}"`)),
    member(hex.map((code) => `["\\u${code}x"]`)),
    hex.map((code) => `{"\\u${code}":1}`),
    member(
      fc.constantFrom(
        ..."NaN -NaN Infinity -Infinity +1 01 1. .5 1e 0x10 1_000 undefined".split(" "),
      ),
    ),
    member(fc.tuple(beyond, fc.boolean()).map(([big, minus]) => `${minus ? "-" : ""}${big}`)),
    member(fc.integer({ min: 16, max: 400 }).map((exponent) => `1e${exponent}`)),
    fc.tuple(fc.integer({ min: 65, max: 3_000 }), fc.boolean()).map(([depth, closed]) => {
      return `${"[".repeat(depth)}${closed ? "]".repeat(depth) : ""}`;
    }),
    fc
      .integer({ min: 65, max: 500 })
      .map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`),
    member(fc.integer({ min: 0, max: 31 }).map((code) => `"a${String.fromCharCode(code)}b"`)),
    member(fc.constantFrom('"\\x41"', '"\\u12"', '"\\u{41}"', "'a'", "`a`", "// a", "/* a */ 1")),
    value.map((json) => `{"name":${json},}`),
    value.map((json) => `{"name":${json}} ${json}`),
    fc.string({ minLength: 1, maxLength: 30 }).map((junk) => `{${junk.replace(/^[\s}"]*/, "x")}`),
    fc.constant(""),
    fc.stringMatching(/^[ \t\r\n]{1,20}$/),
  );
  const bytes = fc.oneof(
    { weight: 9, arbitrary: text.map((json) => Buffer.from(json)) },
    // Not UTF-8: a byte that never occurs in it, one that only continues, half a surrogate pair.
    {
      weight: 1,
      arbitrary: fc
        .constantFrom("\xff", "\xc0\xaf", "\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80")
        .map((broken) => Buffer.from(`{"name":"${broken}"}`, "latin1")),
    },
  );
  const target = fc.constantFrom<[string, string, string]>(
    ["POST", USERS, "application/json"],
    ["POST", "/api/posts", "application/json; charset=utf-8"],
    ["PUT", `${USERS}/1`, "application/json"],
    ["PATCH", `${USERS}/1`, "application/merge-patch+json"],
    ["PATCH", `${USERS}/1`, "application/json-patch+json"],
    ["POST", "/api/posts/1/comments", "APPLICATION/JSON"],
  );
  return fc.tuple(bytes, target, fc.boolean()).map(([body, [method, path, type], chunked]) => {
    const headers = { "Content-Type": type };
    return bad("malformed JSON", method, framed(method, path, headers, body, chunked), [400]);
  });
}

/** A body with its length, or in one chunk. */
function framed(
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | Buffer,
  chunked: boolean,
): Buffer {
  const bytes = Buffer.from(body);
  if (!chunked)
    return request(method, path, { ...headers, "Content-Length": `${bytes.length}` }, bytes);
  const chunk = bytes.length === 0 ? [] : [`${bytes.length.toString(16)}\r\n`, bytes, "\r\n"];
  const body_ = Buffer.concat([...chunk, "0\r\n\r\n"].map((part) => Buffer.from(part)));
  return request(method, path, { ...headers, "Transfer-Encoding": "chunked" }, body_);
}

/** Good JSON that is no record: always at least one field of the wrong type, missing or unknown. */
function invalidRecord(): Arbitrary<BadRequest> {
  const notText = fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string(), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "constructor"), fc.integer()),
  );
  const notAge = fc.oneof(
    fc.integer({ min: 151 }),
    fc.integer({ max: -1 }),
    fc.integer({ min: 0, max: 149 }).map((age) => age + 0.5),
    fc.string(),
    fc.constant(null),
  );
  const notEmail = fc.oneof(
    fc.string({ maxLength: 40 }).map((text) => text.replaceAll("@", "")),
    fc.integer({ min: 250, max: 5_000 }).map((length) => `${"a".repeat(length)}@example.com`),
    fc.constantFrom("a@", "@b.co", "a b@c.de", "a@b@c.de", "a@example.invalid", "\u0000@b.co"),
  );
  const unknownName = fc.oneof(
    fc.constantFrom("nam", "Name", "toString", "constructor", "hasOwnProperty", "", "_version"),
    fc.string({ minLength: 1, maxLength: 20 }).map((text) => `${text}?`),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }).map((text) => `${text}é`),
  );
  const user = { name: "Grace", email: "grace@example.com" };
  const body = fc.oneof(
    notText.map((name) => ({ ...user, name })),
    notEmail.map((email) => ({ ...user, email })),
    notAge.map((age) => ({ ...user, age })),
    fc.tuple(unknownName, anyJson()).map(([name, value]) => ({ ...user, [name]: value })),
    fc.constantFrom({}, { name: "Grace" }, { email: user.email }, { ...user, name: "" }),
    fc.integer({ min: 101, max: 20_000 }).map((length) => ({ ...user, name: "é".repeat(length) })),
    anyJson().filter((json) => typeof json !== "object" || json === null || Array.isArray(json)),
    fc.array(anyJson(), { maxLength: 20 }),
  );
  const post = fc.record({
    title: fc.constantFrom("", 1, null, "x".repeat(201), {}, []),
    tags: fc.array(fc.oneof(fc.integer(), fc.constant("")), { maxLength: 30 }),
  });
  return fc.oneof(
    fc
      .tuple(body, fc.constantFrom("POST", "PUT"))
      .map(([json, method]) =>
        bad(
          "invalid user",
          method,
          sent(method, method === "PUT" ? `${USERS}/1` : USERS, json),
          [422],
        ),
      ),
    post.map((json) => bad("invalid post", "POST", sent("POST", "/api/posts", json), [422])),
  );
}

function sent(method: string, path: string, json: unknown, type = "application/json"): Buffer {
  return request(method, path, { "Content-Type": type }, JSON.stringify(json));
}

/** Patches that are none, or that leave the first user in a state that no user may have. */
function badPatch(): Arbitrary<BadRequest> {
  const merge = fc.constantFrom<unknown>(
    { name: null },
    { email: 1 },
    { id: 2 },
    { id: null },
    { ages: 3 },
    [],
    "x",
    null,
    { age: 1.5 },
    { name: { first: "Grace" } },
    { constructor: { prototype: {} } },
  );
  const operation = fc.record(
    {
      op: fc.oneof(fc.constantFrom("add", "remove", "move", "copy", "replace", "inc"), fc.string()),
      path: fc.oneof(fc.constantFrom("name", "~", "/~2", "/a/~"), fc.integer(), fc.constant(null)),
      value: anyJson({ maxDepth: 1 }),
    },
    { requiredKeys: [] },
  );
  const conflict = fc.constantFrom<unknown>(
    [{ op: "test", path: "/name", value: "nobody" }],
    [{ op: "remove", path: "/nothing" }],
    [{ op: "replace", path: "/age/0", value: 1 }],
    [{ op: "move", from: "/x", path: "/name" }],
    [{ op: "add", path: "/a/b/c", value: 1 }],
  );
  const path = `${USERS}/1`;
  return fc.oneof(
    merge.map((json) =>
      bad("merge patch", "PATCH", sent("PATCH", path, json, "application/merge-patch+json"), [422]),
    ),
    fc.array(operation, { minLength: 1, maxLength: 8 }).map((json) => {
      return bad(
        "JSON Patch",
        "PATCH",
        sent("PATCH", path, json, "application/json-patch+json"),
        [400],
      );
    }),
    anyJson()
      .filter((json) => !Array.isArray(json))
      .map((json) => {
        return bad(
          "JSON Patch",
          "PATCH",
          sent("PATCH", path, json, "application/json-patch+json"),
          [400],
        );
      }),
    conflict.map((json) =>
      bad(
        "conflicting patch",
        "PATCH",
        sent("PATCH", path, json, "application/json-patch+json"),
        [409],
      ),
    ),
    fc
      .constantFrom('"other"', 'W/"1"', '""')
      .map((tag) =>
        bad(
          "stale If-Match",
          "PATCH",
          request(
            "PATCH",
            path,
            { "Content-Type": "application/merge-patch+json", "If-Match": tag },
            "{}",
          ),
          [412],
        ),
      ),
    fc
      .constantFrom("1", '"1', "W/", '"a" "b"')
      .map((tag) =>
        bad(
          "unreadable If-Match",
          "PATCH",
          request(
            "PATCH",
            path,
            { "Content-Type": "application/merge-patch+json", "If-Match": tag },
            "{}",
          ),
          [400],
        ),
      ),
  );
}

/** Bodies of a type or coding that is not taken, or of none. */
function badMediaType(): Arbitrary<BadRequest> {
  const type = fc.oneof(
    fc.constantFrom(
      "text/plain",
      "application/xml",
      "multipart/form-data",
      "application/x-www-form-urlencoded",
      "application/json; charset=utf-16",
      "application/json; charset=latin1",
      "application/jsonp",
      "application/vnd.api+json",
      "*/*",
      "json",
      "application/json, text/plain",
      "application/json; q",
    ),
    fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}(; ?[a-z]{1,4}=[a-z]{1,4})?$/),
    fc.stringMatching(/^[!-:<-~]{1,20}$/).filter((text) => !/^application\/json/i.test(text)),
  );
  const user = JSON.stringify({ name: "Grace", email: "grace@example.com" });
  return fc.oneof(
    type.map((each) =>
      bad("media type", "POST", request("POST", USERS, { "Content-Type": each }, user), [415]),
    ),
    fc.constantFrom("POST", "PUT", "PATCH").map((method) => {
      const path = method === "POST" ? USERS : `${USERS}/1`;
      return bad("no media type", method, request(method, path, {}, user), [415]);
    }),
    fc
      .constantFrom("gzip", "br", "deflate", "zstd", "compress", "gzip, gzip", "x")
      .map((coding) =>
        bad(
          "content coding",
          "POST",
          request("POST", USERS, { ...JSON_TYPE, "Content-Encoding": coding }, user),
          [415],
        ),
      ),
    fc.constantFrom("image/png", "text/html", "application/xml", "*/*;q=0").map((accept) => {
      return bad(
        "Accept",
        "POST",
        request("POST", USERS, { ...JSON_TYPE, Accept: accept }, user),
        [406],
      );
    }),
  );
}

/** Paths that name nothing, or that are no path. */
function badPath(): Arbitrary<BadRequest> {
  const method = fc.constantFrom("GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "PATCH");
  // Neither route nor separator: the first segment differs from all that are served.
  const segment = fc.stringMatching(/^[a-z0-9~!$'()*,;:@&=+_.-]{1,20}$/);
  const nowhere = fc.oneof(
    fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => `/x-${parts.join("/")}`),
    fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => `/api/x-${parts.join("/")}`),
    segment.map((part) => `${USERS}/1/x-${part}`),
    fc.constantFrom(
      "/api",
      "/api/",
      `${USERS}/`,
      "//api/users",
      "/api//users",
      "/api/users/1/",
      "/%2Fapi/users",
      "/API/users",
    ),
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => {
      return `/x${[...bytes].map((byte) => `%${(byte % 128).toString(16).padStart(2, "0")}`).join("")}`;
    }),
  );
  const noId = fc.oneof(
    fc.constantFrom(
      "0",
      "-1",
      "01",
      "1.0",
      "1e3",
      "0x1",
      "9007199254740993",
      "99999999999999999999",
      "NaN",
      "null",
      "%31%00",
      "%2e%2e",
      "1%27%20OR%201=1",
      "1;DROP",
    ),
    fc.integer({ min: 1_000_000 }).map(String),
    segment.map((part) => `x${part}`),
  );
  const recordMethod = fc.constantFrom("GET", "HEAD", "DELETE");
  const broken = fc.oneof(
    fc.constantFrom("%", "%z", "%zz", "%1", "%ff", "%c3", "%c0%80", "%ed%a0%80", "a%"),
    fc.integer({ min: 0x80, max: 0xff }).map((byte) => `%${byte.toString(16)}`),
  );
  return fc.oneof(
    fc.tuple(method, nowhere).map(([verb, path]) => bad("path", verb, request(verb, path), [404])),
    fc.tuple(recordMethod, noId).map(([verb, id]) => {
      return bad("id", verb, request(verb, `${USERS}/${id}`), [404]);
    }),
    fc.tuple(recordMethod, noId).map(([verb, id]) => {
      return bad("parent id", verb, request(verb, `/api/posts/${id}/comments/1`), [404]);
    }),
    fc
      .tuple(method, broken)
      .map(([verb, part]) => bad("percent-encoding", verb, request(verb, `/api/${part}`), [400])),
    // Bytes that no URL has: the parser itself refuses them.
    fc
      .constantFrom("\x00", "\x01", "\x7f", "\x80", "\xff", "\xc3\xa9")
      .map((junk) => bad("bytes in the path", "GET", request("GET", `${USERS}/${junk}`), [400])),
  );
}

/** Parameters that the list of users does not take. */
function badQuery(): Arbitrary<BadRequest> {
  const parameter = fc.oneof(
    fc.stringMatching(/^x[a-z]{0,10}=[a-z0-9%20]{0,10}$/).map((text) => text.replaceAll("%", "")),
    fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 101 })).map((limit) => `limit=${limit}`),
    fc.constantFrom(
      "limit=",
      "limit=1e1",
      "limit=ten",
      "limit=0x1",
      "limit=1&limit=2",
      "limit=%31%00",
    ),
    fc.stringMatching(/^[a-z,-]{1,30}$/).map((text) => `sort=x${text}`),
    fc.stringMatching(/^[A-Za-z0-9_-]{0,60}$/).map((text) => `cursor=${text}`),
    anyJson({ maxDepth: 2 }).map((json) => {
      return `cursor=${Buffer.from(JSON.stringify(["-", json])).toString("base64url")}`;
    }),
    fc.constantFrom(
      "age=x",
      "age=1.5",
      "age=",
      "age[gt]=",
      "age[like]=1",
      "age[]=1",
      "age[gt",
      "age[gt]=1&age[gt]=2",
      "age=9007199254740993",
      "age[in]=1,x",
      "__proto__=1",
      "constructor=1",
      "name[toString]=1",
      "%5B%5D=1",
    ),
    fc.constantFrom("name=%", "name=%ff", "name=%c3%28", "%=1", 'name=a"b', "name=<b>", "name={}"),
    fc.nat({ max: 300 }).map((count) => `name[in]=${"a,".repeat(101 + count)}`),
    fc.nat({ max: 300 }).map((count) => "a=1&".repeat(101 + count)),
  );
  return fc
    .tuple(parameter, fc.constantFrom("GET", "HEAD"))
    .map(([text, method]) => bad("query", method, request(method, `${USERS}?${text}`), [400]));
}

/** Methods that a path does not have, or that do not exist. */
function badMethod(): Arbitrary<BadRequest> {
  return fc.oneof(
    fc
      .constantFrom(
        "PUT",
        "PATCH",
        "DELETE",
        "TRACE",
        "PROPFIND",
        "MKCOL",
        "LOCK",
        "SEARCH",
        "LINK",
        "PURGE",
        "REPORT",
        "M-SEARCH",
        "NOTIFY",
        "BIND",
      )
      .map((method) => bad("method", method, request(method, USERS), [405])),
    fc
      .constantFrom("POST", "TRACE", "COPY", "MOVE", "PROPPATCH", "UNLOCK", "MERGE", "SUBSCRIBE")
      .map((method) => bad("method", method, request(method, `${USERS}/1`), [405])),
    fc
      .stringMatching(/^[A-Za-z]{1,12}$/)
      .map((word) => `X${word}`)
      .map((method) => bad("unknown method", method, request(method, USERS), [400])),
    fc.constant(bad("CONNECT", "CONNECT", request("CONNECT", "example.com:443"), [405])),
  );
}

/** Header fields that are none, that come twice, or that make no sense together. */
function badHeaders(): Arbitrary<BadRequest> {
  const get = (lines: string) => `GET ${USERS} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
  const token = fc.stringMatching(/^[a-z]{1,10}$/);
  return fc.oneof(
    fc.tuple(token, token).map(([a, b]) => {
      return bad(
        "two Hosts",
        "GET",
        `GET ${USERS} HTTP/1.1\r\nHost: ${a}\r\nhost: ${b}\r\n\r\n`,
        [400],
      );
    }),
    token.map((name) =>
      bad("no Host", "GET", `GET ${USERS} HTTP/1.1\r\nX-${name}: a\r\n\r\n`, [400]),
    ),
    fc
      .constantFrom(
        " ",
        "\t",
        "(",
        ")",
        ",",
        "/",
        ";",
        "<",
        "=",
        ">",
        "@",
        "[",
        "]",
        "{",
        "}",
        '"',
        "\\",
        "\x00",
        "\x7f",
        "\x80",
        "\xff",
      )
      .chain((junk) =>
        token.map((name) => bad("field name", "GET", get(`X${name}${junk}: a\r\n`), [400])),
      ),
    fc
      .constantFrom("\x00", "\x01", "\x07", "\x0b", "\x0c", "\x1b", "\x7f", "a\rb")
      .map((junk) => bad("field value", "GET", get(`X-A: a${junk}b\r\n`), [400])),
    fc.constantFrom(": a\r\n", "X-A\r\n", "X-A: a\r\n b\r\n", "\r", "X-A: a\r\r\n").map((line) => {
      return bad("field line", "GET", get(line), [400]);
    }),
    token
      .filter((word) => word !== "continue")
      .map((word) => bad("Expect", "GET", get(`Expect: ${word}\r\n`), [417])),
    fc.integer({ min: 17_000, max: 40_000 }).map((length) => {
      return bad("long field", "GET", get(`X-A: ${"a".repeat(length)}\r\n`), [431]);
    }),
    fc.integer({ min: 2_500, max: 6_000 }).map((count) => {
      return bad("header flood", "GET", get("X-A: b\r\n".repeat(count)), [431]);
    }),
    fc.constantFrom("application/xml", "text/html;q=1", "image/*, text/*").map((accept) => {
      return bad("Accept", "GET", get(`Accept: ${accept}\r\n`), [406]);
    }),
  );
}

/** Chunked bodies that are not. */
function badChunks(): Arbitrary<BadRequest> {
  const body = JSON.stringify({ name: "Grace", email: "grace@example.com" });
  const size = body.length.toString(16);
  const chunked = fc.oneof(
    fc.stringMatching(/^[g-zG-Z]{1,8}$/).map((junk) => `${junk}\r\n${body}\r\n0\r\n\r\n`),
    fc
      .constantFrom("-1", "0x2", " ", ";", "f".repeat(17))
      .map((junk) => `${junk}\r\n${body}\r\n0\r\n\r\n`),
    fc
      .integer({ min: 1, max: body.length - 1 })
      .map((wrong) => `${wrong.toString(16)}\r\n${body}\r\n0\r\n\r\n`),
    fc.constantFrom(
      `${size}\n${body}\n0\n\n`,
      `${size}\r\n${body}0\r\n\r\n`,
      `${size}\r\n${body}\r\n\r\n`,
    ),
    fc.stringMatching(/^[(-/<>?]{1,4}$/).map((junk) => `${size}${junk}\r\n${body}\r\n0\r\n\r\n`),
  );
  const head = `POST ${USERS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
  return fc.oneof(
    chunked.map((chunks) =>
      bad("chunks", "POST", `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`, [400], {
        ends: true,
      }),
    ),
    fc
      .integer({ min: 1, max: body.length - 1 })
      .map((cut) =>
        bad(
          "chunks that break off",
          "POST",
          `${head}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${body.slice(0, cut)}`,
          [400],
          { ends: true },
        ),
      ),
    fc
      .constantFrom("gzip", "identity", "chunked, gzip", "chunked, chunked", "x")
      .map((coding) =>
        bad(
          "transfer coding",
          "POST",
          `${head}Transfer-Encoding: ${coding}\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`,
          [400],
          { ends: true },
        ),
      ),
  );
}

/** Lengths that are none, or that lie. */
function badLength(): Arbitrary<BadRequest> {
  const body = JSON.stringify({ name: "Grace", email: "grace@example.com" });
  const head = `POST ${USERS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
  const junk = fc.oneof(
    fc.integer({ max: -1 }).map(String),
    fc.constantFrom("", "+1", "0x10", "1e2", "1.0", "1 1", "1, 1", "a", "99999999999999999999999"),
    fc.stringMatching(/^[0-9]{1,3}[a-z]{1,3}$/),
  );
  return fc.oneof(
    junk.map((length) =>
      bad("Content-Length", "POST", `${head}Content-Length: ${length}\r\n\r\n${body}`, [400]),
    ),
    fc
      .integer({ min: 1, max: 100_000 })
      .map((more) =>
        bad(
          "Content-Length that is too large",
          "POST",
          `${head}Content-Length: ${body.length + more}\r\n\r\n${body}`,
          [400],
          { ends: true },
        ),
      ),
    fc.integer({ min: 1, max: body.length - 1 }).map((less) =>
      bad(
        "Content-Length that is too small",
        "POST",
        `${head}Content-Length: ${body.length - less}\r\n\r\n${body}`,
        [400],
        // The beginning is no JSON, and what remains is no request.
        { before: [[400]], ends: true },
      ),
    ),
    fc.integer({ min: 262_145, max: 2 ** 52 }).map((length) => {
      return bad(
        "Content-Length beyond the limit",
        "POST",
        `${head}Content-Length: ${length}\r\n\r\n`,
        [413],
      );
    }),
    fc
      .tuple(fc.nat(99), fc.nat(99))
      .map(([a, b]) =>
        bad(
          "two lengths",
          "POST",
          `${head}Content-Length: ${a}\r\nContent-Length: ${b}\r\n\r\n${body}`,
          [400],
        ),
      ),
    fc.boolean().map((first) => {
      const [length, coding] = [
        `Content-Length: ${body.length}\r\n`,
        "Transfer-Encoding: chunked\r\n",
      ];
      const lines = first ? length + coding : coding + length;
      return bad("length and chunks", "POST", `${head}${lines}\r\n0\r\n\r\n`, [400]);
    }),
  );
}

/** First lines that no request has. */
function badRequestLine(): Arbitrary<BadRequest> {
  const line = fc.oneof(
    fc.constantFrom(
      "GET /api/users HTTP/1.2",
      "GET /api/users HTTP/3",
      "GET /api/users HTTP/11",
      "GET /api/users HTTP",
      "GET /api/users FTP/1.1",
      "GET /api/users http/1.1",
      "GET /a b HTTP/1.1",
      "GET\t/api/users HTTP/1.1",
      "GET users HTTP/1.1",
      "GET example.com:80 HTTP/1.1",
      "get /api/users HTTP/1.1",
      " GET /api/users HTTP/1.1",
      "GETT /api/users HTTP/1.1",
      "/api/users HTTP/1.1",
      "PRI * HTTP/2.0",
    ),
    fc.stringMatching(/^[!-/:-@[-`a-z{-~][ -~]{1,60}$/),
  );
  return line.map((text) =>
    bad("request line", "GET", `${text}\r\nHost: a\r\n\r\n`, [400], { ends: true }),
  );
}

/** Bytes that were never meant to be HTTP. */
function randomBytes(): Arbitrary<BadRequest> {
  return fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => {
    // A first byte that no method begins with.
    const first = Buffer.of((bytes[0]! & 0x1f) | 0x80);
    return bad("random bytes", "GET", Buffer.concat([first, bytes]), [400], { ends: true });
  });
}

/** Good requests with something behind them that is none. */
function pipelinedGarbage(): Arbitrary<BadRequest> {
  const good = request("GET", `${USERS}?limit=1`);
  const garbage = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from([0xff, ...bytes])),
    fc
      .constantFrom("GARBAGE\r\n\r\n", "{}", "HTTP/1.1 200 OK\r\n\r\n", "<html>")
      .map((text) => Buffer.from(text)),
  );
  return fc.tuple(garbage, fc.integer({ min: 1, max: 4 })).map(([junk, count]) =>
    bad("pipelined garbage", "GET", Buffer.concat([...Array(count).fill(good), junk]), [400], {
      before: Array(count).fill([200]),
      ends: true,
    }),
  );
}

/** More than the server takes. */
function tooMuch(): Arbitrary<BadRequest> {
  return fc.oneof(
    fc.integer({ min: 8_193, max: 15_000 }).map((length) => {
      return bad("long URL", "GET", request("GET", `${USERS}?name=${"a".repeat(length)}`), [414]);
    }),
    fc.integer({ min: 17_000, max: 60_000 }).map((length) => {
      return bad(
        "very long URL",
        "GET",
        request("GET", `${USERS}?name=${"a".repeat(length)}`),
        [414],
      );
    }),
    fc.integer({ min: 262_145, max: 400_000 }).map((length) => {
      const body = Buffer.alloc(length, " ");
      return bad("large body", "POST", request("POST", USERS, JSON_TYPE, body), [413]);
    }),
    fc.integer({ min: 262_145, max: 400_000 }).map((length) => {
      const bytes = framed("POST", USERS, JSON_TYPE, Buffer.alloc(length, " "), true);
      return bad("large chunk", "POST", bytes, [413]);
    }),
    fc.integer({ min: 30_000, max: 260_000 }).map((length) => {
      const user = { name: "x".repeat(length), email: "grace@example.com" };
      return bad("huge string", "POST", sent("POST", USERS, user), [422]);
    }),
    fc.integer({ min: 1_000, max: 20_000 }).map((count) => {
      const tags = Array(count).fill(0);
      return bad("many faults", "POST", sent("POST", "/api/posts", { title: "a", tags }), [422]);
    }),
  );
}

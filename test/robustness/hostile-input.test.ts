import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type AuthenticationScheme, anyone, api, resource, signedIn } from "posthaste";
import { z } from "zod";
import {
  exchange,
  post,
  problemIn,
  type RawAnswer,
  RawConnection,
  request,
  typeOf,
} from "../support/raw-http.ts";
import { servedFor } from "../support/scenario.ts";
import { eventually, within } from "../support/time.ts";

const bearer: AuthenticationScheme = {
  name: "bearer",
  challenge: "Bearer",
  openapi: { type: "http", scheme: "bearer" },
  authenticate: ({ headers: { authorization } }) => {
    if (authorization === undefined) return null;
    return authorization === "Bearer right" ? { id: "u1" } : "invalid";
  },
};
const open = { create: anyone, read: anyone, update: anyone, delete: anyone };
const people = resource("people", {
  schema: z.object({ name: z.string().max(100), age: z.int().optional() }),
  access: open,
});
const secrets = resource("secrets", {
  schema: z.object({ text: z.string() }),
  access: { create: signedIn, read: signedIn, update: signedIn, delete: signedIn },
});
const fixture = api({ people, secrets }, { authenticate: [bearer] });

const PATH = "/api/people";
const ada = { name: "Ada" };
const body = JSON.stringify(ada);
const json = "Content-Type: application/json\r\n";
const host = "Host: 127.0.0.1\r\n";

suite("Hostile input", () => {
  const served = servedFor(fixture);

  const refused = async (bytes: string | Buffer, status: number, type: string) => {
    const answer = await within(5_000, "an answer", exchange(served.origin, bytes));
    const problem = problemIn(answer);
    assert.equal(`${status} ${type}`, `${answer.status} ${typeOf(problem)}`, problem.detail);
    return { answer, problem };
  };
  const nothingWritten = () => assert.deepEqual(served.rows("people"), []);
  const connected = async (
    t: { after(clean: () => void): void },
    bytes: string | Buffer,
  ): Promise<RawConnection> => {
    const connection = await RawConnection.open(served.origin);
    t.after(() => connection.destroy());
    return connection.send(bytes);
  };
  const serverIsWell = async () => {
    const { status } = await served.post(PATH, ada);
    assert.equal(status, 201);
    assert.deepEqual(
      served.observed.filter(({ event }) => event !== "request.answered"),
      [],
    );
  };

  suite("Lengths that lie", () => {
    test("a string of 10 MB is 413, which the client gets to see, and ends the connection", async (t) => {
      const huge = post(PATH, { name: "x".repeat(10_000_000) });
      for (let count = 0; count < 20; count++) {
        const connection = await connected(t, huge);
        const answer = await connection.answer("POST");
        assert.ok(answer, `no answer: ${connection.error?.message}`);
        assert.equal(typeOf(problemIn(answer)), "content-too-large");
        assert.equal(answer.headers.get("connection"), "close");
        await within(3_000, "the end of the connection", connection.end());
      }
      nothingWritten();
    });

    test("a client that sends 6 MB in chunks before it reads gets to see the 413, too", async (t) => {
      const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
      for (let count = 0; count < 20; count++) {
        const connection = await connected(
          t,
          `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`,
        );
        for (let sent = 0; sent < 100; sent++) {
          connection.send(chunk);
          if (sent % 10 === 0) await sleep(1);
        }
        const answer = await connection.answer("POST");
        assert.ok(answer, `no answer in attempt ${count}: ${connection.error?.message}`);
        assert.equal(typeOf(problemIn(answer)), "content-too-large");
      }
      nothingWritten();
    });

    test("fetch with a body of 10 MB sees its 413 or 415 every time", async () => {
      for (const [type, status] of [
        ["application/json", 413],
        ["text/plain", 415],
      ] as const) {
        for (let count = 0; count < 10; count++) {
          const answer = await served.post(PATH, "x".repeat(10_000_000), { "content-type": type });
          assert.equal(answer.status, status);
        }
      }
    });

    test("a Content-Length that is too small cuts the body: 400, and the rest is no request", async (t) => {
      const connection = await connected(
        t,
        `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: 5\r\n\r\n${body}`,
      );
      const answers = [await connection.answer("POST"), await connection.answer("POST")];
      assert.deepEqual(
        answers.map((answer) => answer && typeOf(problemIn(answer))),
        ["malformed-json", "malformed-request"],
      );
      await within(3_000, "the end of the connection", connection.end());
      nothingWritten();
    });

    test("a body that ends before its Content-Length is 400, though it is JSON as it stands", async (t) => {
      const connection = await connected(
        t,
        `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: 100\r\n\r\n${body}`,
      );
      const answer = await connection.finish().answer("POST");
      assert.equal(answer && typeOf(problemIn(answer)), "malformed-request");
      nothingWritten();
    });

    for (const length of ["-1", "+15", "0x0f", "1.5e1", "15, 15", "15 15", "ten", "9".repeat(25)]) {
      test(`Content-Length: ${length} is 400`, async () => {
        await refused(
          `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: ${length}\r\n\r\n${body}`,
          400,
          "malformed-request",
        );
        nothingWritten();
      });
    }

    const twice = {
      "two Content-Length that differ": "Content-Length: 5\r\nContent-Length: 14\r\n",
      "two Content-Length that agree": "Content-Length: 14\r\nContent-Length: 14\r\n",
      "Content-Length and Transfer-Encoding":
        "Content-Length: 14\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding and Content-Length":
        "Transfer-Encoding: chunked\r\nContent-Length: 14\r\n",
      "a transfer coding that is not chunked": "Transfer-Encoding: gzip\r\n",
      "chunked that is not the last transfer coding": "Transfer-Encoding: chunked, gzip\r\n",
      "chunked twice": "Transfer-Encoding: chunked, chunked\r\n",
    };
    for (const [what, fields] of Object.entries(twice)) {
      test(`${what} is 400 and ends the connection`, async () => {
        const { answer } = await refused(
          `POST ${PATH} HTTP/1.1\r\n${host}${json}${fields}\r\ne\r\n${body}\r\n0\r\n\r\n`,
          400,
          "malformed-request",
        );
        assert.equal(answer.headers.get("connection"), "close");
        nothingWritten();
      });
    }

    test("HTTP/1.0 knows no chunks: 400, and the connection ends (RFC 9112 section 6.1)", async () => {
      const { answer } = await refused(
        `POST ${PATH} HTTP/1.0\r\n${host}${json}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n${body}\r\n0\r\n\r\n`,
        400,
        "malformed-request",
      );
      assert.equal(answer.headers.get("connection"), "close");
      nothingWritten();
    });

    test("a transfer coding that the server does not undo is refused, not read past", async () => {
      await refused(
        `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: gzip, chunked\r\n\r\ne\r\n${body}\r\n0\r\n\r\n`,
        400,
        "malformed-request",
      );
      nothingWritten();
    });

    test("an answer without a body has no length, though the request's body was not read", async (t) => {
      const path = await served.make("/people", ada);
      const large = { "Content-Length": "100000" };
      const etag = (await served.get(path)).header("etag") ?? "";
      for (const [bytes, status] of [
        [request("OPTIONS", PATH, large), 204],
        [request("GET", path, { ...large, "If-None-Match": etag }), 304],
        [request("DELETE", path, large), 204],
      ] as const) {
        const connection = await connected(t, bytes);
        const answer = await connection.answer();
        assert.equal(answer?.status, status);
        assert.equal(answer.headers.get("content-length"), undefined, String(status));
        assert.equal(connection.unread.length, 0);
        connection.destroy();
      }
    });

    const chunks = {
      "a length that is no number": `zz\r\n${body}\r\n0\r\n\r\n`,
      "a length that is too small": `5\r\n${body}\r\n0\r\n\r\n`,
      "a negative length": `-5\r\n${body}\r\n0\r\n\r\n`,
      "a length that overflows": `${"f".repeat(20)}\r\n${body}\r\n0\r\n\r\n`,
      "no line end behind the chunk": `e\r\n${body}0\r\n\r\n`,
    };
    for (const [what, chunked] of Object.entries(chunks)) {
      test(`a chunk with ${what} is 400`, async () => {
        await refused(
          `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n${chunked}`,
          400,
          "malformed-request",
        );
        nothingWritten();
      });
    }

    test("chunk extensions without end are 413", async () => {
      await refused(
        `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n2;${"a=b;".repeat(10_000)}\r\n{}\r\n`,
        413,
        "content-too-large",
      );
    });
  });

  suite("Request lines and header fields", () => {
    const malformed: Record<string, string> = {
      "two Host fields": `GET ${PATH} HTTP/1.1\r\n${host}Host: other.example\r\n\r\n`,
      "two Host fields that agree": `GET ${PATH} HTTP/1.1\r\n${host}${host}\r\n`,
      "a second Host field behind 500 others": `GET ${PATH} HTTP/1.1\r\n${host}${"a:\r\n".repeat(500)}Host: other.example\r\n\r\n`,
      "a Host with a space": `GET ${PATH} HTTP/1.1\r\nHost: a b\r\n\r\n`,
      "a Host with a path": `GET ${PATH} HTTP/1.1\r\nHost: a.example/b\r\n\r\n`,
      "a Host with a user": `GET ${PATH} HTTP/1.1\r\nHost: me@a.example\r\n\r\n`,
      "a Host with a port that is no number": `GET ${PATH} HTTP/1.1\r\nHost: a.example:http\r\n\r\n`,
      "a Host with half a bracket": `GET ${PATH} HTTP/1.1\r\nHost: [::1\r\n\r\n`,
      "no Host field": `GET ${PATH} HTTP/1.1\r\n\r\n`,
      "no request line": "GARBAGE\r\n\r\n",
      "no version, as in HTTP/0.9": `POST ${PATH}\r\n${host}${json}Content-Length: 14\r\n\r\n${body}`,
      "version 2.0 in plain text": `POST ${PATH} HTTP/2.0\r\n${host}${json}Content-Length: 14\r\n\r\n${body}`,
      "a version that does not exist": `GET ${PATH} HTTP/9.9\r\n${host}\r\n`,
      "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "a TLS handshake": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "a method that does not exist": `FETCH ${PATH} HTTP/1.1\r\n${host}\r\n`,
      "a method in lower case": `get ${PATH} HTTP/1.1\r\n${host}\r\n`,
      "a target that is no path": `GET people HTTP/1.1\r\n${host}\r\n`,
      "an authority for a target": `GET example.com:80 HTTP/1.1\r\n${host}\r\n`,
      "a NUL in the target": `GET ${PATH}/\0 HTTP/1.1\r\n${host}\r\n`,
      "bytes beyond ASCII in the target": `GET ${PATH}/\xff\xfe HTTP/1.1\r\n${host}\r\n`,
      "a space in the target": `GET ${PATH}/a b HTTP/1.1\r\n${host}\r\n`,
      "percent and no hexadecimal digits": `GET ${PATH}/%zz HTTP/1.1\r\n${host}\r\n`,
      "a percent sign at the end": `GET ${PATH}/% HTTP/1.1\r\n${host}\r\n`,
      "percent-encoded bytes that are not UTF-8": `GET ${PATH}/%ff HTTP/1.1\r\n${host}\r\n`,
      "percent-encoded half of a surrogate pair": `GET ${PATH}/%ed%a0%80 HTTP/1.1\r\n${host}\r\n`,
      "a NUL in a header field": `GET ${PATH} HTTP/1.1\r\n${host}X-A: a\0b\r\n\r\n`,
      "a bare CR in a header field": `GET ${PATH} HTTP/1.1\r\n${host}X-A: a\rb\r\n\r\n`,
      "white space before the colon": `GET ${PATH} HTTP/1.1\r\n${host}X-A : a\r\n\r\n`,
      "a header field without a name": `GET ${PATH} HTTP/1.1\r\n${host}: a\r\n\r\n`,
      "a folded header field": `GET ${PATH} HTTP/1.1\r\n${host}X-A: a\r\n b\r\n\r\n`,
      "lines that end in LF": `GET ${PATH} HTTP/1.1\nHost: a\n\n`,
    };
    for (const [what, bytes] of Object.entries(malformed)) {
      test(`${what}: 400`, async () => {
        await refused(bytes, 400, "malformed-request");
      });
    }

    test("a second Host field says so, and a missing one as well", async () => {
      const second = await refused(malformed["two Host fields"]!, 400, "malformed-request");
      assert.match(second.problem.detail, /more than one Host/);
      const none = await refused(malformed["no Host field"]!, 400, "malformed-request");
      assert.match(none.problem.detail, /no Host/);
    });

    test("Host may be a name or an address, with a port or without, or empty", async () => {
      for (const name of [
        "a",
        "a.example:80",
        "127.0.0.1",
        "[::1]",
        "[::1]:80",
        "xn--a-ber.example",
        "",
      ]) {
        const bytes = `GET ${PATH} HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
        assert.equal((await exchange(served.origin, bytes)).status, 200, name);
      }
    });

    test("an asterisk for a target is nothing to GET", async () => {
      const answer = await exchange(served.origin, request("GET", "*"));
      assert.ok([400, 404, 405].includes(answer.status), String(answer.status));
      problemIn(answer);
    });

    test("two Authorization fields are not guessed at", async () => {
      for (const [first, second] of [
        ["right", "wrong"],
        ["wrong", "right"],
      ]) {
        const answer = await exchange(
          served.origin,
          `GET /api/secrets HTTP/1.1\r\n${host}Authorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\n\r\n`,
        );
        assert.ok([400, 401].includes(answer.status), `${first}, ${second}: ${answer.status}`);
        problemIn(answer);
      }
    });

    test("two Content-Type fields that differ are not guessed at", async () => {
      for (const types of [
        ["application/json", "text/plain"],
        ["text/plain", "application/json"],
      ]) {
        const lines = types.map((type) => `Content-Type: ${type}\r\n`).join("");
        const answer = await exchange(
          served.origin,
          `POST ${PATH} HTTP/1.1\r\n${host}${lines}Content-Length: ${body.length}\r\n\r\n${body}`,
        );
        assert.ok([400, 415].includes(answer.status), `${types}: ${answer.status}`);
        problemIn(answer);
      }
      nothingWritten();
    });

    test("a Content-Type that is no media type is 415 and tells what is taken", async () => {
      for (const type of ["json", "application", "application/", "/json", ";", "a b/c", "\xff"]) {
        const bytes = request("POST", PATH, { "Content-Type": type }, body);
        const { answer } = await refused(bytes, 415, "unsupported-media-type");
        assert.equal(answer.headers.get("accept-post"), "application/json", type);
        assert.equal(answer.headers.get("accept"), "application/json", type);
      }
      nothingWritten();
    });

    test("a Content-Type that is no media type does not tell a stranger more than 401 does", async () => {
      for (const type of ["json", "text/plain", "application/json"]) {
        const bytes = request("POST", "/api/secrets", { "Content-Type": type }, "{}");
        await refused(bytes, 401, "unauthenticated");
      }
    });

    test("HTTP/1.0 is answered, needs no Host, and ends the connection", async (t) => {
      const connection = await connected(t, `GET ${PATH} HTTP/1.0\r\n\r\n`);
      const answer = await connection.answer();
      assert.equal(answer?.status, 200);
      await within(3_000, "the end of the connection", connection.end());
    });

    test("a header of more than 16 KiB is 431, in one packet or several, as one field or many", async (t) => {
      for (const size of [20_000, 300_000]) {
        await refused(
          `GET ${PATH} HTTP/1.1\r\n${host}X-A: ${"a".repeat(size)}\r\n\r\n`,
          431,
          "header-fields-too-large",
        );
      }
      await refused(
        `GET ${PATH} HTTP/1.1\r\n${host}${"X-A: b\r\n".repeat(5_000)}\r\n`,
        431,
        "header-fields-too-large",
      );
      const connection = await connected(t, `GET ${PATH} HTTP/1.1\r\n${host}X-A: `);
      for (let packet = 0; packet < 5; packet++) {
        await sleep(20);
        connection.send("a".repeat(5_000));
      }
      const answer = await connection.answer();
      assert.equal(answer && typeOf(problemIn(answer)), "header-fields-too-large");
    });

    test("a URL of more than 8 KiB is 414, in one packet or several", async (t) => {
      for (const size of [8_200, 16_000, 20_000, 300_000]) {
        await refused(
          `GET ${PATH}?${"a".repeat(size)} HTTP/1.1\r\n${host}\r\n`,
          414,
          "uri-too-long",
        );
      }
      const connection = await connected(t, `GET ${PATH}?${"a".repeat(9_000)}`);
      await sleep(20);
      connection.send(`${"a".repeat(9_000)} HTTP/1.1\r\n${host}\r\n`);
      const answer = await connection.answer();
      assert.equal(answer && typeOf(problemIn(answer)), "uri-too-long");
    });

    test("a long URL behind another request is 414 after the answer to that one", async (t) => {
      const connection = await connected(
        t,
        Buffer.concat([
          post(PATH, ada),
          Buffer.from(`GET ${PATH}?${"a".repeat(30_000)} HTTP/1.1\r\n${host}\r\n`),
        ]),
      );
      assert.equal((await connection.answer("POST"))?.status, 201);
      const answer = await connection.answer();
      assert.equal(answer && typeOf(problemIn(answer)), "uri-too-long");
    });

    test("an id with an encoded NUL, slash or dot names nothing", async () => {
      for (const id of ["%00", "%2e%2e", "%2F", "..%2f..%2fetc%2fpasswd", "1%00", "%31%2F1"]) {
        await refused(request("GET", `${PATH}/${id}`), 404, "not-found");
      }
    });

    test("paths are not normalised: two slashes and dot segments name nothing", async () => {
      for (const path of ["//api/people", "/api//people", "/api/../api/people", "/api/./people"]) {
        await refused(request("GET", path), 404, "not-found");
      }
    });

    test("a path that ends in a slash names nothing, whatever the method", async () => {
      for (const path of [`${PATH}/`, `${PATH}/1/`, "/api/"]) {
        for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
          await refused(request(method, path), 404, "not-found");
        }
      }
    });

    test("an absolute URL for a target is taken as RFC 9112 section 3.2.2 demands", async () => {
      const target = `http://other.example${PATH}`;
      const created = await exchange(served.origin, request("POST", target, headersOf(json), body));
      assert.equal(created.status, 201);
      assert.equal(created.headers.get("location"), `${PATH}/1`);
      const { answer } = await refused(request("PUT", target), 405, "method-not-allowed");
      assert.match(answer.headers.get("allow") ?? "", /POST/);
    });
  });

  suite("Methods", () => {
    test("OPTIONS * speaks of the server and is 204 with Allow", async () => {
      const answer = await exchange(served.origin, request("OPTIONS", "*"));
      assert.equal(answer.status, 204);
      assert.match(answer.headers.get("allow") ?? "", /GET/);
    });

    for (const method of ["TRACE", "PROPFIND", "LINK", "PURGE", "M-SEARCH", "QUERY"]) {
      test(`${method} is 405 with Allow at a path that exists, 404 elsewhere`, async () => {
        const { answer } = await refused(request(method, PATH), 405, "method-not-allowed");
        assert.equal(answer.headers.get("allow"), "POST, GET, HEAD, OPTIONS");
        await refused(request(method, "/api/nothing"), 404, "not-found");
      });
    }

    test("CONNECT is 405 with Allow, and the server is no tunnel", async (t) => {
      const connection = await connected(
        t,
        `CONNECT example.com:443 HTTP/1.1\r\n${host}\r\n\x16\x03\x01`,
      );
      const answer = await connection.answer("CONNECT");
      assert.ok(answer);
      assert.equal(typeOf(problemIn(answer)), "method-not-allowed");
      assert.match(answer.headers.get("allow") ?? "", /POST/);
      connection.send("GET /api/people HTTP/1.1\r\n\r\n");
      await within(3_000, "the end of the connection", connection.end());
      assert.equal(connection.unread.length, 0);
      const seen = served.observed.find(({ status }) => status === 405);
      assert.equal(seen?.method, "CONNECT");
    });

    test("clients that reset the connection after CONNECT don't end the server", async () => {
      for (let count = 0; count < 20; count++) {
        const connection = await RawConnection.open(served.origin);
        connection.send(`CONNECT example.com:443 HTTP/1.1\r\n${host}\r\n`);
        if (count % 2 === 0) await connection.answer("CONNECT");
        connection.socket.resetAndDestroy();
      }
      await serverIsWell();
    });

    for (const protocol of ["websocket", "h2c", "TLS/1.3"]) {
      test(`Upgrade to ${protocol} is not done, and the request answered as it stands`, async () => {
        const headers = { Connection: "Upgrade", Upgrade: protocol };
        const answer = await exchange(served.origin, post(PATH, ada, headers));
        assert.equal(answer.status, 201);
        assert.equal(answer.headers.get("upgrade"), undefined);
      });
    }
  });

  suite("Expect", () => {
    const waiting = (path: string, fields: string, version = "1.1") =>
      `POST ${path} HTTP/${version}\r\n${host}${fields}Expect: 100-continue\r\n`;
    const length = `Content-Length: ${body.length}\r\n`;

    test("100-continue is honoured once all was checked that needs no body", async (t) => {
      const connection = await connected(t, `${waiting(PATH, json + length)}\r\n`);
      assert.equal((await connection.answer("POST"))?.status, 100);
      assert.equal((await connection.send(body).answer("POST"))?.status, 201);
    });

    const refusals: Record<string, [string, number]> = {
      "401 to a stranger": [waiting("/api/secrets", json + length), 401],
      "404 for a path that does not exist": [waiting("/api/nothing", json + length), 404],
      "405 for a method that is not there": [waiting(`${PATH}/1`, json + length), 405],
      "406 for an answer that can't be": [
        waiting(PATH, `${json}${length}Accept: image/png\r\n`),
        406,
      ],
      "413 for a length that is too large": [
        waiting(PATH, `${json}Content-Length: 1000000\r\n`),
        413,
      ],
      "415 without a Content-Type": [waiting(PATH, length), 415],
      "415 for another Content-Type": [waiting(PATH, `Content-Type: text/csv\r\n${length}`), 415],
      "415 for a Content-Encoding": [
        waiting(PATH, `${json}${length}Content-Encoding: gzip\r\n`),
        415,
      ],
    };
    test("no 100 comes before a refusal, and the connection ends behind it", async (t) => {
      // At once: the server may leave a connection open for a moment, so that its answer arrives.
      const refused = Object.entries(refusals).map(async ([what, [bytes, status]]) => {
        const connection = await connected(t, `${bytes}\r\n`);
        const answer = await connection.answer("POST");
        assert.ok(answer, what);
        assert.equal(answer.status, status, what);
        problemIn(answer);
        assert.equal(answer.headers.get("connection"), "close", what);
        await within(5_000, "the end of the connection", connection.end());
        assert.equal(connection.unread.length, 0, what);
      });
      await Promise.all(refused);
    });

    test("an expectation in HTTP/1.0 is ignored: no 100 comes (RFC 9110 section 10.1.1)", async (t) => {
      const connection = await connected(t, `${waiting(PATH, json + length, "1.0")}\r\n${body}`);
      assert.equal((await connection.answer("POST"))?.status, 201);
    });

    test("a client that sends its body without waiting is answered all the same", async (t) => {
      const connection = await connected(t, `${waiting(PATH, json + length)}\r\n${body}`);
      const answers: (number | undefined)[] = [];
      for (let answer: RawAnswer | undefined; answer === undefined || answer.status === 100; ) {
        answer = await connection.answer("POST");
        answers.push(answer?.status);
        if (answer === undefined) break;
      }
      assert.equal(answers.at(-1), 201);
    });

    for (const expectation of ["coffee", "200-ok"]) {
      test(`Expect: ${expectation} is 417`, async () => {
        await refused(post(PATH, ada, { Expect: expectation }), 417, "expectation-failed");
        nothingWritten();
      });
    }

    test("a client that sends 5 MB with its wrong expectation gets to see the 417", async (t) => {
      for (let count = 0; count < 10; count++) {
        const connection = await connected(
          t,
          post(PATH, "x".repeat(5_000_000), { Expect: "coffee" }),
        );
        const answer = await connection.answer("POST");
        assert.ok(answer, `no answer: ${connection.error?.message}`);
        assert.equal(answer.status, 417);
      }
    });
  });

  suite("Clients that go away", () => {
    const half = `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`;
    const leave = {
      "with a reset": (connection: RawConnection) => connection.socket.resetAndDestroy(),
      "by closing": (connection: RawConnection) => connection.destroy(),
    };
    for (const [how, go] of Object.entries(leave)) {
      test(`in the middle of a body, ${how}: nothing is written and nobody is to blame`, async () => {
        for (let count = 0; count < 20; count++) {
          const connection = await RawConnection.open(served.origin);
          connection.send(half);
          await sleep(2);
          go(connection);
        }
        await sleep(50);
        nothingWritten();
        await serverIsWell();
      });

      test(`in the middle of a header, of a chunk or before all, ${how}`, async () => {
        for (const bytes of [
          "",
          "POST /api",
          `POST ${PATH} HTTP/1.1\r\n${host}`,
          `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n5\r\n{"n`,
        ]) {
          for (let count = 0; count < 5; count++) {
            const connection = await RawConnection.open(served.origin);
            if (bytes !== "") connection.send(bytes);
            await sleep(2);
            go(connection);
          }
        }
        await sleep(50);
        nothingWritten();
        await serverIsWell();
      });
    }

    test("before the answer: the record is written, whole or not at all", async () => {
      for (let count = 0; count < 20; count++) {
        const connection = await RawConnection.open(served.origin);
        connection.send(post(PATH, ada));
        if (count % 2 === 0) await sleep(1);
        connection.socket.resetAndDestroy();
      }
      await sleep(50);
      for (const { name } of served.rows("people")) assert.equal(name, "Ada");
      await serverIsWell();
    });

    test("one that ends its side after a whole request still gets its answer", async (t) => {
      for (let count = 0; count < 10; count++) {
        const connection = await connected(t, post(PATH, ada));
        const answer = await connection.finish().answer("POST");
        assert.equal(answer?.status, 201, `attempt ${count}`);
      }
      assert.equal(served.rows("people").length, 10);
    });
  });

  suite("Pipelines", () => {
    test("fast and slow requests are answered in their order", async (t) => {
      const kinds = [
        { bytes: post(PATH, ada), method: "POST", status: 201 },
        { bytes: request("GET", "/api/nothing"), method: "GET", status: 404 },
        { bytes: request("HEAD", PATH), method: "HEAD", status: 200 },
        { bytes: post(PATH, "{"), method: "POST", status: 400 },
        { bytes: request("DELETE", `${PATH}/999`), method: "DELETE", status: 404 },
        { bytes: request("OPTIONS", PATH), method: "OPTIONS", status: 204 },
        { bytes: post(PATH, { name: 1 }), method: "POST", status: 422 },
      ];
      const pipeline = Array.from({ length: 70 }, (_, index) => kinds[index % kinds.length]!);
      const connection = await connected(t, Buffer.concat(pipeline.map(({ bytes }) => bytes)));
      const answers: (number | undefined)[] = [];
      for (const { method } of pipeline) answers.push((await connection.answer(method))?.status);
      assert.deepEqual(
        answers,
        pipeline.map(({ status }) => status),
      );
      assert.deepEqual(
        served.rows("people").map(({ id }) => id),
        Array.from({ length: 10 }, (_, index) => index + 1),
      );
    });

    test("garbage behind good requests is answered last, and ends the connection", async (t) => {
      for (const garbage of [
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.1\r\nX : a\r\n\r\n",
        `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: -1\r\n\r\n`,
        `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      ]) {
        const connection = await connected(
          t,
          Buffer.concat([post(PATH, ada), post(PATH, ada), Buffer.from(garbage)]),
        );
        const answers = [];
        for (let count = 0; count < 3; count++) answers.push(await connection.answer("POST"));
        assert.deepEqual(
          answers.map((answer) => answer?.status),
          [201, 201, 400],
          garbage,
        );
        await within(3_000, "the end of the connection", connection.end());
        assert.equal(connection.unread.length, 0);
      }
    });

    test("what follows an answer that the server ends the connection with is not done", async (t) => {
      const unread = { "Content-Length": "300000" };
      const padding = Buffer.alloc(300_000, " ");
      for (const [first, status] of [
        [post(PATH, padding), 413],
        [post("/api/nothing", padding), 404],
        [request("POST", PATH, { ...unread, "Content-Type": "text/csv" }, padding), 415],
        [post(PATH, padding, { Expect: "coffee" }), 417],
        [Buffer.from(`GET ${PATH} HTTP/1.1\r\n${host}Host: b\r\n\r\n`), 400],
      ] as const) {
        const connection = await connected(t, Buffer.concat([first, post(PATH, ada)]));
        const answer = await connection.answer("POST");
        assert.equal(answer?.status, status);
        assert.equal(answer.headers.get("connection"), "close");
        await within(5_000, "the end of the connection", connection.end());
        assert.equal(connection.unread.length, 0);
        nothingWritten();
      }
    });

    test("what follows an answer that the client wants to be the last is not done", async (t) => {
      const connection = await connected(
        t,
        Buffer.concat([post(PATH, ada, { Connection: "close" }), post(PATH, { name: "Eve" })]),
      );
      assert.equal((await connection.answer("POST"))?.status, 201);
      await within(3_000, "the end of the connection", connection.end());
      assert.deepEqual(
        served.rows("people").map(({ name }) => name),
        ["Ada"],
      );
    });
  });
});

suite("Slow clients", { concurrency: true }, () => {
  const served = servedFor(fixture, { headersTimeoutMs: 600, requestTimeoutMs: 900 });

  const stalls: Record<string, string[]> = {
    "sends nothing at all": [],
    "stops in the request line": ["POST /api/peo"],
    "stops in a header field": [`POST ${PATH} HTTP/1.1\r\n${host}X-A: `],
    "stops in the body": [
      `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n`,
      body.slice(0, 5),
    ],
    "never begins the body": [
      `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n`,
    ],
    "stops in a chunk": [
      `POST ${PATH} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`,
      `e\r\n${body.slice(0, 5)}`,
    ],
  };
  for (const [what, packets] of Object.entries(stalls)) {
    test(`one that ${what} is told 408, and the connection ends`, async () => {
      const connection = await RawConnection.open(served.origin);
      for (const packet of packets) connection.send(packet);
      const answer = await within(4_000, "an answer", connection.answer("POST"));
      assert.ok(answer);
      assert.equal(answer.status, 408);
      assert.equal(typeOf(problemIn(answer)), "request-timeout");
      await within(4_000, "the end of the connection", connection.end());
      connection.destroy();
    });
  }

  test("one that sends a byte at a time is told 408 as well", async () => {
    const connection = await RawConnection.open(served.origin);
    const drip = (async () => {
      for (const byte of post(PATH, { name: "x".repeat(90) })) {
        connection.send(Buffer.of(byte));
        await sleep(15);
      }
    })();
    const answer = await within(5_000, "an answer", connection.answer("POST"));
    assert.equal(answer?.status, 408);
    connection.destroy();
    await drip;
  });

  test("what comes after the 408 is not done, though it would complete the request", async () => {
    const [head, rest] = [body.slice(0, 5), body.slice(5)];
    const connection = await RawConnection.open(served.origin);
    connection.send(
      `POST ${PATH} HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n${head}`,
    );
    assert.equal((await within(4_000, "an answer", connection.answer("POST")))?.status, 408);
    connection.send(rest);
    await sleep(100);
    connection.destroy();
    assert.deepEqual(served.rows("people"), []);
  });

  test("an answered request in front of a stalled one keeps its answer", async () => {
    const connection = await RawConnection.open(served.origin);
    connection.send(Buffer.concat([request("GET", PATH), Buffer.from("GET /api/peo")]));
    assert.equal((await connection.answer())?.status, 200);
    assert.equal((await within(4_000, "an answer", connection.answer()))?.status, 408);
    connection.destroy();
  });

  test("an idle connection is no fault, and is ended without a word", async () => {
    const idle = await RawConnection.open(served.origin);
    assert.equal((await idle.send(request("GET", PATH)).answer())?.status, 200);
    await sleep(1_500);
    assert.equal(idle.unread.length, 0);
    assert.equal((await idle.send(request("GET", PATH)).answer())?.status, 200);
    idle.destroy();
  });

  test("others are answered while many stall", async () => {
    const stalled = await Promise.all(
      Array.from({ length: 50 }, async () =>
        (await RawConnection.open(served.origin)).send(`POST ${PATH} HTTP/1.1\r\n${host}`),
      ),
    );
    assert.equal((await served.get(PATH)).status, 200);
    await Promise.all(stalled.map((connection) => within(5_000, "the end", connection.end())));
    await eventually(2_000, "the connections to be gone", () =>
      stalled.every(({ socket }) => socket.destroyed || socket.readableEnded),
    );
    for (const connection of stalled) connection.destroy();
  });
});

function headersOf(lines: string): Record<string, string> {
  return Object.fromEntries(
    lines
      .split("\r\n")
      .filter((line) => line !== "")
      .map((line) => line.split(": ", 2) as [string, string]),
  );
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { post, problemIn, type RawAnswer, RawConnection, request } from "../support/raw-http.ts";
import { type ServingProcess, servingProcess } from "../support/serving-process.ts";

/** The limit of a body, unless a resource declares another. */
const LIMIT = 262_144;
const ARK_LIMIT = 65_536;
const MAX_BLOCKED_MS = 300;
/** An answer that is larger than any request would make an attack cheap. */
const MAX_ANSWER_BYTES = 2 * LIMIT;
/** The first attempts also pay for what V8 has not compiled yet. */
const ATTEMPTS = 3;

const USERS = "/api/users";
const POSTS = "/api/posts";
const user = { name: "Grace", email: "grace@example.com" };

/** As many items as fit into a body, each made from its number, between two texts. */
function filled(
  before: string,
  after: string,
  item: (index: number) => string,
  limit = LIMIT,
): string {
  const items: string[] = [];
  let size = before.length + after.length;
  for (let index = 0; ; index++) {
    const next = item(index);
    size += Buffer.byteLength(next) + 1;
    if (size > limit) return `${before}${items.join(",")}${after}`;
    items.push(next);
  }
}

const patch = (type: string, body: string) =>
  request("PATCH", `${POSTS}/1`, { "Content-Type": `application/${type}+json` }, body);

/** Requests at the limits, made so that there is as much to find fault with as can be. */
const costly: Readonly<Record<string, { bytes: () => Buffer; status: number }>> = {
  "131,000 items of the wrong type": {
    bytes: () =>
      post(
        POSTS,
        filled('{"title":"a","tags":[', "]}", () => "0"),
      ),
    status: 422,
  },
  "87,000 empty strings where none may be empty": {
    bytes: () =>
      post(
        POSTS,
        filled('{"title":"a","tags":[', "]}", () => '""'),
      ),
    status: 422,
  },
  "87,000 objects where strings should be": {
    bytes: () =>
      post(
        POSTS,
        filled('{"title":"a","tags":[', "]}", () => "{}"),
      ),
    status: 422,
  },
  "27,000 unknown fields": {
    bytes: () =>
      post(
        USERS,
        filled("{", "}", (index) => `"${index.toString(36)}x":0`),
      ),
    status: 422,
  },
  "3,500 unknown fields with long names that resemble known ones": {
    bytes: () => {
      const name = (index: number) => `${"email".repeat(13)}${index}`;
      return post(
        USERS,
        filled("{", "}", (index) => `"${name(index)}":0`),
      );
    },
    status: 422,
  },
  "27,000 unknown members of a merge patch": {
    bytes: () =>
      patch(
        "merge-patch",
        filled("{", "}", (index) => `"${index.toString(36)}x":0`),
      ),
    status: 422,
  },
  "one name, 37,000 times": {
    bytes: () =>
      post(
        USERS,
        filled("{", "}", () => '"ab":0'),
      ),
    status: 400,
  },
  "29,000 names that come twice": {
    bytes: () =>
      post(
        USERS,
        filled("{", "}", (index) => `"${(index >> 1).toString(36)}":0`),
      ),
    status: 400,
  },
  "28,000 lone surrogates": {
    bytes: () =>
      post(
        USERS,
        filled("[", "]", () => '"\\ud800"'),
      ),
    status: 400,
  },
  "15,000 numbers that are too large": {
    bytes: () =>
      post(
        USERS,
        filled("[", "]", () => "9007199254740993"),
      ),
    status: 400,
  },
  "262,000 opening brackets": { bytes: () => post(USERS, "[".repeat(LIMIT)), status: 400 },
  "60,000 lines in front of a fault": {
    bytes: () => post(USERS, `${"[\n".repeat(60)}${"0,\n".repeat(60_000)}x`),
    status: 400,
  },
  "a name of 262,000 characters": {
    bytes: () => post(USERS, `{"${"emai".repeat(65_000)}":0}`),
    status: 422,
  },
  "an address of 262,000 characters": {
    bytes: () => post(USERS, { ...user, email: `${"a.".repeat(130_000)}@` }),
    status: 422,
  },
  "an address with a domain of 262,000 characters": {
    bytes: () => post(USERS, { ...user, email: `a@${"a-a.".repeat(65_000)}!` }),
    status: 422,
  },
  "130,000 escapes in a string": {
    bytes: () => post(USERS, `{"name":"${"\\n".repeat(130_000)}"}`),
    status: 422,
  },
  "a deep and wide tree": {
    bytes: () => {
      const leaf = `${'{"a":'.repeat(60)}0${"}".repeat(60)}`;
      return post(
        USERS,
        filled("[", "]", () => leaf),
      );
    },
    status: 422,
  },
  "21,000 operations of a JSON Patch that are none": {
    bytes: () =>
      patch(
        "json-patch",
        filled("[", "]", () => '{"op":"ad"}'),
      ),
    status: 400,
  },
  "1,000 operations that insert at the front of an array": {
    bytes: () => {
      const operation = { op: "add", path: "/tags/0", value: "a".repeat(100) };
      return patch("json-patch", JSON.stringify(Array(1_000).fill(operation)));
    },
    status: 422,
  },
  "1,000 operations that double an array": {
    bytes: () => {
      const doubling = [
        { op: "copy", from: "/tags", path: "/body" },
        { op: "add", path: "/tags/-", value: [] },
        { op: "copy", from: "/tags", path: "/tags/0" },
      ];
      return patch("json-patch", JSON.stringify(Array(333).fill(doubling).flat()));
    },
    status: 413,
  },
  "9,000 operations, each with a fault of its own": {
    bytes: () => {
      const operation = (index: number) => `{"op":"test","path":"/t/${index}","value":0}`;
      return patch("json-patch", filled("[", "]", operation));
    },
    status: 413,
  },
  "8,000 characters of sort": {
    bytes: () => request("GET", `${USERS}?sort=${"x,".repeat(4_000)}`),
    status: 400,
  },
  "8,000 characters of sort by what exists": {
    bytes: () => request("GET", `${USERS}?sort=${"name,age,".repeat(880)}`),
    status: 400,
  },
  "100 parameters with long names": {
    bytes: () => {
      const pairs = Array.from({ length: 100 }, (_, index) => `${"createdA".repeat(8)}${index}=1`);
      return request("GET", `${POSTS}?${pairs.join("&")}`);
    },
    status: 400,
  },
  "a cursor of 8,000 characters": {
    bytes: () => request("GET", `${USERS}?cursor=${"W1tb".repeat(2_000)}`),
    status: 400,
  },
  "15,000 characters of Accept": {
    bytes: () => request("GET", USERS, { Accept: "a/b;q=0.1,".repeat(1_500) }),
    status: 406,
  },
  "15,000 backslashes in Accept": {
    bytes: () => request("GET", USERS, { Accept: `a/b;c="${"\\".repeat(15_000)}` }),
    status: 200,
  },
  "15,000 characters of Content-Type": {
    bytes: () => post(USERS, user, { "Content-Type": `application/json${";a".repeat(7_000)}` }),
    status: 415,
  },
  "15,000 characters of If-Match": {
    bytes: () =>
      request(
        "PATCH",
        `${POSTS}/1`,
        { "Content-Type": "application/merge-patch+json", "If-Match": '"a",'.repeat(3_700) },
        "{}",
      ),
    status: 412,
  },
};

/** The same where arrays have no bound of their own, so that every item is looked at. */
const unbounded: typeof costly = {
  "131,000 items of the wrong type": {
    bytes: () =>
      post(
        "/api/lists",
        filled('{"words":[', "]}", () => "0"),
      ),
    status: 422,
  },
  "87,000 items that fit neither of two shapes": {
    bytes: () =>
      post(
        "/api/lists",
        filled('{"mixed":[', "]}", () => "{}"),
      ),
    status: 422,
  },
  "29,000 objects with an unknown member": {
    bytes: () =>
      post(
        "/api/lists",
        filled('{"deep":[', "]}", () => '{"x":{}}'),
      ),
    status: 422,
  },
  "15,000 nested addresses that are none": {
    bytes: () =>
      post(
        "/api/lists",
        filled('{"deep":[', "]}", () => '{"a":{"b":"c"}}'),
      ),
    status: 422,
  },
  "32,000 items of the wrong type, judged by ArkType": {
    bytes: () =>
      post(
        "/api/ark",
        filled('{"words":[', "]}", () => "0", ARK_LIMIT),
      ),
    status: 422,
  },
  "21,000 objects that lack two members, judged by ArkType": {
    bytes: () =>
      post(
        "/api/ark",
        filled('{"words":[],"pairs":[', "]}", () => "{}", ARK_LIMIT),
      ),
    status: 422,
  },
  "131,000 items that are right": {
    bytes: () =>
      post(
        "/api/lists",
        filled('{"words":[', "]}", () => '"a"'),
      ),
    status: 201,
  },
};

const apis = {
  "the tour": { api: "examples/tour/api.ts", requests: costly },
  "an API without bounds": { api: "test/fixtures/unbounded.ts", requests: unbounded },
};

for (const [name, { api, requests }] of Object.entries(apis)) {
  test(`Costly input to ${name} does not keep others waiting`, { timeout: 120_000 }, async (t) => {
    const server = await servingProcess(t, { api });
    const [client, other] = [await Client.open(server.origin), await Client.open(server.origin)];
    t.after(() => {
      client.close();
      other.close();
    });
    if (requests === costly) await client.send(post(POSTS, { title: "a", tags: ["a"] }));

    for (const [what, { bytes, status }] of Object.entries(requests)) {
      await t.test(what, async (t) => {
        let best = await costOf(server, client, other, bytes(), status);
        for (let left = ATTEMPTS - 1; left > 0 && best.blocked > MAX_BLOCKED_MS / 2; left--) {
          const next = await costOf(server, client, other, bytes(), status);
          if (next.blocked < best.blocked) best = next;
        }
        const { blocked, waited, size } = best;
        t.diagnostic(
          `${what}: ${status} with ${size} bytes; blocked ${blocked.toFixed(0)} ms, others waited ${waited.toFixed(0)} ms`,
        );
        assert.ok(blocked < MAX_BLOCKED_MS, `the event loop was blocked ${blocked.toFixed(0)} ms`);
        assert.ok(size < MAX_ANSWER_BYTES, `the answer has ${size} bytes`);
      });
    }

    const { complaints } = await server.stop();
    assert.deepEqual(complaints, []);
  });
}

interface Cost {
  /** Milliseconds that the longest of the others' requests took. */
  readonly waited: number;
  /** The same, without the time in which another process had the processor. */
  readonly blocked: number;
  /** Bytes of the answer. */
  readonly size: number;
}

/** Sends a costly request on one connection while another looks how long it has to wait. */
async function costOf(
  server: ServingProcess,
  client: Client,
  other: Client,
  bytes: Buffer,
  status: number,
): Promise<Cost> {
  const waits: number[] = [];
  let done = false;
  const watching = (async () => {
    while (!done) waits.push((await other.send(request("GET", "/health/live"))).took);
  })();
  while (waits.length < 5) await new Promise((resolve) => setImmediate(resolve));
  waits.length = 0;
  const before = server.mainThreadMilliseconds();
  const { answer } = await client.send(bytes);
  const busy = (server.mainThreadMilliseconds() ?? Number.NaN) - (before ?? 0);
  done = true;
  await watching;
  assert.equal(answer.status, status, answer.body.toString("utf8", 0, 500));
  if (status >= 400) problemIn(answer);
  const waited = Math.max(...waits);
  const blocked = Number.isNaN(busy) ? waited : Math.min(waited, busy);
  return { waited, blocked, size: answer.body.length };
}

/** Sends one request after the other, on a new connection where the server has ended the last. */
class Client {
  readonly #origin: string;
  #connection: RawConnection;

  private constructor(origin: string, connection: RawConnection) {
    this.#origin = origin;
    this.#connection = connection;
  }

  static async open(origin: string): Promise<Client> {
    return new Client(origin, await RawConnection.open(origin));
  }

  /** `took` is in milliseconds. */
  async send(bytes: Buffer): Promise<{ answer: RawAnswer; took: number }> {
    if (this.#connection.ended) {
      this.#connection.destroy();
      this.#connection = await RawConnection.open(this.#origin);
    }
    const began = performance.now();
    const answer = await this.#connection.send(bytes).answer("GET");
    assert.ok(answer, "no answer");
    return { answer, took: performance.now() - began };
  }

  close(): void {
    this.#connection.destroy();
  }
}

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { type BadRequest, badRequest } from "../support/bad-requests.ts";
import { MalformedAnswer, problemIn, RawConnection, shown } from "../support/raw-http.ts";
import { type ServingProcess, servingProcess } from "../support/serving-process.ts";
import { within } from "../support/time.ts";

const REQUESTS = 100_000;
const BATCH = 250;
const CONNECTIONS = 16;
/** `POSTHASTE_SEED=7 npm test` runs others; a failure names the one it came from. */
const SEED = Number(process.env.POSTHASTE_SEED ?? 20_260_201);
/** A leak of half a kilobyte a request would be 32 MB between the two looks at the memory. */
const MAX_GROWTH_BYTES = 16 * 1024 * 1024;
/** A garbage collector with room to spare is in no hurry, and its memory not flat. */
const SMALL_HEAP = ["--max-old-space-size=64", "--max-semi-space-size=1"];

const name = `${REQUESTS} bad requests get the right 4xx, and leave no trace`;

test(name, { timeout: 180_000 }, async (t) => {
  const tour = await servingProcess(t, { nodeOptions: SMALL_HEAP });
  const before = await goodRequests(tour.origin, "before");
  const client = new FloodClient(tour.origin);
  t.after(() => client.close());
  const memory: number[] = [];
  const began = performance.now();

  const batch = fc.array(badRequest(), { minLength: BATCH, maxLength: BATCH });
  const result = await fc.check(
    fc.asyncProperty(batch, async (requests) => {
      await within(60_000, "an answer to every request of the batch", client.sendAll(requests));
      memory.push(tour.residentBytes() ?? 0);
    }),
    // Shrinking would send thousands more; the message shows the one request that matters.
    { numRuns: REQUESTS / BATCH, seed: SEED, endOnFailure: true },
  );
  // Not fc.assert, whose message shows every request of the batch, byte by byte.
  if (result.failed) {
    const { errorInstance: error, counterexamplePath } = result;
    const what = error instanceof Error ? error.message : String(error);
    assert.fail(`POSTHASTE_SEED=${SEED}, batch ${counterexamplePath}: ${what}`);
  }

  const seconds = (performance.now() - began) / 1_000;
  t.diagnostic(`seed ${SEED}; ${seconds.toFixed(1)} s, ${Math.round(REQUESTS / seconds)} a second`);
  t.diagnostic(`connections: ${client.opened}; answers: ${JSON.stringify(client.answers)}`);
  assert.equal(client.sent, REQUESTS);
  const failures = Object.keys(client.answers).filter((status) => Number(status) >= 500);
  assert.deepEqual(failures, []);

  assertFlat(t, memory);
  assert.deepEqual(await read(tour.origin, before.paths), before.records, "records were changed");
  await goodRequests(tour.origin, "after");
  const { code, complaints } = await tour.stop();
  assert.deepEqual(complaints, []);
  assert.equal(code, 0);
  assertIntact(tour);
});

/** Sends requests over several connections, and checks every answer before the next is sent. */
class FloodClient {
  readonly #origin: string;
  readonly #idle: RawConnection[] = [];
  sent = 0;
  opened = 0;
  /** How many answers there were of each status. */
  readonly answers: Record<string, number> = {};

  constructor(origin: string) {
    this.#origin = origin;
  }

  async sendAll(requests: readonly BadRequest[]): Promise<void> {
    let next = 0;
    const lanes = Array.from({ length: CONNECTIONS }, async () => {
      for (let bad = requests[next++]; bad !== undefined; bad = requests[next++]) {
        await this.#send(bad);
        this.sent++;
      }
    });
    await Promise.all(lanes);
  }

  close(): void {
    for (const connection of this.#idle) connection.destroy();
  }

  async #send(bad: BadRequest): Promise<void> {
    const connection = this.#idle.pop() ?? (await this.#open());
    connection.send(bad.bytes);
    if (bad.ends) connection.finish();
    const statuses: (number | undefined)[] = [];
    let last = false;
    try {
      for (const allowed of bad.answers) {
        const answer = await connection.answer(bad.method);
        statuses.push(answer?.status);
        assert.ok(answer, `no answer (${connection.error?.message ?? "the connection ended"})`);
        assert.ok(allowed.includes(answer.status), `${answer.status} instead of ${allowed}`);
        if (answer.status >= 400 && bad.method !== "HEAD") problemIn(answer);
        assert.ok(answer.headers.get("request-id"), "no Request-Id");
        this.answers[answer.status] = (this.answers[answer.status] ?? 0) + 1;
        last ||= answer.headers.get("connection") === "close";
      }
      assert.equal(
        connection.unread.length,
        0,
        `more than was asked for: ${shown(connection.unread)}`,
      );
    } catch (error) {
      if (!(error instanceof assert.AssertionError || error instanceof MalformedAnswer))
        throw error;
      assert.fail(
        `${bad.kind}: ${error.message}\nanswered ${statuses.join(", ")} to ${shown(bad.bytes)}\n`,
      );
    }
    if (last || bad.ends || connection.ended) connection.socket.resetAndDestroy();
    else this.#idle.push(connection);
  }

  #open(): Promise<RawConnection> {
    this.opened++;
    return RawConnection.open(this.#origin);
  }
}

/** What a client does that knows how; gives what it made, to be looked at again. */
async function goodRequests(origin: string, name: string) {
  const made = async (path: string, body: object): Promise<string> => {
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 201, await response.text());
    return response.headers.get("location") ?? assert.fail("no Location");
  };
  const user = await made("/api/users", { name, email: `${name}@example.com`, age: 30 });
  const post = await made("/api/posts", { title: name, tags: ["a", "b"] });
  const paths = [user, post, await made(`${post}/comments`, { author: name, text: "Well said." })];
  return { paths, records: await read(origin, paths) };
}

function read(origin: string, paths: readonly string[]): Promise<unknown[]> {
  return Promise.all(
    paths.map(async (path) => {
      const response = await fetch(`${origin}${path}`);
      return [response.status, response.headers.get("etag"), await response.json()];
    }),
  );
}

/** Compares the memory after warming up with that at the end. */
function assertFlat(t: TestContext, samples: readonly number[]): void {
  if (samples[0] === 0) {
    t.diagnostic("Memory is not looked at: only Linux tells it in /proc/PID/status.");
    return;
  }
  const median = (from: number, to: number) => {
    const part = samples.slice(samples.length * from, samples.length * to).sort((a, b) => a - b);
    return part[part.length >> 1]!;
  };
  const [warm, end] = [median(0.3, 0.4), median(0.9, 1)];
  const shownIn = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  t.diagnostic(
    `memory: ${shownIn(samples[0]!)} at first, ${shownIn(warm)} warm, ${shownIn(end)} at the end`,
  );
  assert.ok(end - warm < MAX_GROWTH_BYTES, `memory grew by ${shownIn(end - warm)}`);
}

function assertIntact({ store }: ServingProcess): void {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    assert.deepEqual(
      { ...database.prepare("PRAGMA integrity_check").get() },
      { integrity_check: "ok" },
    );
    assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
    for (const table of ["users", "posts", "comments"]) {
      const rows = database.prepare(`SELECT id FROM ${table} ORDER BY id`).all();
      assert.deepEqual(
        rows.map(({ id }) => id),
        [1, 2],
        table,
      );
    }
  } finally {
    database.close();
  }
}

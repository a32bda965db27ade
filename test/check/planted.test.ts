import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { check } from "../../src/check/check.ts";
import { operationsOf } from "../../src/check/openapi-operations.ts";
import { readOpenApi } from "../../src/check/read-openapi.ts";
import type { Finding, Report } from "../../src/check/report.ts";
import { scenarios } from "../../src/check/scenarios/index.ts";
import { front } from "./front.ts";
import type { Fault, FrontFault } from "./planted.ts";
import { PlantedServer } from "./server.ts";

const USERS = "POST /users";
const ORDERS = "POST /orders";

const frontFaults: readonly Fault[] = [
  "two lengths are one",
  "white space before a colon is mended",
  "control characters are mended",
];

interface Setting {
  readonly signedIn?: boolean;
}

async function checked(
  t: TestContext,
  faults: readonly Fault[],
  { signedIn = false }: Setting = {},
): Promise<Report> {
  const server = new PlantedServer(faults, signedIn);
  t.after(() => server.close());
  const origin = await server.listen();
  const inFront = faults.find((fault): fault is FrontFault => frontFaults.includes(fault));
  const url = new URL(inFront === undefined ? origin : await front(t, origin, inFront));
  const patience = { timeoutMs: 5_000, signal: t.signal };
  const source = await readOpenApi(url, undefined, [], patience);
  return check(
    {
      base: source.base,
      document: source.from,
      ...operationsOf(source.document),
      headers: signedIn ? [["Authorization", "Bearer alice"]] : [],
      as: signedIn ? [["Authorization", "Bearer bob"]] : [],
    },
    patience,
  );
}

function findingsOf(report: Report, operation: string): readonly Finding[] {
  return report.operations.find(({ name }) => name === operation)!.findings;
}

/** `must keys/one-effect` for each failure at an operation. */
function failuresOf(report: Report, operation: string): string[] {
  return findingsOf(report, operation)
    .filter(({ result }) => result === "failed")
    .map(({ level, id }) => `${level} ${id}`);
}

/** What each fault has to be found as, at both operations or at each of them. */
const planted: Record<
  Exclude<Fault, SignedIn | "dies of depth" | Limit>,
  readonly string[] | { readonly users: readonly string[]; readonly orders: readonly string[] }
> = {
  "created with 200": ["should statuses/created"],
  "no Location": ["should statuses/location"],
  "Location of another record": ["must statuses/location-leads-there"],
  "Location that leads nowhere": ["must statuses/location-leads-there"],
  "GET shows another representation": {
    users: ["should statuses/same-representation"],
    orders: [],
  },
  "GET has another ETag": ["should statuses/validator"],
  "405 without Allow": ["must statuses/allow"],
  "Allow without POST": ["must statuses/allow"],
  "404 instead of 405": ["should statuses/method-not-allowed"],
  "unknown paths answer 200": ["should statuses/unknown-path"],
  "unknown records answer 500": ["should statuses/unknown-record"],
  "OPTIONS without Allow": ["should statuses/options"],
  "nothing is validated": ["must bodies/invalid", "should bodies/depth"],
  "a body that breaks off is completed": ["must bodies/malformed"],
  "malformed JSON answers 422": ["should bodies/malformed"],
  "an empty body is an empty object": ["must bodies/empty"],
  "broken UTF-8 is mended": ["should bodies/utf-8"],
  "surrogates are mended": ["should bodies/surrogates"],
  "__proto__ pollutes": ["must bodies/prototype"],
  "depth answers 500": ["should bodies/depth"],
  "large bodies answer 500": ["should bodies/too-large"],
  "no type is JSON": ["should content-types/missing"],
  "no type is not validated": [
    "should content-types/missing",
    "must content-types/missing-unvalidated",
  ],
  "any type is JSON": ["should content-types/other"],
  "text/plain is not validated": [
    "should content-types/other",
    "must content-types/other-unvalidated",
  ],
  "types with regard to case": ["must content-types/case"],
  "charset is believed": ["must content-types/charset"],
  "encodings are ignored": ["should content-types/encoding"],
  "415 without Accept-Encoding": ["should content-types/encodings-offered"],
  "415 offers another type": ["should content-types/offered"],
  "406 after the effect": ["must content-types/accept"],
  "lenient parser": { users: ["must framing/length-and-chunks"], orders: [] },
  "no Host is needed": { users: ["must framing/no-host"], orders: [] },
  "Expect is ignored": { users: ["must framing/expect"], orders: [] },
  "broken requests are processed": {
    users: ["must framing/incomplete", "must framing/incomplete-chunks"],
    orders: [],
  },
  "chunks answer 501": { users: ["must framing/chunked"], orders: [] },
  "names that stand twice answer 500": ["should bodies/duplicate-names"],
  "two lengths are one": { users: ["must framing/two-lengths"], orders: [] },
  "white space before a colon is mended": {
    users: ["must framing/space-before-colon"],
    orders: [],
  },
  "control characters are mended": ["should keys/control-characters"],
  // What is unique anyway is made once, but the retry does not learn of it.
  "keys are ignored": {
    users: ["must keys/same-answer"],
    orders: ["must keys/one-effect"],
  },
  "keys are ignored, and not documented": [],
  "keys are not documented": ["should keys/offered"],
  "expiry is not documented": ["should keys/expiry-published"],
  "quoted keys are refused": ["must keys/quoted"],
  "replays with 200": ["should keys/same-answer"],
  "replays nothing": ["must keys/same-answer"],
  "replays the first answer of all": ["must keys/same-answer"],
  "replays without Location": ["should keys/same-headers"],
  "replays the cookie": ["should keys/no-cookie"],
  "409 for ever": ["must keys/same-answer"],
  "fingerprint of the bytes": ["should keys/rewritten"],
  "another payload gets the stored answer": ["must keys/other-payload"],
  "another payload is processed": ["must keys/other-payload"],
  "another payload answers 400": ["should keys/other-payload-422"],
  "422 overwrites the 201": ["must keys/kept-through-misuse"],
  "invalid bodies leave the key hanging": ["must keys/after-invalid"],
  "415 leaves the key hanging": ["must keys/after-unsupported"],
  "a conflict answers 422 later": { users: ["should keys/conflict"], orders: [] },
  "claim after the work": {
    users: ["should keys/twins-retry-after"],
    orders: ["must keys/two-twins", "must keys/ten-twins"],
  },
  "twins answer 500": ["should keys/twins-answers"],
  "409 without Retry-After": ["should keys/twins-retry-after"],
  "the 409 of a twin is stored": ["must keys/twins-settle"],
  "hanging up frees the key": ["must keys/hang-up"],
  "hanging up in the body leaves the key hanging": ["must keys/hang-up-in-body"],
  "keys are shared by paths": ["should keys/two-paths"],
  "answers are shared by paths": ["must keys/two-paths"],
  "empty keys are ignored": ["should keys/empty"],
  "long keys are ignored": ["must keys/long"],
  "two keys are one": ["should keys/two-keys"],
  "required keys are not required": ["must keys/required"],
  "errors are HTML": ["should problems/media-type"],
  "problems name another status": ["must problems/status"],
  "problems have a number for a type": ["must problems/members"],
  "only the first fault is told": ["should problems/every-fault"],
  "stack trace": ["should problems/internals"],
  "SQL in a conflict": { users: ["should problems/internals"], orders: [] },
};

type SignedIn =
  | "answers are shared by principals"
  | "somebody else's key is in the way"
  | "replays before it authenticates";

/** No fault of a server, but something that a check has to bear. */
type Limit = "accepts 30 records" | "accepts one record";

const plantedWhereOneSignsIn: Record<SignedIn, readonly string[]> = {
  "answers are shared by principals": ["must keys/other-principal"],
  "somebody else's key is in the way": ["should keys/other-principal"],
  "replays before it authenticates": ["must keys/needs-credentials"],
};

suite("A server without a fault", { concurrency: 2 }, () => {
  test("passes everything that can be tried", async (t) => {
    const report = await checked(t, []);
    assert.deepEqual(report.skipped, []);
    for (const operation of [USERS, ORDERS]) assert.deepEqual(failuresOf(report, operation), []);
    assert.equal(report.summary.ok, true);
    const untried = findingsOf(report, USERS).filter(({ result }) => result === "not-tested");
    assert.deepEqual(
      untried.map(({ id }) => id),
      [
        "keys/no-cookie",
        "keys/other-principal",
        "keys/needs-credentials",
        "keys/crash",
        "keys/failure-after-commit",
        "keys/expired",
      ],
    );
  });

  test("passes where one signs in, and another one does", async (t) => {
    const report = await checked(t, [], { signedIn: true });
    assert.deepEqual(failuresOf(report, USERS), []);
    const results = new Map(findingsOf(report, USERS).map(({ id, result }) => [id, result]));
    assert.equal(results.get("keys/other-principal"), "passed");
    assert.equal(results.get("keys/needs-credentials"), "passed");
  });
});

suite("A server that does not go on accepting", { concurrency: 2 }, () => {
  test("is not blamed for what shows nothing any more", async (t) => {
    const report = await checked(t, ["accepts 30 records"]);
    for (const operation of [USERS, ORDERS]) {
      assert.deepEqual(failuresOf(report, operation), []);
      const findings = findingsOf(report, operation);
      assert.equal(findings.find(({ id }) => id === "statuses/location")!.result, "passed");
      const over = findings.find(({ id }) => id === "keys/same-answer")!;
      assert.deepEqual(
        [over.result, over.note],
        ["not-tested", "an ordinary request is not accepted any more: 422"],
      );
    }
  });

  test("is not tried where it accepts one request only", async (t) => {
    await assert.rejects(
      checked(t, ["accepts one record"]),
      /POST \/users: a second request after an accepted one gets 422/,
    );
  });
});

suite("Each planted fault is found, and nothing else", { concurrency: 16 }, () => {
  for (const [fault, found] of Object.entries(planted)) {
    const { users, orders } = "users" in found ? found : { users: found, orders: found };
    test(fault, async (t) => {
      const report = await checked(t, [fault as Fault]);
      assert.deepEqual(
        { users: failuresOf(report, USERS), orders: failuresOf(report, ORDERS) },
        { users, orders },
      );
    });
  }
  for (const [fault, found] of Object.entries(plantedWhereOneSignsIn)) {
    test(fault, async (t) => {
      const report = await checked(t, [fault as Fault], { signedIn: true });
      assert.deepEqual(failuresOf(report, ORDERS), found);
    });
  }

  test("dies of depth", async (t) => {
    const report = await checked(t, ["dies of depth"]);
    const failed = findingsOf(report, USERS).filter(({ result }) => result === "failed");
    assert.deepEqual(
      failed.map(({ id, level }) => [id, level]),
      [["bodies/depth", "must"]],
    );
    const last = findingsOf(report, ORDERS).at(-1)!;
    assert.deepEqual(
      [last.result, last.note],
      ["not-tested", "the server does not answer any more"],
    );
  });
});

test("every scenario is failed by a planted fault, but for those that only tell", () => {
  const found = new Set(
    [...Object.values(planted), ...Object.values(plantedWhereOneSignsIn)]
      .flatMap((each) => ("users" in each ? [...each.users, ...each.orders] : each))
      .map((each) => each.split(" ")[1]!),
  );
  const never = scenarios.map(({ id }) => id).filter((id) => !found.has(id));
  assert.deepEqual(never, [
    "keys/marked",
    "keys/bare",
    "keys/quoted-is-bare",
    "keys/crash",
    "keys/failure-after-commit",
    "keys/expired",
    "problems/server-errors",
  ]);
});

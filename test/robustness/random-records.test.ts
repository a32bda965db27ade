import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Api } from "posthaste";
import bookings from "../fixtures/bookings.ts";
import documents from "../fixtures/documents.ts";
import library from "../fixtures/library.ts";
import members from "../fixtures/members.ts";
import values from "../fixtures/values.ts";
import { type Answer, type Served, servedFor } from "../support/scenario.ts";
import { type Schema, valuesOf } from "../support/schema-arbitrary.ts";

const SEED = Number(process.env.POSTHASTE_SEED ?? 20_260_202);
const settings = (numRuns: number) => ({ numRuns, seed: SEED, endOnFailure: true });
const CREDENTIALS = { authorization: "Bearer librarian" };

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { content: Record<string, { schema: Schema }> };
  readonly responses: Record<string, unknown>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

/** APIs of every kind of field, and the collections in them that stand by themselves. */
const fixtures: Record<string, [Api, readonly string[]]> = {
  bookings: [bookings, ["/bookings"]],
  documents: [documents, ["/documents"]],
  library: [library, ["/books", "/members"]],
  members: [members, ["/members"]],
  values: [values, ["/with-zod", "/with-arktype", "/defaults"]],
};

for (const [name, [api, collections]] of Object.entries(fixtures)) {
  suite(`Random records of the ${name}`, () => {
    const served = servedFor(api);
    const documentOf = async () =>
      (await (await fetch(`${served.origin}/openapi.json`)).json()) as Document;

    for (const collection of collections) {
      test(`${collection}: what the document allows, the server takes, and gives as it was sent`, async () => {
        const { paths, components } = await documentOf();
        const { post } = paths[collection]!;
        const input = valuesOf(
          post!.requestBody!.content["application/json"]!.schema,
          components.schemas,
        );
        let conflicts = 0;
        await fc.assert(
          fc.asyncProperty(input, async (body) => {
            const made = await served.post(collection, body, CREDENTIALS);
            assert.ok([201, 409].includes(made.status), `${made.status}: ${made.text}`);
            if (made.status === 409) conflicts++;
            else await assertStored(served, made, body as object);
          }),
          settings(150),
        );
        assert.ok(conflicts < 100, `${conflicts} of 150 were conflicts`);
      });

      test(`${collection}: whatever is sent, each answer is one that the document foresees`, async (t) => {
        const { paths, components } = await documentOf();
        const [post, record] = [paths[collection]!.post!, paths[`${collection}/{id}`]!];
        const { schema } = post.requestBody!.content["application/json"]!;
        const good = valuesOf(schema, components.schemas);
        const first = fc.sample(good, { numRuns: 1, seed: SEED })[0];
        const made = await served.post(collection, first, CREDENTIALS);
        assert.equal(made.status, 201, made.text);
        const path = made.header("location")!;
        const request = fc.oneof(
          mutated(good).map((body) => ({
            operation: post,
            method: "POST",
            at: collection,
            type: "application/json",
            body,
          })),
          mutated(good).map((body) => ({
            operation: record.put!,
            method: "PUT",
            at: path,
            type: "application/json",
            body,
          })),
          mutated(good).map((body) => ({
            operation: record.patch!,
            method: "PATCH",
            at: path,
            type: "application/merge-patch+json",
            body,
          })),
          jsonPatches(schema, components.schemas, good).map((body) => ({
            operation: record.patch!,
            method: "PATCH",
            at: path,
            type: "application/json-patch+json",
            body,
          })),
        );
        const seen: Record<string, number> = {};
        await fc.assert(
          fc.asyncProperty(request, async ({ operation, method, at, type, body }) => {
            const headers = { "content-type": type, ...CREDENTIALS };
            const answer = await served.request(method, at, headers, JSON.stringify(body));
            seen[answer.status] = (seen[answer.status] ?? 0) + 1;
            const declared = Object.keys(operation.responses);
            assert.ok(declared.includes(String(answer.status)), `${answer.status}: ${answer.text}`);
            assert.notEqual(answer.status, 500, answer.text);
            const now = await served.get(path);
            assert.ok(now.status === 200 || name === "bookings", now.text);
          }),
          settings(300),
        );
        t.diagnostic(JSON.stringify(seen));
        for (const status of [200, 400, 409, 422]) assert.ok(seen[status], `no ${status}`);
      });
    }
  });
}

/** Asserts that a record is stored as it was sent, reads as it was answered, and can be sent back. */
async function assertStored(served: Served, made: Answer, body: object): Promise<void> {
  const path = made.header("location")!;
  const read = await served.get(path);
  assert.equal(read.text, made.text);
  assert.equal(read.header("etag"), made.header("etag"));
  const record = read.body as Record<string, unknown>;
  for (const [name, value] of Object.entries(body)) {
    // -0 is 0 in SQLite and in JSON.
    if (name in record && name !== "stamped")
      assert.deepEqual(record[name], JSON.parse(JSON.stringify(value)));
  }
  const unseen = Object.entries(body).filter(([name]) => !(name in record));
  const back = await served.put(path, { ...record, ...Object.fromEntries(unseen) }, CREDENTIALS);
  assert.equal(back.status, 200, back.text);
  const merged = await served.mergePatch(path, {}, CREDENTIALS);
  assert.equal(merged.status, 200, merged.text);
}

/** Bodies that are nearly right: a member less, one more, or one of another type. */
function mutated(good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const junk = fc.constantFrom<unknown>(null, true, -1, 0.5, 2 ** 53 - 1, "", "x", [], {}, [null], {
    a: null,
  });
  const word = fc.string({ maxLength: 6 }).map((text) => `${text}_`);
  return fc
    .tuple(good, fc.nat(), fc.constantFrom("drop", "add", "swap", "keep"), junk, word)
    .map(([body, at, change, value, name]) => {
      const entries = Object.entries(body as object);
      const index = entries.length === 0 ? 0 : at % entries.length;
      const entry = entries[index];
      if (change === "drop") entries.splice(index, 1);
      if (change === "add") entries.push([name, value]);
      if (change === "swap" && entry !== undefined) entries[index] = [entry[0], value];
      return Object.fromEntries(entries);
    });
}

/** Patches of places that exist, may exist, and can't. */
function jsonPatches(
  schema: Schema,
  components: Readonly<Record<string, Schema>>,
  good: fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const target =
    schema.$ref === undefined
      ? schema
      : components[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)]!;
  const names = ["id", ...Object.keys(target.properties ?? {})];
  const pointer = fc.oneof(
    fc.constantFrom(...names.map((name) => `/${name}`)),
    fc
      .tuple(
        fc.constantFrom(...names),
        fc.constantFrom("0", "1", "-", "street", "amount", "a~1b", ""),
      )
      .map(([name, rest]) => `/${name}/${rest}`),
    fc.constantFrom("", "/", "/nothing"),
  );
  const value = fc.oneof(
    fc.constantFrom<unknown>(null, 1, "x", [], {}, true),
    good.chain((body) => fc.constantFrom(...Object.values(body as object), body)),
  );
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom("add", "replace", "test"), path: pointer, value }),
    fc.record({ op: fc.constant("remove"), path: pointer }),
    fc.record({ op: fc.constantFrom("move", "copy"), path: pointer, from: pointer }),
  );
  return fc.array(operation, { maxLength: 4 });
}

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import guarded from "../fixtures/guarded-records.ts";
import keyedApi from "../fixtures/keyed.ts";
import notes from "../fixtures/notes.ts";
import { lintWithRedocly, lintWithSpectral } from "../support/openapi-lint.ts";
import { type Served, serve } from "../support/scenario.ts";

type Json = Record<string, unknown>;
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description: string;
}
interface Response {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: Json;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Record<string, Response>;
  readonly "x-idempotency"?: Json;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly responses?: Record<string, Response> };
}

async function documentOf(served: Served): Promise<Document> {
  return (await (await fetch(`${served.origin}/openapi.json`)).json()) as Document;
}

const header = ({ parameters }: Operation, name: string) =>
  parameters.find((parameter) => parameter.in === "header" && parameter.name === name);

/** All that a response says, wherever it stands. */
function textOf({ components }: Document, response: Response | undefined): string {
  const name = response?.$ref?.split("/").at(-1);
  return JSON.stringify(name === undefined ? response : components.responses?.[name]) ?? "";
}

suite("The OpenAPI document of operations that take keys", () => {
  test("is clean under the recommended rules of Redocly and of Spectral", async (t) => {
    for (const fixture of [keyedApi, guarded]) {
      const document = await documentOf(await serve(t, fixture));
      assert.deepEqual(await lintWithRedocly(document), []);
      assert.deepEqual(await lintWithSpectral(document), []);
    }
  });

  test("has the header field where it is taken, required where it is, and nowhere else", async (t) => {
    const { paths } = await documentOf(await serve(t, keyedApi));
    const found = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap((operation) => {
        const parameter = header(operation, "Idempotency-Key");
        return parameter === undefined
          ? []
          : [`${operation.operationId}${parameter.required ? " required" : ""}`];
      });
    assert.deepEqual(found.sort(), [
      "badges.patch required",
      "clicks.create",
      "dossiers.create",
      "dossiers.patch",
      "invoices.create",
      "letters.create",
      "lights.create",
      "lines.create",
      "orders.create",
      "profiles.create",
      "profiles.patch",
      "transfers.create required",
    ]);
  });

  test("publishes each policy: how long a key is kept, and the window", async (t) => {
    const { paths } = await documentOf(await serve(t, keyedApi));
    const policies = Object.fromEntries(
      Object.values(paths)
        .flatMap((methods) => Object.values(methods))
        .map((operation) => [operation.operationId, operation["x-idempotency"]]),
    );
    assert.deepEqual(policies["orders.create"], { key: "accepted", keptForSeconds: 86_400 });
    assert.deepEqual(policies["transfers.create"], { key: "required", keptForSeconds: 86_400 });
    assert.deepEqual(policies["letters.create"], { key: "accepted", keptForSeconds: 3_600 });
    assert.deepEqual(policies["clicks.create"], {
      key: "accepted",
      keptForSeconds: 86_400,
      deduplicatedForSeconds: 10,
    });
    assert.deepEqual(policies["taps.create"], { key: "ignored", deduplicatedForSeconds: 60 });
    for (const id of ["remarks.create", "orders.replace", "orders.patch", "orders.delete"])
      assert.equal(policies[id], undefined, id);
  });

  test("says in words for how long a key is kept", async (t) => {
    const schema = z.object({ text: z.string() });
    const access = { create: anyone, read: anyone, update: anyone, delete: anyone };
    const kept = (name: string, keep: "90 minutes" | "30 seconds" | "7 days" | "1 hour") =>
      resource(name, { schema, access, idempotency: { create: { keep } } });
    const fixture = api({
      a: kept("a-minutes", "90 minutes"),
      b: kept("b-seconds", "30 seconds"),
      c: kept("c-days", "7 days"),
      d: kept("d-hour", "1 hour"),
    });
    const { paths } = await documentOf(await serve(t, fixture));
    const words = (path: string) =>
      header(paths[path]!.post!, "Idempotency-Key")?.description.match(/for (\d[^;]*);/)?.[1];
    assert.equal(words("/b-seconds"), "30 seconds");
    assert.match(words("/c-days") ?? "", /^(?:168 hours|7 days)$/);
    assert.match(words("/a-minutes") ?? "", /^(?:90 minutes|1\.5 hours)$/);
    assert.match(words("/d-hour") ?? "", /^(?:1 hour|60 minutes)$/);
  });

  test("has what keys can be answered with, with every problem named", async (t) => {
    const document = await documentOf(await serve(t, keyedApi));
    const of = (path: string, status: number, method = "post") =>
      textOf(document, document.paths[path]?.[method]?.responses[status]);
    assert.match(of("/orders", 400), /malformed-header/);
    assert.match(of("/orders", 409), /request-in-progress/);
    assert.match(of("/orders", 422), /idempotency-key-reused/);
    assert.match(of("/profiles/{id}", 409, "patch"), /request-in-progress/);
    assert.doesNotMatch(of("/orders", 400), /idempotency-key-required/);
    assert.match(of("/transfers", 400), /idempotency-key-required/);
    assert.match(of("/badges/{id}", 400, "patch"), /idempotency-key-required/);
    for (const status of [400, 409, 422])
      assert.doesNotMatch(of("/remarks", status), /idempotency-key|request-in-progress/);
    assert.doesNotMatch(of("/orders/{id}", 422, "put"), /idempotency-key-reused/);
  });

  test("has the look-up, where there is something to look up", async (t) => {
    const { paths } = await documentOf(await serve(t, keyedApi));
    const operation = paths["/idempotency/{key}"]?.get;
    assert.equal(operation?.operationId, "idempotency.read");
    assert.ok("200" in operation.responses && "404" in operation.responses);
    const keyless = resource("keyless", {
      schema: z.object({ text: z.string() }),
      access: { create: anyone, read: anyone, update: anyone, delete: anyone },
      idempotency: { create: { key: "ignored" } },
    });
    assert.ok("/idempotency/{key}" in (await documentOf(await serve(t, notes))).paths);
    const without = await documentOf(await serve(t, api({ keyless })));
    assert.equal("/idempotency/{key}" in without.paths, false);
  });

  test("has If-Match as required where it is, and 428", async (t) => {
    const document = await documentOf(await serve(t, guarded));
    for (const method of ["put", "patch", "delete"]) {
      const strict = document.paths["/sheets/{id}"]?.[method];
      assert.ok(strict);
      assert.match(textOf(document, strict.responses[428]), /precondition-required/);
      const loose = document.paths["/scraps/{id}"]?.[method];
      assert.ok(loose);
      assert.equal(header(loose, "If-Match")?.required ?? false, false);
      assert.equal("428" in loose.responses, false);
      assert.equal(header(strict, "If-Match")?.required, true);
    }
    assert.equal("428" in document.paths["/sheets"]!.post!.responses, false);
    assert.equal("428" in document.paths["/sheets/{id}"]!.get!.responses, false);
  });

  test("does not demand If-Match of a PUT that may make a record instead", async (t) => {
    const document = await documentOf(await serve(t, guarded));
    const put = document.paths["/papers/{id}"]!.put!;
    assert.match(textOf(document, put.responses[428]), /precondition-required/);
    // A client made from the document could not send If-None-Match: * without it.
    assert.equal(header(put, "If-Match")?.required ?? false, false);
    assert.ok(header(put, "If-None-Match"), "the other way is documented");
  });
});

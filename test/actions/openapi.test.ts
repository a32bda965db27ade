import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { compile } from "../../src/declare/compile.ts";
import fixture from "../fixtures/deeds.ts";
import { by, keyed } from "../support/keyed.ts";
import { lintWithRedocly, lintWithSpectral } from "../support/openapi-lint.ts";
import { type Answer, type Served, serve } from "../support/scenario.ts";

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Json[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Json }[];
  readonly requestBody?: { readonly content: Record<string, { schema: Json; example?: unknown }> };
  readonly responses: Record<string, { $ref?: string; content?: Json; headers?: Json }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Json>; readonly responses: Json };
}

async function documentOf(served: Served): Promise<Document> {
  return (await (await fetch(`${served.origin}/openapi.json`)).json()) as Document;
}

const post = ({ paths }: Document, path: string) => paths[path]?.post ?? assert.fail(path);

const schemaOf = ({ components }: Document, reference: unknown): Json =>
  components.schemas[String((reference as Json).$ref).replace("#/components/schemas/", "")]!;

suite("The OpenAPI document of an API with actions", () => {
  test("is clean under the recommended rules of Redocly and of Spectral", async (t) => {
    const document = await documentOf(await serve(t, fixture));
    assert.deepEqual(await lintWithRedocly(document), []);
    assert.deepEqual(await lintWithSpectral(document), []);
  });

  test("has every operation that is served, each with the parameters of its path", async (t) => {
    const document = await documentOf(await serve(t, fixture));
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const compiled = compile(fixture).operations.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(documented.sort(), compiled.sort());
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { parameters = [] } of Object.values(methods)) {
        const named = parameters
          .filter((each) => each.in === "path")
          .map(({ name }) => `{${name}}`);
        assert.deepEqual(named.sort(), (path.match(/\{\w+\}/g) ?? []).sort(), path);
      }
    }
  });

  test("says what an action takes and gives, as closed as the server has it", async (t) => {
    const document = await documentOf(await serve(t, fixture));
    const { requestBody, responses } = post(document, "/shops/{shop}/orders");
    const input = schemaOf(document, requestBody?.content["application/json"]?.schema);
    const { lines, address, note } = input.properties as Record<string, Json>;
    assert.equal(input.additionalProperties, false);
    assert.equal(address?.additionalProperties, false);
    assert.equal((lines?.items as Json | undefined)?.additionalProperties, false);
    assert.equal(note?.default, "none");
    assert.deepEqual([...(input.required as string[])].sort(), ["email", "lines"]);
    assert.ok(responses[200]?.content);
    assert.equal(post(document, "/ping").requestBody, undefined);
    assert.ok(post(document, "/ping").responses[204]);
    assert.ok(post(document, "/draft").responses[201]?.headers?.Location);
    assert.ok(post(document, "/start").responses[202]?.headers?.Location);
    assert.ok(post(document, "/start").responses[200]);
    assert.deepEqual(
      post(document, "/say/{what}/to/{whom}").requestBody?.content["application/json"]?.example,
      { times: 2 },
    );
  });

  test("says who needs credentials, and which keys are taken", async (t) => {
    const document = await documentOf(await serve(t, fixture));
    const alternatives = [{ bearer: [] }];
    assert.deepEqual(post(document, "/whoami").security, alternatives);
    assert.deepEqual(post(document, "/govern").security, alternatives);
    assert.deepEqual(post(document, "/ping").security, [{}, ...alternatives]);
    const keyOf = (path: string) =>
      post(document, path).parameters?.find(({ name }) => name === "Idempotency-Key");
    assert.equal(keyOf("/charge")?.required, true);
    assert.notEqual(keyOf("/refund")?.required, true);
    assert.ok(keyOf("/refund"));
    assert.equal(keyOf("/knock"), undefined);
  });

  test("foresees whatever the server answers", async (t) => {
    const served = await serve(t, fixture, { writerTimeoutMs: 1_000 });
    const document = await documentOf(served);
    const seen = new Set<number>();
    const foreseen = (template: string, method: string, answer: Answer) => {
      const operation = document.paths[template]?.[method];
      const declared = operation?.responses[answer.status];
      assert.ok(declared, `${method} ${template}: ${answer.status} is not declared`);
      const response = (
        declared.$ref === undefined
          ? declared
          : document.components.responses[declared.$ref.slice("#/components/responses/".length)]
      ) as { content?: Json; headers?: Json };
      for (const name of Object.keys(response.headers ?? {}))
        assert.ok(answer.header(name), `${template} ${answer.status} has no ${name}`);
      if (answer.text === "") assert.equal(response.content, undefined, template);
      else assert.ok(response.content?.[answer.header("content-type")!], template);
      seen.add(answer.status);
    };
    const call = async (template: string, path: string, body?: unknown, headers: Json = {}) => {
      const sent = headers as Record<string, string>;
      const answer =
        body === undefined
          ? await served.request("POST", path, sent)
          : await served.post(path, body, sent);
      foreseen(template, "post", answer);
      return answer;
    };
    const project = await served.make("/projects", { title: "One" });
    const task = await served.make(`${project}/tasks`, { title: "Dig" });
    const finish = "/projects/{projectId}/tasks/{id}/finish";
    await call("/ping", "/ping");
    await call("/ping", "/ping", {});
    await call("/ping", "/ping", undefined, { accept: "image/png" });
    await call("/ping", "/ping", undefined, { "if-match": '"a"' });
    await call("/draft", "/draft", { title: "a" });
    await call("/draft", "/draft", {});
    await call("/draft", "/draft", "{");
    await call("/draft", "/draft", "x", { "content-type": "text/plain" });
    await call("/draft", "/draft", { title: "x".repeat(262_144) });
    await call(finish, `${task}/finish`, undefined, { "if-match": '"a"' });
    await call(finish, `${task}/finish`, undefined, { "if-match": "a" });
    await call(finish, `${task}/finish`);
    await call(finish, `${task}/finish`);
    await call(finish, `${task.slice(0, -1)}x/finish`);
    await call("/misdeed", "/misdeed", { does: "throw" });
    await call("/whoami", "/whoami");
    await call("/whoami", "/whoami", undefined, by("ann"));
    await call("/govern", "/govern", { law: "a" }, by("ann"));
    await call("/charge", "/charge", { amount: 1 });
    await call("/charge", "/charge", { amount: 1 }, keyed("one"));
    await call("/charge", "/charge", { amount: 2 }, keyed("one"));
    await call("/start", "/start", { name: "a" }, { prefer: "wait=30" });
    const started = await call("/start", "/start", { name: "a" }, { prefer: "respond-async" });
    const location = started.header("location")!;
    foreseen("/jobs/{id}", "get", await served.get(location));
    foreseen("/jobs/{id}", "get", await served.get("/jobs/nothing"));
    foreseen("/jobs/{id}", "delete", await served.delete("/jobs/nothing"));
    foreseen("/jobs/{id}", "delete", await served.delete(location));
    const expected = [200, 201, 202, 204, 400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 500];
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      expected,
    );
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import tour from "../../examples/tour/api.ts";
import { problemTypes } from "../../src/kernel/problems.ts";
import { withPage } from "../support/browser.ts";
import { serve } from "../support/scenario.ts";

const tourModule = new URL("../../examples/tour/api.ts", import.meta.url);

suite("The documentation page", () => {
  test("a person finds it from /, and creates a user through it", async (t) => {
    const served = await serve(t, tour, { module: tourModule });
    await withPage(t, async ({ page, outsideRequests, consoleErrors }) => {
      await page.goto(served.origin);
      assert.equal(page.url(), `${served.origin}/docs`);
      assert.equal(await page.title(), "Tour");
      await page.getByRole("link", { name: "Create one of the users" }).click();
      await page.getByRole("button", { name: "Test Request (post /users)" }).click();
      const client = page.getByRole("dialog", { name: "API Client" });
      await client.getByRole("button", { name: "Form", exact: true }).click();
      const fields = { name: "Grace Hopper", email: "grace@example.com", age: "85" };
      for (const [field, value] of Object.entries(fields)) {
        const row = client.getByRole("row", { name: `Include ${field} in request` });
        await row.getByRole("combobox", { name: "Body Value" }).fill(value);
      }
      await client.getByRole("button", { name: /^Send post request/ }).click();
      const response = client.getByRole("region", { name: "Response" });
      await response.getByRole("link", { name: "201 Created" }).waitFor();
      assert.match(await response.getByRole("textbox").innerText(), /"id": 1/);

      assert.deepEqual(served.rows("users"), [
        { id: 1, name: "Grace Hopper", email: "grace@example.com", age: 85 },
      ]);
      assert.deepEqual(outsideRequests(), []);
      assert.deepEqual(consoleErrors(), []);
    });
  });

  test("an operation shows its content types, fields, example and errors", async (t) => {
    const served = await serve(t, tour);
    await withPage(t, async ({ page, consoleErrors }) => {
      await page.goto(`${served.origin}/docs`);
      await page.getByRole("link", { name: "Change fields of one of the users" }).click();
      const patch = page.getByRole("region", { name: "Change fields of one of the users" });
      await patch.getByText("application/merge-patch+json").first().waitFor();
      await page.getByRole("link", { name: "Create one of the users" }).click();
      const create = page.getByRole("region", { name: "Create one of the users" });
      await create.getByText("Alice Johnson").first().waitFor();
      const text = (await create.innerText()).replaceAll(/\s+/g, " ");
      for (const shown of [
        "POST",
        "/users",
        "application/json",
        "name Type: string min length: 1 max length: 100 required",
        "email Type: string max length: 254 Format: email required",
        "age Type: integer min: 0 max: 150",
        "return=minimal",
        "201",
        "The record was made.",
        '"name": "Alice Johnson"',
        ...[400, 409, 413, 415, 422, 500, 503, 507].map(String),
        problemTypes["unique-conflict"].title,
        problemTypes["content-too-large"].title,
        problemTypes["validation-failed"].title,
      ]) {
        assert.ok(text.includes(shown), `${shown} is not in: ${text}`);
      }
      assert.doesNotMatch(text, /Auth/i);
      await create.getByRole("button", { name: /^422/ }).click();
      await create.getByText("application/problem+json").first().waitFor();
      assert.deepEqual(consoleErrors(), []);
    });
  });

  test("is light or dark as the reader has it", async (t) => {
    const served = await serve(t, tour);
    await withPage(t, async ({ page, consoleErrors }) => {
      const background = () =>
        page.evaluate<string>(
          "getComputedStyle(document.querySelector('.scalar-app') ?? document.body).backgroundColor",
        );
      const brightness = (colour: string) =>
        (colour.match(/[\d.]+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
      for (const path of ["/docs", "/problems", "/problems/validation-failed"]) {
        const seen: Record<string, number> = {};
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await page.goto(`${served.origin}${path}`);
          await page.getByRole("heading", { level: 1 }).first().waitFor();
          seen[colorScheme] = brightness(await background());
        }
        assert.ok(seen.light! > 700 && seen.dark! < 100, `${path}: ${JSON.stringify(seen)}`);
      }
      assert.deepEqual(consoleErrors(), []);
    });
  });

  test("a person finds from a problem to all of them and to the documentation", async (t) => {
    const served = await serve(t, tour);
    await withPage(t, async ({ page, outsideRequests, consoleErrors }) => {
      const { type } = (await served.post("/users", {})).body as { type: string };
      await page.goto(`${served.origin}${type}`);
      const { title, meaning, remedy } = problemTypes["validation-failed"];
      assert.equal(await page.title(), title);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      await page.getByText(meaning).waitFor();
      await page.getByText(remedy).waitFor();
      await page.getByRole("link", { name: "All problems" }).click();
      await page.getByRole("heading", { level: 1, name: "Problems" }).waitFor();
      await page.getByRole("link", { name: problemTypes["not-found"].title }).click();
      await page.getByRole("link", { name: "Documentation" }).click();
      await page.getByRole("heading", { level: 1, name: "Tour" }).waitFor();
      assert.deepEqual(outsideRequests(), []);
      assert.deepEqual(consoleErrors(), []);
    });
  });

  test("allows scripts and connections of its own origin only, and no frame around it", async (t) => {
    const { origin } = await serve(t, tour);
    for (const path of ["/docs", "/problems", "/problems/not-found"]) {
      const { headers } = await fetch(`${origin}${path}`);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
    }
  });

  test("its script is compressed for whom takes that, and kept by its ETag", async (t) => {
    const { origin } = await serve(t, tour);
    const script = (headers: Record<string, string>) =>
      fetch(`${origin}/docs/reference.js`, { headers });
    const plain = await script({ "accept-encoding": "identity" });
    const zipped = await script({ "accept-encoding": "gzip" });
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.equal(zipped.headers.get("content-encoding"), "gzip");
    assert.equal(plain.headers.get("vary"), "Accept-Encoding");
    // fetch has undone the coding.
    const [text, again] = [await plain.text(), await zipped.text()];
    assert.ok(text === again && text.length > 1_000_000);
    assert.doesNotMatch(text.slice(-200), /sourceMappingURL/);
    const etags = [plain, zipped].map(({ headers }) => headers.get("etag")!);
    assert.notEqual(etags[0], etags[1]);
    for (const [index, coding] of ["identity", "gzip"].entries()) {
      const known = await script({ "accept-encoding": coding, "if-none-match": etags[index]! });
      assert.equal(known.status, 304);
      assert.equal(known.headers.get("etag"), etags[index]);
    }
  });
});

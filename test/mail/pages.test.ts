import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { mailIndex, mailPage, mailPagePolicy } from "../../src/http/mail-pages.ts";
import { MailCapture } from "../../src/mail/capture.ts";
import type { Mail } from "../../src/mail/message.ts";
import { withPage } from "../support/browser.ts";

const clock = { now: () => Date.UTC(2026, 1, 3, 4, 5, 6) };

async function capture(...mails: Partial<Mail>[]): Promise<MailCapture> {
  const captured = new MailCapture({ clock });
  for (const [index, mail] of mails.entries()) {
    await captured.send({
      to: "alice@example.com",
      subject: "Welcome",
      text: "Hello",
      idempotencyKey: `job-${index}`,
      ...mail,
    });
  }
  return captured;
}

async function listen(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves the pages as they are to be served. */
async function serve(t: TestContext, captured: MailCapture, policy: string): Promise<string> {
  const origin = await listen(t, (request, response) => {
    const mail = captured.find(Number(/^\/mail\/(\d+)$/.exec(request.url!)?.[1]));
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    });
    response.end(mail ? mailPage(mail, "") : mailIndex(captured.list(), ""));
  });
  return `${origin}/mail`;
}

const evil = `"><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>&amp;`;

suite("The pages of captured mail", () => {
  test("without mail the list says so", async () => {
    assert.match(mailIndex([], ""), /No mail yet/);
    assert.doesNotMatch(mailIndex((await capture({})).list(), ""), /No mail yet/);
  });

  test("the list leads to each mail, below the prefix", async () => {
    const html = mailIndex((await capture({}, { subject: " " })).list(), "/shop");
    assert.match(html, /<a href="\/shop\/mail\/2">\(no subject\)<\/a>/);
    assert.match(html, /<a href="\/shop\/mail\/1">Welcome<\/a>/);
    assert.match(html, /<time datetime="2026-02-03T04:05:06.000Z">2026-02-03 04:05:06 UTC<\/time>/);
    assert.ok(html.indexOf("/mail/2") < html.indexOf("/mail/1"), "newest first");
  });

  test("nothing that is in a mail becomes markup", async () => {
    const captured = await capture({
      to: "Alice & 'Bob' <alice@example.com>",
      replyTo: '"\\"&quot;" <help@example.com>',
      subject: evil,
      text: `${evil}</pre>`,
      html: `${evil}</iframe>`,
      attachments: [{ filename: `${evil.replaceAll("/", "")}.txt`, content: "abc" }],
      headers: { "X-Evil": evil },
    });
    for (const html of [mailIndex(captured.list(), ""), mailPage(captured.find(1)!, "")]) {
      assert.doesNotMatch(html, /<script|<img/);
      assert.equal(html.match(/<\/pre>/g)?.length ?? 0, html.match(/<pre>/g)?.length ?? 0);
      assert.ok(html.includes("&lt;script&gt;document.title=&quot;owned&quot;"));
      assert.ok(html.includes("&amp;amp;"));
    }
    assert.equal(mailPage(captured.find(1)!, "").match(/<\/iframe>/g)!.length, 1);
  });

  test("a person reads a mail, and its HTML can neither run, fetch, send nor leave", async (t) => {
    const asked: (string | undefined)[] = [];
    const outside = await listen(t, (request, response) => {
      asked.push(request.url);
      response.end();
    });
    const captured = await capture({
      subject: evil,
      text: "As text",
      html: `<p style="color: red">As HTML ${evil}</p>
<img src="${outside}/pixel.png"><link rel="stylesheet" href="${outside}/a.css">
<a href="${outside}/out" target="_top">leave</a>
<form action="${outside}/form" target="_top"><button>send</button></form>
<meta http-equiv="refresh" content="0; url=${outside}/refresh">`,
      attachments: [{ filename: "a.pdf", content: new Uint8Array(1234) }],
      headers: { "List-Unsubscribe": "<https://example.com/u/7>" },
    });
    const url = await serve(t, captured, mailPagePolicy);
    await withPage(t, async ({ page }) => {
      await page.goto(url);
      await page.getByRole("link", { name: /document\.title/ }).click();
      await page.getByRole("heading", { level: 1 }).waitFor();
      assert.equal(page.url(), `${url}/1`);
      assert.equal(await page.title(), evil);
      assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), evil);
      const text = await page.locator("body").innerText();
      for (const shown of ["As text", "alice@example.com", "a.pdf", "1,234 bytes", "/u/7"]) {
        assert.ok(text.includes(shown), shown);
      }
      const frame = page.frameLocator("iframe");
      await frame.getByText("As HTML").waitFor();
      const color = await frame
        .locator("p")
        .evaluate((p: { computedStyleMap(): Map<string, unknown> }) =>
          String(p.computedStyleMap().get("color")),
        );
      assert.equal(color, "rgb(255, 0, 0)");
      await frame.getByRole("link", { name: "leave" }).click();
      await frame.getByRole("button", { name: "send" }).click();
      await page.waitForTimeout(300);
      assert.equal(page.url(), `${url}/1`);
      assert.equal(await page.title(), evil);
      assert.deepEqual(asked, []);
    });
  });
});

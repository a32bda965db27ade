import type { Attachment } from "../declare/mail.ts";
import type { Mailbox } from "../mail/address.ts";
import type { CapturedMail } from "../mail/capture.ts";

/**
 * Mails that were captured instead of sent.
 * @param captured Newest first.
 * @param pages Path in front of the framework's pages.
 */
export function mailIndex(captured: readonly CapturedMail[], pages: string): string {
  const rows = captured.map(
    ({ id, at, message }) =>
      `<tr><td>${time(at)}</td><td><a href="${escapeHtml(pages)}/mail/${id}">${escapeHtml(subjectOf(message.subject))}</a><br><code>${escapeHtml(message.to.map(written).join(", "))}</code></td></tr>`,
  );
  const list = `<table>
<thead><tr><th scope="col">Time</th><th scope="col">Mail</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
  return page(
    "Mail",
    `<nav><a href="${escapeHtml(pages)}/docs">Documentation</a></nav>
<h1>Mail</h1>
<p>What would have been sent, newest first. In development mail is kept here, in memory, and goes
nowhere.</p>
${captured.length === 0 ? '<p class="note">No mail yet. Reload this page after something was sent.</p>' : list}`,
  );
}

/** One of them. Its HTML is shown in a frame without scripts, forms, links out, or an origin. */
export function mailPage({ id, at, message }: CapturedMail, pages: string): string {
  const fields: [string, string][] = [
    ["From", written(message.from)],
    ["To", message.to.map(written).join(", ")],
    ...(message.replyTo ? [["Reply-To", written(message.replyTo)] as [string, string]] : []),
    ...Object.entries(message.headers),
    ["Message-ID", message.messageId],
  ];
  const rows = fields.map(
    ([name, value]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  const { html, attachments } = message;
  return page(
    subjectOf(message.subject),
    `<nav><a href="${escapeHtml(pages)}/mail">All mail</a><a href="${escapeHtml(pages)}/docs">Documentation</a></nav>
<header>
<p class="status">Mail ${id}, ${time(at)}, not sent</p>
<h1>${escapeHtml(subjectOf(message.subject))}</h1>
</header>
<table class="fields">
<tbody>
${rows.join("\n")}
</tbody>
</table>
${section("Text", `<pre>${escapeHtml(message.text)}</pre>`)}
${html === undefined ? "" : section("HTML", `<iframe sandbox title="The HTML of the mail" srcdoc="${escapeHtml(html)}"></iframe>\n<details><summary>Source</summary><pre>${escapeHtml(html)}</pre></details>`)}
${attachments.length === 0 ? "" : section("Attachments", `<ul>${attachments.map(attachmentItem).join("\n")}</ul>`)}
<p class="note">Images from elsewhere are not loaded here.</p>`,
  );
}

/** The frame of a mail's HTML inherits it: nothing is fetched for it either. */
export const mailPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

function section(title: string, content: string): string {
  return `<section>\n<h2>${title}</h2>\n${content}\n</section>`;
}

function attachmentItem({ filename, content, contentType }: Attachment): string {
  const bytes = Buffer.byteLength(content).toLocaleString("en");
  return `<li>${escapeHtml(filename)} <code>${escapeHtml(contentType ?? "by its name")}, ${bytes} bytes</code></li>`;
}

function written({ name, address }: Mailbox): string {
  return name === "" ? address : `${name} <${address}>`;
}

function subjectOf(subject: string): string {
  return subject.trim() === "" ? "(no subject)" : subject;
}

function time(at: number): string {
  const text = new Date(at).toISOString();
  return `<time datetime="${text}">${text.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>
:root {
  color-scheme: light dark;
  --text: light-dark(#1b1b1b, #ededed);
  --quiet: light-dark(#5f6368, #a0a4a8);
  --line: light-dark(#e2e2e2, #333);
  --panel: light-dark(#f6f6f6, #1d1d1d);
  --link: light-dark(#0b57d0, #8ab4f8);
}
body {
  font: 1.05rem/1.6 system-ui, sans-serif; color: var(--text);
  background: light-dark(#fff, #0f0f0f);
  max-width: 52rem; margin: 3rem auto; padding: 0 1.5rem; overflow-wrap: anywhere;
}
nav { display: flex; gap: 1.5rem; font-size: 0.95rem; margin-bottom: 2.5rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
header { margin-bottom: 1.75rem; }
header p { margin: 0; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 0.35rem; }
h2 { font-size: 1rem; margin: 0 0 0.5rem; }
code { font: 0.85em ui-monospace, monospace; color: var(--quiet); }
.status { font: 600 0.95rem/1.9 ui-monospace, monospace; color: var(--quiet); }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem 1.25rem; margin-top: 1.25rem; }
pre { font: 0.9rem/1.5 ui-monospace, monospace; white-space: pre-wrap; margin: 0; }
iframe { width: 100%; height: 24rem; border: 1px solid var(--line); border-radius: 0.25rem; background: #fff; }
summary { cursor: pointer; font-size: 0.95rem; color: var(--quiet); margin-top: 0.5rem; }
ul { margin: 0; padding-inline-start: 1.25rem; }
.note { color: var(--quiet); font-size: 0.95rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: start; font-size: 0.9rem; font-weight: 600; color: var(--quiet); white-space: nowrap; }
th, td { padding: 0.5rem 1.5rem 0.5rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
time { white-space: nowrap; }
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

import type { Attachment } from "../declare/mail.ts";
import type { Mailbox } from "../mail/address.ts";
import type { CapturedMail } from "../mail/capture.ts";
import { escapeHtml, pageFrame } from "./page-frame.ts";

/**
 * Mails that were captured instead of sent.
 * @param captured Newest first.
 * @param pages Path in front of the framework's pages.
 */
export function mailIndex(captured: readonly CapturedMail[], pages: string): string {
  const rows = captured.map(
    ({ id, at, message }) =>
      `<tr><td class="when">${time(at)}</td><td><a href="${escapeHtml(pages)}/mail/${id}">${escapeHtml(subjectOf(message.subject))}</a><br><code>${escapeHtml(message.to.map(written).join(", "))}</code></td></tr>`,
  );
  const list = `<table>
<thead><tr><th scope="col">Time</th><th scope="col">Mail</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
  return pageFrame(
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
  ];
  const rows = [
    ...fields.map(([name, value]) => fieldRow(name, escapeHtml(value))),
    fieldRow("Message-ID", `<code>${escapeHtml(message.messageId)}</code>`),
  ];
  const { html, attachments } = message;
  return pageFrame(
    subjectOf(message.subject),
    `<nav><a href="${escapeHtml(pages)}/mail">All mail</a><a href="${escapeHtml(pages)}/docs">Documentation</a></nav>
<header>
<p class="status">Mail ${id}, ${time(at)}, not sent</p>
<h1>${escapeHtml(subjectOf(message.subject))}</h1>
</header>
<table>
<tbody>
${rows.join("\n")}
</tbody>
</table>
${section("Text", `<pre>${escapeHtml(message.text)}</pre>`)}
${html === undefined ? "" : section("HTML", `<iframe sandbox title="The HTML of the mail" srcdoc="${escapeHtml(html)}"></iframe>\n<p class="aside">Images from elsewhere are not loaded here, and links lead nowhere.</p>\n<details><summary>Source</summary><pre>${escapeHtml(html)}</pre></details>`)}
${attachments.length === 0 ? "" : section("Attachments", `<ul>${attachments.map(attachmentItem).join("\n")}</ul>`)}`,
  );
}

/** The frame of a mail's HTML inherits it: nothing is fetched for it either. */
export const mailPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/** @param value As HTML */
function fieldRow(name: string, value: string): string {
  return `<tr><th scope="row">${escapeHtml(name)}</th><td>${value}</td></tr>`;
}

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

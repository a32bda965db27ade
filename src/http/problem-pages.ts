import { type ProblemName, type ProblemType, problemTypes } from "../kernel/problems.ts";
import { escapeHtml, pageFrame } from "./page-frame.ts";

/** The page that the `type` of a problem opens (RFC 9457 section 3.1.1). */
export function problemPage(name: string): string | undefined {
  if (!Object.hasOwn(problemTypes, name)) return undefined;
  const { status, title, meaning, remedy } = problemTypes[name as ProblemName];
  return pageFrame(
    title,
    `<nav><a href="../problems">All problems</a><a href="../docs">Documentation</a></nav>
<header>
<p class="status">${status}</p>
<h1>${escapeHtml(title)}</h1>
<p><code>${name}</code></p>
</header>
<p>${escapeHtml(meaning)}</p>
<section>
<h2>What to do</h2>
<p>${escapeHtml(remedy)}</p>
</section>
<p class="note">The <code>detail</code> of the answer says what is wrong with that one request, and
<code>errors</code>, where there are any, at which places. Its <code>instance</code> names the
request: whoever runs this server finds it in the log by that.</p>`,
  );
}

/** @param pages Path in front of the framework's pages. */
export function problemIndex(pages: string): string {
  const rows = (Object.entries(problemTypes) as [string, ProblemType][]).map(
    ([name, { status, title }]) =>
      `<tr><td class="status">${status}</td><td><a href="${pages}/problems/${name}">${escapeHtml(title)}</a><br><code>${name}</code></td></tr>`,
  );
  return pageFrame(
    "Problems",
    `<nav><a href="${pages}/docs">Documentation</a></nav>
<h1>Problems</h1>
<p>What this server answers where it can't do what a request asks for. The name of a problem is the
end of the <code>type</code> in the answer.</p>
<table>
<thead><tr><th scope="col">Status</th><th scope="col">Problem</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`,
  );
}

export const problemPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

import { type ProblemName, type ProblemType, problemTypes } from "../kernel/problems.ts";

/** The page that the `type` of a problem opens (RFC 9457 section 3.1.1). */
export function problemPage(name: string): string | undefined {
  if (!Object.hasOwn(problemTypes, name)) return undefined;
  const { status, title, meaning, remedy } = problemTypes[name as ProblemName];
  return page(
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
  return page(
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
  max-width: 42rem; margin: 3rem auto; padding: 0 1.5rem;
}
nav { display: flex; gap: 1.5rem; font-size: 0.95rem; margin-bottom: 2.5rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
header { margin-bottom: 1.75rem; }
header p { margin: 0; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 0.35rem; }
h2 { font-size: 1rem; margin: 0; }
code { font: 0.9em ui-monospace, monospace; color: var(--quiet); }
.status { font: 600 0.95rem/1.9 ui-monospace, monospace; color: var(--quiet); }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem 1.25rem; }
section p { margin: 0.25rem 0 0; }
.note { color: var(--quiet); font-size: 0.95rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: start; font-size: 0.9rem; font-weight: 600; color: var(--quiet); }
th, td { padding: 0.5rem 1.5rem 0.5rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td code { font-size: 0.85em; }
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

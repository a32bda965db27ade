import { type ProblemName, type ProblemType, problemTypes } from "../kernel/problems.ts";

/** The page that the `type` of a problem opens (RFC 9457 section 3.1.1). */
export function problemPage(name: string): string | undefined {
  if (!Object.hasOwn(problemTypes, name)) return undefined;
  const { status, title, meaning, remedy } = problemTypes[name as ProblemName];
  return page(
    title,
    `<p class="status">${status} <code>${name}</code></p>
<h1>${title}</h1>
<p>${meaning}</p>
<h2>What to do</h2>
<p>${remedy}</p>
<p><a href="../problems">All problems</a></p>`,
  );
}

export function problemIndex(pages: string): string {
  const rows = (Object.entries(problemTypes) as [string, ProblemType][]).map(
    ([name, { status, title }]) =>
      `<tr><td>${status}</td><td><a href="${pages}/problems/${name}">${name}</a></td><td>${title}</td></tr>`,
  );
  return page("Problems", `<h1>Problems</h1>\n<table>\n${rows.join("\n")}\n</table>`);
}

export const problemPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 4rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 0; }
.status { color: GrayText; margin: 0; }
code { font-size: 0.95em; }
td { padding: 0.25rem 1.25rem 0.25rem 0; vertical-align: top; }
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

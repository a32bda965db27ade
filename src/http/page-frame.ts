/** What all pages of our own share: no script, no font, nothing from elsewhere. */
const style = `:root {
  color-scheme: light dark;
  --text: light-dark(#1b1b1b, #ededed);
  --quiet: light-dark(#5f6368, #a0a4a8);
  --line: light-dark(#e2e2e2, #333);
  --panel: light-dark(#f6f6f6, #1d1d1d);
  --link: light-dark(#0b57d0, #8ab4f8);
}
body {
  font: 1.05rem/1.6 system-ui, sans-serif; color: var(--text); background: light-dark(#fff, #0f0f0f);
  max-width: 46rem; margin: 3rem auto; padding: 0 1.5rem; overflow-wrap: anywhere;
}
nav { display: flex; gap: 1.5rem; font-size: 0.95rem; margin-bottom: 2.5rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
header { margin-bottom: 1.75rem; }
header p { margin: 0; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 0.35rem; }
h2 { font-size: 1rem; margin: 0 0 0.35rem; }
code { font: 0.85em ui-monospace, monospace; color: var(--quiet); }
.status { font: 600 0.95rem/1.9 ui-monospace, monospace; color: var(--quiet); }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem 1.25rem; margin-top: 1.25rem; }
section p { margin: 0; }
pre { font: 0.9rem/1.5 ui-monospace, monospace; white-space: pre-wrap; margin: 0; }
iframe { width: 100%; height: 24rem; border: 1px solid var(--line); border-radius: 0.25rem; background: #fff; }
summary { cursor: pointer; font-size: 0.95rem; color: var(--quiet); margin-top: 0.5rem; }
ul { margin: 0; padding-inline-start: 1.25rem; }
section p.aside { color: var(--quiet); font-size: 0.95rem; margin-top: 0.5rem; }
.note { color: var(--quiet); font-size: 0.95rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: start; font-size: 0.9rem; font-weight: 600; color: var(--quiet); white-space: nowrap; }
th, td { padding: 0.5rem 1.5rem 0.5rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th[scope="row"] { width: 1%; line-height: 1.78; }
td.when { width: 1%; color: var(--quiet); font-size: 0.95rem; line-height: 1.77; white-space: nowrap; }`;

/**
 * A page of our own.
 * @param title As text
 * @param body As HTML, in which everything that others wrote is escaped
 */
export function pageFrame(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>
${style}
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** Text for content and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

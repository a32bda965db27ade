import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

export interface DocsPageOptions {
  /** Title of the browser's tab. */
  readonly title: string;
  /** Where the OpenAPI document is served, on the page's own origin. */
  readonly documentUrl: string;
  /** Where `docsScript()` is served, on the page's own origin. */
  readonly scriptUrl: string;
}

/** The documentation page: Scalar's API reference, from this server alone. */
export interface DocsPage {
  readonly html: string;
  /** Value of the `Content-Security-Policy` header that the page is to be served with. */
  readonly contentSecurityPolicy: string;
}

export interface DocsScript {
  readonly body: Buffer;
  /** Strong entity tag of `body` (RFC 9110 section 8.8.3); the gzip coding needs another one. */
  readonly etag: string;
  /** `body` with the gzip coding: compressed off the main thread at the first call, then kept. */
  gzip(): Promise<Buffer>;
}

/**
 * Inline style is the one thing that the reference can't do without. All else is on the page's own
 * origin: what a reader types can't leave for another one, and nobody is told that they read.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Without these, the reference shows its maker's fonts, toolbar, chat, MCP and client buttons. */
const configuration = {
  withDefaultFonts: false,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  telemetry: false,
  // Not absent: its maker's proxy is the default in some modes.
  proxyUrl: "",
  // A plain link to the document, instead of a copy that the page writes.
  documentDownloadType: "direct",
  defaultRequestBodyView: "form",
  // Fields stay in the order in which they were declared.
  orderSchemaPropertiesBy: "preserve",
  orderRequiredPropertiesFirst: false,
};

export function docsPage({ title, documentUrl, scriptUrl }: DocsPageOptions): DocsPage {
  // In an attribute, because the policy refuses inline scripts.
  const settings = escapeHtml(JSON.stringify({ ...configuration, url: documentUrl }));
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>.darklight-reference a[href*="scalar.com"] { display: none }</style>
</head>
<body>
<noscript>This page needs JavaScript; <a href="${escapeHtml(documentUrl)}">the OpenAPI document</a> does not.</noscript>
<div id="api-reference" data-configuration="${settings}"></div>
<script src="${escapeHtml(scriptUrl)}"></script>
</body>
</html>
`;
  return { html, contentSecurityPolicy };
}

let script: DocsScript | undefined;

/** The page's script, 4.9 MB (1.4 MB with gzip); read at the first call, then kept. */
export function docsScript(): DocsScript {
  script ??= loadScript();
  return script;
}

/** Where the build puts the script, so that an installed Posthaste needs no package for it. */
const builtScript = new URL("./docs-page.bundle.js", import.meta.url);

function loadScript(): DocsScript {
  const body = existsSync(builtScript) ? readFileSync(builtScript) : scriptInPackage();
  let compressed: Promise<Buffer> | undefined;
  return {
    body,
    etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
    gzip() {
      compressed ??= promisify(gzip)(body);
      return compressed;
    },
  };
}

interface ScriptReply {
  header(): ScriptReply;
  send(body: string): void;
}

interface ScriptRoute {
  readonly url: string;
  handler(request: undefined, reply: ScriptReply): void;
}

type ScalarPlugin = (
  instance: { hasPlugin(): boolean; route(route: ScriptRoute): void },
  options: { configuration: { url: string } },
  done: () => void,
) => void;

/**
 * In a checkout the script comes from a development dependency. The package of the reference itself
 * brings 250 others; the one for Fastify brings 15, carries the same script and serves it from a
 * route of its own. Nothing else of it is used, so a stand-in takes the route.
 */
function scriptInPackage(): Buffer {
  const name = "@scalar/fastify-api-reference";
  const { default: plugin } = createRequire(import.meta.url)(name) as { default: ScalarPlugin };
  let found: string | undefined;
  const reply: ScriptReply = {
    header: () => reply,
    send(body) {
      found = body;
    },
  };
  plugin(
    {
      hasPlugin: () => false,
      route(route) {
        if (route.url.endsWith(".js")) route.handler(undefined, reply);
      },
    },
    { configuration: { url: "/" } },
    () => {},
  );
  if (found === undefined) throw new Error(`${name} no longer serves its script from a route.`);
  // The source map is not in the package.
  return Buffer.from(found.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

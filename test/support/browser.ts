import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { chromium, type Page } from "playwright-core";

export interface Visit {
  readonly page: Page;
  /** URLs that were asked for on another origin than the page's first, blocked ones included. */
  outsideRequests(): string[];
  /**
   * Errors and warnings on the console, violations of the Content-Security-Policy among them, and
   * uncaught exceptions. Chromium also reports each answer of 400 and above as one.
   */
  consoleErrors(): string[];
}

/**
 * Opens Debian's Chromium (or the one at `CHROMIUM_PATH`) for one test, with nothing but this
 * machine in reach. Where there is none, the test is skipped and says so.
 */
export async function withPage(
  t: TestContext,
  use: (visit: Visit) => Promise<void>,
): Promise<void> {
  const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    t.skip(`No Chromium at ${executablePath}: install Debian's chromium or set CHROMIUM_PATH.`);
    return;
  }
  const browser = await chromium.launch({ executablePath, args: chromiumArguments });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(15_000);
    const requested: URL[] = [];
    const errors: string[] = [];
    page.on("request", (request) => requested.push(new URL(request.url())));
    page.on("websocket", (socket) => requested.push(new URL(socket.url())));
    page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) errors.push(message.text());
    });
    await use({
      page,
      outsideRequests: () =>
        requested.filter((url) => isRemote(url, requested[0])).map((url) => url.href),
      consoleErrors: () => [...errors],
    });
  } finally {
    await browser.close();
  }
}

/** Besides the page's own requests, those that Chromium would make for itself are kept in. */
const chromiumArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

function isRemote(url: URL, first: URL | undefined): boolean {
  // data: and blob: never leave the browser.
  return /^(https?|wss?):$/.test(url.protocol) && url.host !== first?.host;
}

/**
 * Runs `posthaste check` against servers that are built with other packages, and against our own,
 * and writes bench/check/RESULTS.md: `node --conditions=posthaste-source bench/check/run.ts`.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check } from "../../src/check/check.ts";
import { operationsOf } from "../../src/check/openapi-operations.ts";
import { readOpenApi } from "../../src/check/read-openapi.ts";
import type { Report } from "../../src/check/report.ts";
import { Server, type ServerCommand } from "../server.ts";
import { results } from "./results.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** A server, and what it is made of. */
export interface Contender {
  readonly name: string;
  /** Packages whose versions are told. */
  readonly packages: readonly string[];
  readonly setUp: string;
  readonly command: ServerCommand;
}

const inJavaScript = (file: string): ServerCommand => ({
  args: (store) => [`bench/check/servers/${file}.mjs`, store],
});

const contenders: readonly Contender[] = [
  {
    name: "express-idempotency",
    packages: ["express-idempotency", "express"],
    setUp:
      "Express. The middleware on every POST behind `express.json()` and authentication, `isHit` and `reportError` in the handlers, its default store in memory. Ajv in the handler. An error handler that tells `message` of errors below 500",
    command: inJavaScript("express-idempotency"),
  },
  {
    name: "@node-idempotency/core",
    packages: ["@node-idempotency/core", "@node-idempotency/storage-adapter-memory", "fastify"],
    setUp:
      "Fastify with its own schemas. `onRequest` in a `preHandler` hook, behind authentication and validation, `onResponse` in `onSend`, with status, body and Location; the store in memory, defaults. Its README says nothing of principals; its option `cacheKeyPrefix`, given for each request, could keep them apart",
    command: inJavaScript("node-idempotency-core"),
  },
  {
    name: "@node-idempotency/nestjs",
    packages: ["@node-idempotency/nestjs", "@nestjs/core", "@nestjs/platform-express"],
    setUp:
      "Nest on Express. The module with the memory adapter, `@Idempotent()` on the handlers, behind authentication. Ajv in the handler; Nest's own exceptions and error handler",
    command: inJavaScript("node-idempotency-nestjs"),
  },
  {
    name: "Posthaste",
    packages: [],
    setUp: "this checkout, as `posthaste serve bench/check/servers/posthaste.ts` starts it",
    command: {
      args: (store) => [
        "--conditions=posthaste-source",
        "src/cli/main.ts",
        "serve",
        "bench/check/servers/posthaste.ts",
        "--port",
        "0",
        "--store",
        store,
      ],
    },
  },
];

function install(): void {
  if (existsSync(join(folder, "node_modules"))) return;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", args, { cwd: folder, stdio: "inherit" });
  if (status !== 0) throw new Error("npm ci in bench/check failed.");
}

function versionOf(name: string): string {
  const manifest = join(folder, "node_modules", name, "package.json");
  return `${name} ${(JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version}`;
}

async function checked({ command }: Contender, temporary: string): Promise<Report> {
  const server = await Server.start(command, { parentDirectory: temporary });
  try {
    const patience = { timeoutMs: 10_000, signal: new AbortController().signal };
    const source = await readOpenApi(new URL(server.url.origin), undefined, [], patience);
    const target = {
      base: source.base,
      document: source.from,
      ...operationsOf(source.document),
      headers: [["Authorization", "Bearer alice"]],
      as: [["Authorization", "Bearer bob"]],
    } as const;
    return await check(target, patience);
  } finally {
    await server.stop();
  }
}

install();
const temporary = mkdtempSync(join(tmpdir(), "posthaste-check-"));
try {
  const rows = [];
  for (const contender of contenders) {
    const report = await checked(contender, temporary);
    const { mustsBroken, shouldsBroken, passed } = report.summary;
    console.log(
      `${contender.name}: ${passed} passed, ${mustsBroken} must and ${shouldsBroken} should failed`,
    );
    const { name, setUp, packages } = contender;
    rows.push({ name, setUp, versions: packages.map(versionOf), report });
  }
  writeFileSync(join(folder, "RESULTS.md"), results(rows));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

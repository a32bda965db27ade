import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { didYouMean } from "../kernel/nearest.ts";
import type { SchemaPort } from "./migration.ts";
import { type Engine, type Store, StoreError } from "./port.ts";
import { sqliteEngine } from "./sqlite/engine.ts";
import { openSqliteSchema, openSqliteStore, type StoreOptions } from "./sqlite/open.ts";

export type { StoreOptions, WriterPlace } from "./sqlite/open.ts";
export { serveWriter, threadData } from "./sqlite/writer-thread.ts";

/**
 * The store's door: which engine stands behind an address is decided here, and known nowhere else.
 * An address is a file's path, `sqlite:` and a path, or a `file:` URL.
 */
export function openStore(address: string, options: StoreOptions): Promise<Store> {
  return openSqliteStore(sqlitePath(address), options);
}

/** @throws StoreError of kind unusable, with a sentence for the operator */
export function openSchema(address: string, access: "read" | "write"): SchemaPort {
  return openSqliteSchema(sqlitePath(address), access);
}

export function engineOf(address: string): Engine {
  sqlitePath(address);
  return sqliteEngine;
}

function sqlitePath(address: string): string {
  if (address === ":memory:" || address === "sqlite::memory:" || address === "") {
    throw new StoreError(
      "unusable",
      "A store in memory can't keep what it promises. Give it a file: --store ./posthaste.db",
    );
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(address);
  if (scheme === "file") return fileUrlPath(address);
  if (scheme === "sqlite") return resolve(address.replace(/^sqlite:(\/\/)?/i, ""));
  throw new StoreError(
    "unusable",
    `A store at ${scheme}: is not supported.${didYouMean(scheme, ["sqlite", "file"])} This release knows files: --store ./posthaste.db`,
  );
}

function fileUrlPath(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || url.search !== "" || (url.host !== "" && url.host !== "localhost")) {
    throw new StoreError(
      "unusable",
      `The address ${address} is not a file on this machine. Write it as file:///path/to/posthaste.db, without parameters, or as a path.`,
    );
  }
  return fileURLToPath(url);
}

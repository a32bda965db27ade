import type { DatabaseSync } from "node:sqlite";
import { claimDigest, fingerprint } from "../../src/idempotency/fingerprint.ts";
import type { Books } from "../books.ts";
import type { Intent, IntentKind } from "../history.ts";
import type { Report } from "./violation.ts";

const operationOf: Partial<Record<IntentKind, string>> = {
  account: "accounts.create",
  transfer: "transfers",
  order: "orders.create",
  fulfilment: "fulfilments",
  note: "notes.create",
};

function digestOf({ kind, keyed, reference, path, body }: Intent): string | undefined {
  const operation = operationOf[kind];
  if (operation === undefined) return undefined;
  if (keyed) return claimDigest(undefined, operation, "key", reference);
  const mediaType = "application/json";
  const print = fingerprint({ method: "POST", path, search: "", mediaType, payload: body });
  return claimDigest(undefined, operation, "window", print);
}

/** Every claim has one entry, of what was told, if and only if what it claimed was decided. */
export function checkLedger(database: DatabaseSync, books: Books, report: Report): void {
  const find = database.prepare("SELECT * FROM posthaste_keys WHERE digest = ?");
  const effect = database.prepare(`
    SELECT (SELECT count(*) FROM journal WHERE reference = :reference)
      + (SELECT count(*) FROM orders WHERE reference = :reference)
      + (SELECT count(*) FROM notes WHERE reference = :reference)
      + (SELECT count(*) FROM accounts WHERE name = :reference)
      + (SELECT count(*) FROM posthaste_jobs
          WHERE kind = 'fulfil' AND json_extract(input, '$.reference') = :reference) AS count`);
  let entries = 0;
  for (const { intent, told } of books.accounts.values()) {
    const digest = digestOf(intent);
    if (digest === undefined) continue;
    const entry = find.get(digest);
    const { reference } = intent;
    if (entry === undefined) {
      if (told !== undefined) report("ledger", reference, `no entry, told was ${told.status}`);
      // Only looked for where nobody was told: what was told is looked for as an effect.
      else if (effect.get({ reference })!.count !== 0)
        report("ledger", reference, "was done, and has no entry");
      continue;
    }
    entries++;
    const { location } = JSON.parse(String(entry.headers)) as { location?: string };
    if (told === undefined) {
      const done = effect.get({ reference })!.count !== 0;
      if (done !== Number(entry.status) < 300)
        report("ledger", reference, `says ${entry.status}, and it was ${done ? "" : "not "}done`);
    } else if (
      entry.status !== told.status ||
      entry.body !== told.body ||
      location !== told.location
    ) {
      report("ledger", reference, `says ${entry.status} ${entry.body}, told was ${told.body}`);
    }
  }
  const all = Number(database.prepare("SELECT count(*) AS count FROM posthaste_keys").get()!.count);
  if (all !== entries) report("ledger", "posthaste_keys", `${all} entries, of ${entries} claims`);
}

import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { OPENING_BALANCE } from "../api.ts";
import type { Books } from "../books.ts";
import type { IntentKind, Told } from "../history.ts";
import type { Report } from "./violation.ts";

/** Where what an intent does can be seen, and under which name. */
const tables: readonly { kind: IntentKind; table: string; name: string; shown: string[] }[] = [
  { kind: "account", table: "accounts", name: "name", shown: ["id", "name"] },
  { kind: "transfer", table: "journal", name: "reference", shown: ["id"] },
  {
    kind: "order",
    table: "orders",
    name: "reference",
    shown: ["id", "reference", "amount", "coupon"],
  },
  { kind: "note", table: "notes", name: "reference", shown: ["id", "reference"] },
  { kind: "reading", table: "readings", name: "reference", shown: ["id", "reference"] },
];

/** The part of an intent's name that its record has: an account is named without `reference`. */
const nameOf = (body: Readonly<Record<string, unknown>>) => String(body.reference ?? body.name);

/**
 * What was acknowledged is there exactly once, and as it was told; what was refused is not there;
 * what nobody got an answer to is there at most once; and nothing else is there.
 */
export function checkEffects(database: DatabaseSync, books: Books, report: Report): number {
  let effects = 0;
  for (const { kind, table, name, shown } of tables) {
    const found = new Map<string, Record<string, unknown>>();
    for (const row of database.prepare(`SELECT * FROM "${table}" ORDER BY id`).iterate()) {
      effects++;
      const reference = String(row[name]);
      const account = books.accounts.get(reference);
      if (found.has(reference)) {
        report("twice", reference, `row ${row.id} of ${table}`);
        continue;
      }
      found.set(reference, row);
      if (account?.intent.kind !== kind) report("unasked", reference, `row ${row.id} of ${table}`);
    }
    for (const { intent, told } of books.accounts.values()) {
      if (intent.kind !== kind) continue;
      const row = found.get(nameOf(intent.body));
      if (told === undefined) continue;
      if (told.status !== 201) {
        if (row !== undefined) report("refused", intent.reference, `row ${row.id} of ${table}`);
      } else if (row === undefined) {
        report("missing", intent.reference, `told was ${told.location}`);
      } else {
        const difference = differenceOf(row, shown, told, intent.body);
        if (difference !== undefined) report("other-record", intent.reference, difference);
      }
    }
  }
  checkMoney(database, books, report);
  return effects;
}

function differenceOf(
  row: Readonly<Record<string, unknown>>,
  shown: readonly string[],
  { location, body }: Told,
  sent: Readonly<Record<string, unknown>>,
): string | undefined {
  const wrong = Object.keys(sent).filter((name) => row[name] !== sent[name]);
  if (wrong.length > 0) return `${wrong.join(", ")}: not as it was sent`;
  if (Number(location?.slice(location.lastIndexOf("/") + 1)) !== row.id)
    return `has the id ${row.id}, told was ${location}`;
  const { journal, ...told } = JSON.parse(body) as Record<string, unknown>;
  if (journal !== undefined)
    return journal === row.id ? undefined : `has the id ${row.id}, told was ${journal}`;
  const stored = Object.fromEntries(
    shown.flatMap((name) => (row[name] === null ? [] : [[name, row[name]]])),
  );
  const visible = Object.fromEntries(
    shown.flatMap((name) => (name in told ? [[name, told[name]]] : [])),
  );
  return isDeepStrictEqual(stored, visible)
    ? undefined
    : `${JSON.stringify(stored)}, told was ${body}`;
}

/** Money is neither made nor lost, and every answer to a transfer is one of a serial history. */
function checkMoney(database: DatabaseSync, books: Books, report: Report): void {
  const balances = new Map<number, number>();
  const accounts = database.prepare("SELECT id, balance FROM accounts").all();
  for (const { id } of accounts) balances.set(Number(id), OPENING_BALANCE);
  const move = (id: number, amount: number) => {
    const balance = (balances.get(id) ?? Number.NaN) + amount;
    balances.set(id, balance);
    return balance;
  };
  // Numbers are given in the order of the transactions, and those are one behind the other.
  for (const row of database.prepare("SELECT * FROM journal ORDER BY id").iterate()) {
    const sourceBalance = move(Number(row.source), -Number(row.amount));
    const targetBalance = move(Number(row.target), Number(row.amount));
    const reference = String(row.reference);
    if (!(sourceBalance >= 0)) report("money", reference, `left ${sourceBalance} in its source`);
    const told = books.accounts.get(reference)?.told;
    if (told?.status !== 201) continue;
    const { journal, ...said } = JSON.parse(told.body) as Record<string, unknown>;
    if (journal === row.id && !isDeepStrictEqual(said, { sourceBalance, targetBalance }))
      report(
        "money",
        reference,
        `${told.body}, and the journal gives ${sourceBalance} and ${targetBalance}`,
      );
  }
  let sum = 0;
  for (const { id, balance } of accounts) {
    sum += Number(balance);
    if (balance !== balances.get(Number(id)))
      report(
        "money",
        `account ${id}`,
        `has ${balance}, its journal gives ${balances.get(Number(id))}`,
      );
  }
  if (sum !== accounts.length * OPENING_BALANCE)
    report("money", "all accounts", `have ${sum}, not ${accounts.length * OPENING_BALANCE}`);
}

import type { Report } from "./checks/violation.ts";
import { type Intent, type IntentKind, isFinal, readHistory, type Told } from "./history.ts";

/** What became of an intent, as its client was told. */
export interface Account {
  readonly intent: Intent;
  /** The first answer that said what became of it. */
  told: Told | undefined;
  sent: number;
}

/** Everything that clients wanted and were told. */
export interface Books {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly requests: number;
  readonly answers: number;
  readonly lost: number;
  readonly replays: number;
  readonly kills: number;
}

/** The answers that say what became of an intent. */
const answersOf: Readonly<Record<IntentKind, readonly string[]>> = {
  account: ["201"],
  transfer: ["201", "422 validation-failed"],
  order: ["201", "409 unique-conflict", "422 validation-failed"],
  fulfilment: ["202"],
  note: ["201"],
  reading: ["201"],
  keyless: ["400 idempotency-key-required"],
  misuse: ["422 idempotency-key-reused"],
};

/**
 * Reads a history, and judges the answers by themselves: that they are such as can be, and that
 * an intent that is sent again is answered as it was before, byte for byte.
 * @param failures Statuses of 5xx that may come where the store was made to fail, beside 503
 */
export async function readBooks(
  file: string,
  failures: readonly number[],
  report: Report,
): Promise<Books> {
  const accounts = new Map<string, Account>();
  const underway = new Map<number, Account>();
  /** Intents that were answered as the first of their key. */
  const executed = new Set<string>();
  const count = { requests: 0, answers: 0, lost: 0, replays: 0, kills: 0 };
  for await (const entry of readHistory(file)) {
    switch (entry.event) {
      case "intend": {
        const { event, ...intent } = entry;
        accounts.set(intent.reference, { intent, told: undefined, sent: 0 });
        break;
      }
      case "send": {
        const account = accounts.get(entry.reference)!;
        account.sent++;
        count.requests++;
        underway.set(entry.number, account);
        break;
      }
      case "lost":
        count.lost++;
        if (entry.reason === "no answer in time")
          report("unanswered", underway.get(entry.number)!.intent.reference, entry.reason);
        underway.delete(entry.number);
        break;
      case "answer": {
        const account = underway.get(entry.number)!;
        underway.delete(entry.number);
        count.answers++;
        if (entry.replayed) count.replays++;
        const { event, number, ...told } = entry;
        judge(account, told);
        break;
      }
      case "read": {
        const told = accounts.get(entry.reference)!.told!;
        if (entry.status === 404)
          report("missing", entry.reference, "a GET of its Location is 404");
        else if (entry.status === 200 && entry.body !== told.body)
          report(
            "other-record",
            entry.reference,
            `a GET shows ${entry.body}, told was ${told.body}`,
          );
        break;
      }
      case "life":
        if (entry.what.startsWith("died")) count.kills++;
    }
  }
  return { accounts, ...count };

  function judge(account: Account, told: Told): void {
    const { kind, reference } = account.intent;
    if (!isFinal(told)) {
      const expected = told.status === 409 || told.status === 503 || failures.includes(told.status);
      if (!expected) report("wrong-answer", reference, `${told.status} ${told.body}`);
      return;
    }
    const answer = [told.status, told.problem].filter((part) => part !== undefined).join(" ");
    if (!answersOf[kind].includes(answer)) {
      report("wrong-answer", reference, `${answer}: ${told.body}`);
      return;
    }
    if (kind === "keyless" || kind === "misuse") return;
    if (!told.replayed) {
      if (executed.has(reference)) report("other-answer", reference, "was done twice as the first");
      executed.add(reference);
    }
    account.told ??= told;
    const { told: before } = account;
    const same =
      before.status === told.status &&
      before.body === told.body &&
      before.location === told.location &&
      before.etag === told.etag;
    if (!same)
      report("other-answer", reference, `${JSON.stringify(before)}, then ${JSON.stringify(told)}`);
  }
}

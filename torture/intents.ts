import { MOST_OF_AN_ORDER } from "./api.ts";
import type { Intent, IntentKind } from "./history.ts";
import type { Random } from "./random.ts";

/** Accounts that money moves between; they are made first. */
export const ACCOUNTS = 12;
/** Coupons that orders compete for. */
const COUPONS = 400;

/** Makes up what clients want. */
export class Intents {
  readonly #random: Random;
  readonly #run: string;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#run = random.below(2 ** 30).toString(36);
  }

  accounts(): Intent[] {
    return Array.from({ length: ACCOUNTS }, (_, index) => {
      const reference = `account-${this.#run}-${index}`;
      const body = { name: reference };
      return { reference, kind: "account", keyed: true, path: "/api/accounts", body };
    });
  }

  next(): Intent {
    const chance = this.#random.next();
    if (chance < 0.35) return this.#transfer("transfer", true);
    if (chance < 0.52) return this.#order();
    if (chance < 0.57) return this.#intent("fulfilment", true, "/api/fulfilments", {});
    if (chance < 0.77) return this.#intent("note", false, "/api/notes", {});
    if (chance < 0.98) return this.reading();
    return this.#transfer("keyless", false);
  }

  /** The least that can be wanted: a row. */
  reading(): Intent {
    return this.#intent("reading", false, "/api/readings", {});
  }

  /** Another payload with the key of an intent that was answered. */
  misuse(of: Intent): Intent {
    const body = {
      ...of.body,
      ...(of.kind === "order" ? { amount: 1 } : { reference: "misused" }),
    };
    return { ...of, kind: "misuse", body };
  }

  #transfer(kind: "transfer" | "keyless", keyed: boolean): Intent {
    const source = this.#random.below(ACCOUNTS);
    const target = (source + 1 + this.#random.below(ACCOUNTS - 1)) % ACCOUNTS;
    // Now and then more than anybody has.
    const amount = this.#random.chance(0.1) ? 1_000_000 : 1 + this.#random.below(300);
    return this.#intent(kind, keyed, "/api/transfers", {
      source: source + 1,
      target: target + 1,
      amount,
    });
  }

  #order(): Intent {
    const tooMuch = this.#random.chance(0.1);
    return this.#intent("order", true, "/api/orders", {
      amount: tooMuch ? MOST_OF_AN_ORDER + 1 : 2 + this.#random.below(MOST_OF_AN_ORDER - 2),
      ...(this.#random.chance(0.1) ? { coupon: `coupon-${this.#random.below(COUPONS)}` } : {}),
    });
  }

  #intent(kind: IntentKind, keyed: boolean, path: string, fields: Intent["body"]): Intent {
    const reference = `${kind}-${this.#run}-${++this.#count}`;
    return { reference, kind, keyed, path, body: { reference, ...fields } };
  }
}

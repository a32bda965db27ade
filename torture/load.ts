import { setTimeout as sleep } from "node:timers/promises";
import { Client, type Delivery } from "./client.ts";
import { type History, type Intent, isFinal, type Told } from "./history.ts";
import { Intents } from "./intents.ts";
import type { Random } from "./random.ts";

export interface LoadSettings {
  readonly history: History;
  readonly random: Random;
  /** Clients, each of which wants one thing at a time. */
  readonly connections: number;
}

/** Answered intents that may be sent again. */
const REMEMBERED = 2_000;
/** Between two tries of a client that was told to come back. */
const RETRY_MS = 25;

/**
 * Clients that want something, and send it with the same key until they are told what became of
 * it: through hang-ups of their own, twins of themselves, and deaths of the server.
 */
export class Load {
  readonly #history: History;
  readonly #random: Random;
  readonly #connections: number;
  readonly #client: Client;
  readonly #intents: Intents;
  readonly #answered: { readonly intent: Intent; readonly told: Told }[] = [];
  readonly #underway: Promise<void>[] = [];
  #origin: string | undefined;
  #up = Promise.withResolvers<void>();
  #ending = false;
  /** Requests that were answered with what became of them. */
  answers = 0;
  /** Requests that got no answer. */
  lost = 0;
  /** Answers by status. */
  readonly statuses = new Map<number, number>();

  constructor({ history, random, connections }: LoadSettings) {
    this.#history = history;
    this.#random = random;
    this.#connections = connections;
    this.#client = new Client(history, connections * 4);
    this.#intents = new Intents(random);
  }

  /** Where the server is now; `undefined` while it is down. */
  serverIs(origin: string | undefined): void {
    this.#origin = origin;
    if (origin === undefined) this.#up = Promise.withResolvers();
    else this.#up.resolve();
  }

  /** Makes what everything else needs, and begins. */
  async start(): Promise<void> {
    for (const account of this.#intents.accounts()) await this.#pursue(account);
    for (let client = 0; client < this.#connections; client++) this.#underway.push(this.#run());
  }

  /** Lets every client come to the end of what it wants: the server has to be up, or come up. */
  async finish(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#underway);
    // Once more, as clients would that look through their books: some of all that was answered.
    const books = this.#answered.filter(({ intent }) => intent.keyed);
    const look = async () => {
      for (let one = books.pop(); one !== undefined; one = books.pop())
        await this.#send(one.intent);
    };
    await Promise.all(Array.from({ length: this.#connections }, look));
    this.#client.close();
  }

  /** Sends one request that is an intent of its own, and never again. */
  once(): Promise<Told | undefined> {
    const intent = this.#intents.reading();
    this.#history.append({ event: "intend", ...intent });
    return this.#send(intent);
  }

  /** Resolves when so many answers have come since now. */
  async answersMore(count: number, milliseconds: number): Promise<boolean> {
    const goal = this.answers + count;
    const end = performance.now() + milliseconds;
    while (this.answers < goal && performance.now() < end) await sleep(5);
    return this.answers >= goal;
  }

  async #run(): Promise<void> {
    while (!this.#ending) {
      const chance = this.#random.next();
      const known = this.#answered.length > 20 ? this.#random.pick(this.#answered) : undefined;
      if (known !== undefined && chance < 0.08) await this.#again(known.intent);
      else if (known !== undefined && chance < 0.1) await this.#misuse(known.intent);
      else if (known !== undefined && chance < 0.15) await this.#look(known.intent, known.told);
      else await this.#pursue(this.#intents.next());
    }
  }

  /** Sends until an answer says what became of it; a few clients lose patience. */
  async #pursue(intent: Intent): Promise<void> {
    this.#history.append({ event: "intend", ...intent });
    const again = intent.keyed || intent.kind === "note";
    const patient = intent.kind === "account" || this.#random.chance(0.9);
    const chance = this.#random.next();
    if (again && intent.kind !== "account" && chance < 0.1) {
      const twins = Array.from({ length: 2 + this.#random.below(3) }, () => this.#send(intent));
      const told = (await Promise.all(twins)).find((each) => each !== undefined && isFinal(each));
      if (told !== undefined) return this.#remember(intent, told);
    } else {
      const told = await this.#send(intent, this.#delivery(chance, intent));
      if (told !== undefined && isFinal(told)) return this.#remember(intent, told);
    }
    while (again && patient) {
      await sleep(RETRY_MS);
      const told = await this.#send(intent, { restated: this.#random.chance(0.3) });
      if (told !== undefined && isFinal(told)) return this.#remember(intent, told);
    }
  }

  #delivery(chance: number, { kind }: Intent): Delivery {
    if (kind === "account") return {};
    if (chance < 0.14) return { hangUpAfterMs: this.#random.below(8) };
    if (chance < 0.16) return { torn: true };
    return {};
  }

  async #again(intent: Intent): Promise<void> {
    if (intent.keyed || intent.kind === "note")
      await this.#send(intent, { restated: this.#random.chance(0.5) });
  }

  async #misuse(intent: Intent): Promise<void> {
    if (!intent.keyed || intent.kind === "account") return;
    const misuse = this.#intents.misuse(intent);
    const { reference } = misuse;
    this.#history.append({ event: "intend", ...misuse, reference: `misuse of ${reference}` });
    await this.#send(misuse, {}, `misuse of ${reference}`);
  }

  async #look({ kind, reference }: Intent, { status, location }: Told): Promise<void> {
    const readable = kind === "order" || kind === "note" || kind === "reading";
    if (!readable || status !== 201 || location === undefined) return;
    await this.#client.read(await this.#whereUp(), reference, location);
  }

  async #send(intent: Intent, delivery?: Delivery, as?: string): Promise<Told | undefined> {
    const told = await this.#client.send(await this.#whereUp(), intent, delivery, as);
    if (told === undefined) {
      this.lost++;
    } else {
      this.answers++;
      this.statuses.set(told.status, (this.statuses.get(told.status) ?? 0) + 1);
    }
    return told;
  }

  async #whereUp(): Promise<string> {
    while (this.#origin === undefined) await this.#up.promise;
    return this.#origin;
  }

  #remember(intent: Intent, told: Told): void {
    const one = { intent, told };
    if (this.#answered.length < REMEMBERED) this.#answered.push(one);
    else this.#answered[this.#random.below(REMEMBERED)] = one;
  }
}

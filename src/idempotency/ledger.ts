import type { Engine, Executor, SqlRow } from "../store/port.ts";

/** What a request claims: to be the first of its kind, or else to get the first one's answer. */
export interface Claim {
  /** Names caller, operation and key. */
  readonly digest: string;
  readonly fingerprint: string;
  /** Milliseconds for which the answer is kept. */
  readonly keepMs: number;
}

/** An answer as it was given, to be given again byte for byte. */
export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Type of the problem, where it was one. */
  readonly problem: string | undefined;
}

export interface LedgerEntry extends RecordedAnswer {
  readonly fingerprint: string;
  /** Milliseconds since the Unix epoch. */
  readonly recordedAt: number;
  readonly expiresAt: number;
}

const TABLE = "posthaste_keys";

/** The statements of the ledger, compiled once for an engine. */
export class Ledger {
  readonly #find: string;
  readonly #record: string;
  readonly #sweep: string;

  constructor({ compiler }: Engine) {
    const written = {
      fingerprint: "",
      status: 0,
      headers: "",
      body: "",
      problem: "",
      recorded_at: 0,
      expires_at: 0,
    };
    this.#find = compiler.selectFrom(TABLE).selectAll().where("digest", "=", "").compile().sql;
    this.#record = compiler
      .insertInto(TABLE)
      .values({ digest: "", ...written })
      // An expired entry that the sweep has not met yet: the key is free again.
      .onConflict((conflict) =>
        conflict
          .column("digest")
          .doUpdateSet((excluded) =>
            Object.fromEntries(
              Object.keys(written).map((name) => [name, excluded.ref(`excluded.${name}`)]),
            ),
          ),
      )
      .compile().sql;
    this.#sweep = compiler
      .deleteFrom(TABLE)
      .where(
        "number",
        "in",
        compiler
          .selectFrom(TABLE)
          .select("number")
          .where("expires_at", "<=", 0)
          .orderBy("expires_at")
          .limit(1),
      )
      .returning("number")
      .compile().sql;
  }

  /** What is recorded under a claim's digest and has not expired. */
  async find(on: Executor, digest: string, now: number): Promise<LedgerEntry | undefined> {
    const [row] = await on.execute(this.#find, [digest]);
    return row === undefined || Number(row.expires_at) <= now ? undefined : entryOf(row);
  }

  async record(on: Executor, claim: Claim, answer: RecordedAnswer, now: number): Promise<void> {
    const { status, headers, body, problem } = answer;
    await on.execute(this.#record, [
      claim.digest,
      claim.fingerprint,
      status,
      JSON.stringify(headers),
      body ?? null,
      problem ?? null,
      now,
      now + claim.keepMs,
    ]);
  }

  /** Removes expired entries, this many at the most. @returns how many it removed */
  async sweep(on: Executor, now: number, limit: number): Promise<number> {
    return (await on.execute(this.#sweep, [now, limit])).length;
  }
}

function entryOf(row: SqlRow): LedgerEntry {
  return {
    fingerprint: String(row.fingerprint),
    status: Number(row.status),
    headers: JSON.parse(String(row.headers)),
    body: row.body === null ? undefined : String(row.body),
    problem: row.problem === null ? undefined : String(row.problem),
    recordedAt: Number(row.recorded_at),
    expiresAt: Number(row.expires_at),
  };
}

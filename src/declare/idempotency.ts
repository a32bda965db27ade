import { type Duration, milliseconds } from "../kernel/duration.ts";

/** What an operation does with the header field `Idempotency-Key`. */
export interface Idempotency {
  /**
   * Whether clients may send a key (`"accepted"`), must (`"required"`), or send it in vain
   * (`"ignored"`). A POST accepts keys by default, a PATCH ignores them.
   */
  readonly key?: "required" | "accepted" | "ignored";
  /** How long a key and its answer are kept. Default `"24 hours"`. */
  readonly keep?: Duration;
  /**
   * For callers without a key: the same payload of the same principal within this time gets the
   * first answer. Off unless it is given.
   */
  readonly window?: Duration;
  /**
   * Which keys are taken from callers without credentials, who share one scope: any, or UUIDs
   * only, which nobody guesses. Default `"any"`.
   */
  readonly anonymousKeys?: "any" | "uuid";
}

/** The normal form: every default filled in. */
export interface IdempotencyPolicy {
  readonly key: "required" | "accepted" | "ignored";
  readonly keepMs: number;
  /** 0 where there is none. */
  readonly windowMs: number;
  readonly anonymousKeys: "any" | "uuid";
}

const DAY_MS = 86_400_000;

export function idempotencyPolicy(
  declared: Idempotency | undefined,
  key: IdempotencyPolicy["key"],
): IdempotencyPolicy {
  return Object.freeze({
    key: declared?.key ?? key,
    keepMs: declared?.keep === undefined ? DAY_MS : milliseconds(declared.keep),
    windowMs: declared?.window === undefined ? 0 : milliseconds(declared.window),
    anonymousKeys: declared?.anonymousKeys ?? "any",
  });
}

/** Of operations that no key has a meaning for. */
export const noIdempotency: IdempotencyPolicy = idempotencyPolicy(undefined, "ignored");

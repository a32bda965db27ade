import type { Scenario } from "../scenario.ts";

export const DRAFT = "draft-ietf-httpapi-idempotency-key-header-07";

/** Where the rules stand that the draft leaves open, each with its reason. */
export const POLICY = "Posthaste docs/check.md";

/** What a key must do before anything finer can be said of it. */
export const WORKING: readonly Scenario["id"][] = [
  "keys/quoted",
  "keys/one-effect",
  "keys/same-answer",
];

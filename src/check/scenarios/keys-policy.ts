import type { Scenario } from "../scenario.ts";
import { failed, notTested, passed } from "../verdict.ts";
import { DRAFT, POLICY } from "./keys-sections.ts";

/** What documentation is expected to name: for how long a key is remembered. */
const EXPIRY =
  /\b\d+\s*(?:h|hours?|d|days?|min|minutes?|s|seconds?|weeks?)\b|expir|retain|retention|\bttl\b|until|forever/i;

export const keysPolicy: readonly Scenario[] = [
  {
    id: "keys/expiry-published",
    rule: "The documentation says for how long keys are kept",
    level: "should",
    sections: [`${DRAFT} §2.3`, `${DRAFT} §2.5`],
    async try(trial) {
      const { claim, documentation } = trial.operation.keys;
      if (claim === "unknown") return notTested("nothing is said of keys");
      if (documentation === "") return failed("nothing is said of keys but their name");
      const found = EXPIRY.exec(documentation);
      return found === null ? failed("nothing is said of their expiry") : passed(found[0]);
    },
  },
  {
    id: "keys/crash",
    rule: "A crash does not leave a key that answers 409 until it expires, and then runs twice",
    level: "must",
    sections: [`${POLICY}#what-cant-be-seen-from-outside`],
    try: async () => notTested("a crash can't be provoked from outside"),
  },
  {
    id: "keys/failure-after-commit",
    rule: "A failure behind the commit does not free the key",
    level: "must",
    sections: [`${POLICY}#what-cant-be-seen-from-outside`],
    try: async () => notTested("a failure behind the commit can't be provoked from outside"),
  },
  {
    id: "keys/expired",
    rule: "A key that has expired is free, not 409 for ever",
    level: "must",
    sections: [`${DRAFT} §2.3`],
    try: async () => notTested("that would take as long as keys are kept"),
  },
];

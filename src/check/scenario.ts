import type { Trial } from "./trial.ts";
import type { Level, Verdict } from "./verdict.ts";

export const groups = [
  "statuses",
  "bodies",
  "content-types",
  "framing",
  "keys",
  "problems",
] as const;
export type Group = (typeof groups)[number];

/** One rule, and how a server is tried for it. */
export interface Scenario {
  /** `keys/one-effect`: the group, and a name that stays from release to release. */
  readonly id: `${Group}/${string}`;
  /** What holds of a server that keeps it: one sentence. */
  readonly rule: string;
  /** What it weighs to break it. */
  readonly level: Level;
  /** Where to read: `RFC 9110 §15.3.2`. */
  readonly sections: readonly string[];
  /** A rule about connections is tried once, not with each operation. */
  readonly once?: true;
  /** Scenarios without which this one shows nothing: it is left out where one of them broke a must. */
  readonly needs?: readonly Scenario["id"][];
  /** The scenario that finds out whether the server says that it does this at all. */
  readonly claimedBy?: Scenario["id"];
  try(trial: Trial): Promise<Verdict>;
}

/** The group that a scenario's id names. */
export function groupOf({ id }: Pick<Scenario, "id">): Group {
  return id.slice(0, id.indexOf("/")) as Group;
}

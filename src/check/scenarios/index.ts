import type { Scenario } from "../scenario.ts";
import { bodies } from "./bodies.ts";
import { contentTypes } from "./content-types.ts";
import { framing } from "./framing.ts";
import { keysMisuse } from "./keys-misuse.ts";
import { keysPolicy } from "./keys-policy.ts";
import { keysReplay } from "./keys-replay.ts";
import { keysScope } from "./keys-scope.ts";
import { keysSyntax } from "./keys-syntax.ts";
import { keysTwins } from "./keys-twins.ts";
import { problems } from "./problems.ts";
import { statuses } from "./statuses.ts";

const keys = [
  ...keysReplay,
  ...keysMisuse,
  ...keysTwins,
  ...keysScope,
  ...keysSyntax,
  ...keysPolicy,
].map(
  (scenario): Scenario =>
    scenario.id === "keys/offered" ? scenario : { ...scenario, claimedBy: "keys/offered" },
);

/** Every scenario, in the order in which they are tried. */
export const scenarios: readonly Scenario[] = [
  ...statuses,
  ...bodies,
  ...contentTypes,
  ...framing,
  ...keys,
  ...problems,
];

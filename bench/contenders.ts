import type { ServerCommand } from "./server.ts";
import { ours } from "./servers/ours.ts";

export type Contender = "floor" | "handWritten" | "ours";

/** In the order in which a round measures them. */
export const contenders: Record<Contender, ServerCommand & { label: string }> = {
  floor: { label: "bare node:http", args: () => ["bench/servers/floor.ts"] },
  handWritten: {
    label: "hand-written",
    args: (store) => ["bench/servers/hand-written.ts", store],
    rowsIn: "users",
  },
  ours: { label: "Posthaste", ...ours },
};

export const contenderNames = Object.keys(contenders) as Contender[];

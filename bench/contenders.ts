export type Contender = "floor" | "handWritten" | "ours";

/** In the order in which a round measures them. */
export const labels: Record<Contender, string> = {
  floor: "bare node:http",
  handWritten: "hand-written",
  ours: "Posthaste",
};

export const contenderNames = Object.keys(labels) as Contender[];

import type { Executor } from "../../store/port.ts";
import type { Serving } from "../serving.ts";

/** Removes what is kept no longer, so much of it at the most, so that nobody waits for it. */
export interface SweepUnit {
  readonly sweep: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export function isSweep(unit: unknown): unit is SweepUnit {
  return typeof unit === "object" && unit !== null && "sweep" in unit;
}

/** @returns how many rows of a kind were removed at the most: as many as asked for means more wait */
export async function sweep(
  { ledger, queue }: Serving,
  { sweep: limit, now }: SweepUnit,
  on: Executor,
): Promise<number> {
  return Math.max(await ledger.sweep(on, now, limit), await queue.sweep(on, now, limit));
}

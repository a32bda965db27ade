/**
 * Milliseconds to wait behind a failed attempt: doubled each time up to a bound, and of that a
 * random part between half and all, so that what failed together does not come back together.
 * @param attempt 1 for the first
 */
export function backoffMs(
  { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number },
  attempt: number,
  random: () => number = Math.random,
): number {
  const most = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 52));
  return Math.round(most * (0.5 + random() / 2));
}

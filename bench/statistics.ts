/** The value below which a share `q` (0 to 1) of the ascending values lies; 0 of no values. */
export function percentile(ascending: Float64Array, q: number): number {
  const rank = Math.max(1, Math.ceil(q * ascending.length));
  return ascending[rank - 1] ?? 0;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("The median of no values");
  const ascending = values.toSorted((a, b) => a - b);
  const middle = Math.floor(ascending.length / 2);
  if (ascending.length % 2 === 1) return ascending[middle]!;
  return (ascending[middle - 1]! + ascending[middle]!) / 2;
}

/** The values that are present, in ascending order. */
export const sortedPresent = (values: Float64Array): Float64Array =>
  values.filter((value) => !Number.isNaN(value)).toSorted();

/**
 * The `q`-quantile (0 … 1) of ascending values by linear interpolation, in NumPy's order of operations (method "linear" of
 * numpy.quantile); NaN of nothing.
 */
export function quantileOfSorted(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const lower = Math.floor(position);
  const weight = position - lower;
  const from = sorted[lower] ?? Number.NaN;
  const to = sorted[Math.min(lower + 1, sorted.length - 1)] ?? Number.NaN;
  return weight >= 0.5 ? to - (to - from) * (1 - weight) : from + (to - from) * weight;
}

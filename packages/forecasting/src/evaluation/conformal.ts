/** In scales: nine tenths of normal errors as large as recent changes lie within. Few errors cannot show that a model does better. */
const LEAST_BOUND_OF_FEW = 2;

/**
 * The (1 − level)/2 and (1 + level)/2 quantiles of errors in scales, at most 0 and at least 0, with the finite-sample correction
 * (ranks out of n + 1). Fewer errors than have such ranks (19 at 90 %) say nothing of either tail: then both sides get the
 * largest error, stretched as far as errors with the tail of a Cauchy distribution would have to be, whose chance of k times the
 * largest of n is about 1 / (k · (n + 1)).
 */
export function conformalBounds(errors: Float64Array, level: number): [lower: number, upper: number] {
  const sorted = errors.toSorted();
  const tail = ((1 - level) / 2) * (sorted.length + 1);
  if (tail < 1 - 1e-9) {
    const largest = Math.max(-sorted[0]!, sorted.at(-1)!);
    const factor = Math.max(1, 1 / ((1 - level) * (sorted.length + 1)));
    const stretched = Math.max(largest * factor, LEAST_BOUND_OF_FEW);
    return [-stretched, stretched];
  }
  const below = sorted[Math.max(Math.floor(tail), 1) - 1]!;
  const above = sorted[Math.min(Math.ceil(sorted.length + 1 - tail), sorted.length) - 1]!;
  return [Math.min(below, 0), Math.max(above, 0)];
}

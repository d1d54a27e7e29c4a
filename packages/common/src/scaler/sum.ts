/**
 * The sum of `values` with the rounding errors carried along (A. Neumaier, 1974), so that a mean of millions of rows is as
 * exact as one of ten and does not depend on their order by more than an ulp or two. NaNs are skipped.
 */
export function sumOf(values: Float64Array): { sum: number; count: number } {
  let sum = 0;
  let lost = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
    count++;
  }
  return { sum: sum + lost, count };
}

/** The mean of what is present, NaN of nothing. */
export function meanOf(values: Float64Array): number {
  const { sum, count } = sumOf(values);
  return sum / count;
}

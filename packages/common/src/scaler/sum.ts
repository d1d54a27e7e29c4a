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

/**
 * The sum in NumPy's order of additions: halves down to blocks of at most 128, eight running sums in each. Nearly as exact as
 * `sumOf`, and the same bits as scikit-learn, which decides whether an imputed cell is scaled to 0 or to a rounding of it.
 */
export function pairwiseSum(values: Float64Array): number {
  const count = values.length;
  if (count > 128) {
    const half = Math.floor(count / 16) * 8;
    return pairwiseSum(values.subarray(0, half)) + pairwiseSum(values.subarray(half));
  }
  const whole = count - (count % 8);
  let sum = 0;
  if (whole > 0) {
    const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map((lane) => laneSum(values, lane, whole));
    sum = a! + b! + (c! + d!) + (e! + f! + (g! + h!));
  }
  for (let index = whole; index < count; index++) sum += values[index]!;
  return sum;
}

function laneSum(values: Float64Array, lane: number, end: number): number {
  let sum = values[lane]!;
  for (let index = lane + 8; index < end; index += 8) sum += values[index]!;
  return sum;
}

/**
 * The largest difference of two lists in units of what is allowed: 1e-12 relative, 1e-15 absolute near 0 (or the given
 * scale). At most 1 is a match; NaN matches NaN alone.
 */
export function worst(
  actual: ArrayLike<number>,
  expected: ArrayLike<number | null>,
  relative = 1e-12,
): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < actual.length; index++) {
    const got = actual[index] ?? Number.NaN;
    const want = expected[index] ?? Number.NaN;
    if (Number.isNaN(got) && Number.isNaN(want)) continue;
    const difference = Math.abs(got - want) / (1e-15 + relative * Math.abs(want));
    largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return largest;
}

/**
 * Whether values are those of a quantity that cannot be negative, NaNs aside. Zeros that were scaled and scaled back may miss
 * by a rounding, which is small beside the largest value.
 */
export function isNonNegative(values: Float64Array): boolean {
  let smallest = 0;
  let largest = 0;
  for (const value of values) {
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
  }
  return smallest >= -1e-9 * largest;
}

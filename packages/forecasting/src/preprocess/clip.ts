import { quantileOfSorted } from "@flts/common/scaler/quantile";
import { dropMissing } from "./impute.ts";

export interface ClipLimits {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The limits of a column, NaNs skipped: `iqr` → [Q1 − factor·IQR, Q3 + factor·IQR], `percentile` → [quantile(factor),
 * quantile(1 − factor)], quantiles interpolated linearly (reference behaviour §4.2). The array is written over.
 */
export function fitClipLimits(values: Float64Array, method: string, factor: number): ClipLimits {
  // oxlint-disable-next-line unicorn/no-array-sort -- in place: a copy of a column may be 80 MB
  const sorted = dropMissing(values).sort();
  return method.toLowerCase() === "iqr" ? byRange(sorted, factor) : byPercentile(sorted, factor);
}

/** Sets what lies beyond a limit to that limit, in place; NaN stays NaN. */
export function clipValues(values: Float64Array, { lower, upper }: ClipLimits): Float64Array {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value < lower) values[row] = lower;
    else if (value > upper) values[row] = upper;
  }
  return values;
}

function byRange(sorted: Float64Array, factor: number): ClipLimits {
  const first = quantileOfSorted(sorted, 0.25);
  const third = quantileOfSorted(sorted, 0.75);
  return { lower: first - factor * (third - first), upper: third + factor * (third - first) };
}

const byPercentile = (sorted: Float64Array, factor: number): ClipLimits => ({
  lower: quantileOfSorted(sorted, factor),
  upper: quantileOfSorted(sorted, 1 - factor),
});

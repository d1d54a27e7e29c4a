import { quantileOfSorted, sortedPresent } from "@flts/common/scaler/quantile";
import { mapColumns, type Table } from "../table/table.ts";

export interface ClipLimits {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Limits of each column, NaNs skipped: `iqr` → [Q1 − factor·IQR, Q3 + factor·IQR], `percentile` → [quantile(factor),
 * quantile(1 − factor)], quantiles interpolated linearly (reference behaviour §4.2).
 */
export function fitClipLimits(table: Table, method: string, factor: number): Record<string, ClipLimits> {
  const entries = table.columns.map((column, index) => {
    const sorted = sortedPresent(table.values[index]!);
    return [column, method.toLowerCase() === "iqr" ? byRange(sorted, factor) : byPercentile(sorted, factor)];
  });
  return Object.fromEntries(entries);
}

/** Values beyond the limits of their column are set to the limit; a column without limits is left alone. */
export function clipColumns(table: Table, limits: Readonly<Record<string, ClipLimits>>): Table {
  return mapColumns(table, (values, column) => {
    const limit = limits[column];
    if (limit === undefined) return values;
    const { lower, upper } = limit;
    return values.map((value) => (value < lower ? lower : value > upper ? upper : value));
  });
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

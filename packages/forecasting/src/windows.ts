import type { RowRange } from "./evaluation/split.ts";

/** How many windows with their targets lie wholly inside a range. */
export function countWindows([start, end]: RowRange, window: number, horizon: number): number {
  return Math.max(0, end - start - window - horizon + 1);
}

/**
 * `count` windows that start at `firstRow`, `firstRow + stride` …, copied one after the other: `[count, window, width]` out of
 * a row-major matrix `[rows, width]`.
 */
export function copyWindows(
  matrix: Float64Array,
  width: number,
  firstRow: number,
  count: number,
  window: number,
  stride = 1,
): Float64Array {
  const size = window * width;
  const windows = new Float64Array(count * size);
  for (let index = 0; index < count; index++) {
    const from = (firstRow + index * stride) * width;
    windows.set(matrix.subarray(from, from + size), index * size);
  }
  return windows;
}

import type { Forecaster } from "../../src/forecaster.ts";

/** A forecaster that repeats the last value of its targets; `seen` collects what it was asked. */
export function repeatLast(
  columns: readonly string[],
  targets: readonly string[],
  { window = 3, horizon = 1, stepMs = 120_000 } = {},
): Forecaster & { readonly seen: { windows: Float64Array; endTimesMs: Float64Array }[] } {
  const seen: { windows: Float64Array; endTimesMs: Float64Array }[] = [];
  return {
    columns,
    targets,
    window,
    horizon,
    stepMs,
    seen,
    async predict(windows, endTimesMs) {
      seen.push({ windows: windows.slice(), endTimesMs: endTimesMs.slice() });
      const size = window * columns.length;
      return Float64Array.from({ length: endTimesMs.length * horizon * targets.length }, (_, position) => {
        const index = Math.floor(position / (horizon * targets.length));
        const column = columns.indexOf(targets[position % targets.length] ?? "");
        return windows[(index + 1) * size - columns.length + column] ?? Number.NaN;
      });
    },
    async close() {},
  };
}

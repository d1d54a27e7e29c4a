import type { Forecaster } from "@flts/forecasting/forecaster";
import type { ModelDescription } from "../manifest.ts";

/** A member of an ensemble at work. */
export interface WeighedForecaster {
  readonly forecaster: Forecaster;
  /** Its share of each of the ensemble's targets, in their order. */
  readonly weights: readonly number[];
}

/** A forecaster whose forecast of the next step is the weighted mean of its members', which have its targets. Closing it closes them. */
export function meanForecaster(
  members: readonly WeighedForecaster[],
  { columns, targets, window, step_ms }: ModelDescription,
): Forecaster {
  return {
    columns,
    targets,
    window,
    horizon: 1,
    stepMs: step_ms,
    async predict(windows, endTimesMs) {
      const answers = new Float64Array(endTimesMs.length * targets.length);
      for (const { forecaster, weights } of members) {
        const own = ownWindows(forecaster, windows, columns, window, endTimesMs.length);
        const forecasts = await forecaster.predict(own, endTimesMs);
        const size = forecaster.horizon * targets.length; // of which the first step counts
        for (let row = 0; row < endTimesMs.length; row++)
          for (const [target, weight] of weights.entries())
            answers[row * targets.length + target]! += weight * forecasts[row * size + target]!;
      }
      return answers;
    },
    async close() {
      await Promise.all(members.map(({ forecaster }) => forecaster.close()));
    },
  };
}

/** The ends of the windows, with the member's columns alone: `[n, member's window, member's columns]`. */
function ownWindows(
  { columns: wanted, window: length }: Forecaster,
  windows: Float64Array,
  columns: readonly string[],
  window: number,
  count: number,
): Float64Array {
  const positions = wanted.map((column) => columns.indexOf(column));
  const own = new Float64Array(count * length * wanted.length);
  let cell = 0;
  for (let index = 0; index < count; index++)
    for (let row = window - length; row < window; row++)
      for (const position of positions)
        own[cell++] = windows[(index * window + row) * columns.length + position]!;
  return own;
}

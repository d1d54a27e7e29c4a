import type { Model } from "@flts/families/model";
import { parseLagColumn } from "@flts/forecasting/preprocess/lags";
import { timeFeatureColumns } from "@flts/forecasting/preprocess/time-features";
import { forecastAfter } from "@flts/forecasting/recursive";
import { appendColumns, columnOf, type Table } from "@flts/forecasting/table/table";
import type { ServableModel } from "./servable-model.ts";

/** A family's model as serving sees it: what it wants beside measurements is computed from them. */
export function servableModel({ manifest, forecaster, close }: Model): ServableModel {
  const { columns, targets, window, horizon, step_ms, intervals } = manifest;
  const computed: readonly string[] = timeFeatureColumns;
  const lags = columns.filter((column) => parseLagColumn(column) !== undefined);
  return {
    inputColumns: columns.filter((column) => !computed.includes(column) && !lags.includes(column)),
    targets,
    window,
    horizon,
    async forecast(history, steps) {
      const { timesMs, forecast, lower, upper } = await forecastAfter(
        forecaster,
        intervals,
        withLags(history, lags, step_ms),
        steps,
      );
      return { timesMs, values: forecast, lower, upper };
    },
    close,
  };
}

/** `history` with the named lag columns on its right; a value from before its first row is missing. @throws COLUMN_MISSING */
function withLags(history: Table, lags: readonly string[], stepMs: number): Table {
  if (lags.length === 0) return history;
  const rowAt = new Map(Array.from(history.timesMs, (timeMs, row) => [timeMs, row]));
  const values = lags.map((name) => {
    const { column, n } = parseLagColumn(name)!;
    const source = columnOf(history, column);
    return history.timesMs.map((timeMs) => source[rowAt.get(timeMs - n * stepMs) ?? -1] ?? Number.NaN);
  });
  return appendColumns(history, lags, values);
}

import { FltsError } from "@flts/common/contracts/errors";
import type { Forecaster } from "../forecaster.ts";
import { rollForward } from "../recursive.ts";
import { columnOf, type Table, toMatrix } from "../table/table.ts";
import { copyWindows } from "../windows.ts";
import type { RollingForecasts } from "./forecasts.ts";
import type { RowRange } from "./split.ts";

export interface RollingOptions {
  /** The rows to look at; windows and the values forecast lie wholly inside. */
  readonly rows: RowRange;
  /** Steps ahead of every origin. Default 1. */
  readonly horizon?: number;
  /**
   * Rows kept as history at the start. Give the longest window of all forecasters, so that each is measured on the same rows;
   * by default it is the forecaster's own.
   */
  readonly history?: number;
  /** Rows from one origin to the next. Default 1. */
  readonly stride?: number;
}

/** Rows that forecasts of several steps start from: as good as all of them thirty steps ahead, where a quarter of these is not (ADR 10). */
const ORIGINS_AHEAD = 400;
/** Windows in one call: enough to fill vector units, few enough to keep memory at some megabytes. */
const BATCH = 1024;

/**
 * The rolling-origin protocol: from every row of the range, forecast the next `horizon` rows from real history, and put the
 * answers beside what came. Rows whose actual value is missing are left out.
 * @param table raw units, with all of the forecaster's columns
 * @throws COLUMN_MISSING, TABLE_TOO_SHORT when the rows hold no window
 */
export async function rollForecasts(
  forecaster: Forecaster,
  table: Table,
  options: RollingOptions,
): Promise<RollingForecasts> {
  const { horizon = 1, stride = 1, rows } = options;
  const history = Math.max(options.history ?? forecaster.window, forecaster.window);
  const actuals = forecaster.targets.map((target) => columnOf(table, target));
  const origins = originsWith(actuals, rows, history, horizon, stride);
  if (origins.length === 0) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `rows ${rows[0]} … ${rows[1] - 1} hold no forecast of ${horizon} steps after ${history} rows of history`,
    );
  }
  const width = forecaster.columns.length;
  const matrix = toMatrix(table, forecaster.columns);
  const size = horizon * actuals.length;
  const actual = new Float64Array(origins.length * size);
  const forecast = new Float64Array(origins.length * size);
  for (let start = 0; start < origins.length; start += BATCH) {
    const batch = origins.subarray(start, start + BATCH);
    const windows = new Float64Array(batch.length * forecaster.window * width);
    for (const [index, origin] of batch.entries()) {
      const first = origin - forecaster.window + 1;
      windows.set(copyWindows(matrix, width, first, 1, forecaster.window), index * forecaster.window * width);
    }
    const endTimesMs = Float64Array.from(batch, (origin) => table.timesMs[origin]!);
    forecast.set(await rollForward(forecaster, windows, endTimesMs, horizon), start * size);
  }
  for (const [index, origin] of origins.entries()) {
    for (let step = 0; step < horizon; step++) {
      for (const [target, column] of actuals.entries()) {
        actual[index * size + step * actuals.length + target] = column[origin + 1 + step]!;
      }
    }
  }
  return { targets: forecaster.targets, horizon, origins, actual, forecast };
}

/**
 * Forecasts of several steps for intervals to be calibrated on: from some rows alone, since the errors of neighbours are almost the
 * same; in a short range as many steps as leave four times as many rows to start from.
 * @throws as {@link rollForecasts}
 */
export async function rollAhead(
  forecaster: Forecaster,
  table: Table,
  { rows, horizon }: { readonly rows: RowRange; readonly horizon: number },
): Promise<RollingForecasts> {
  const room = rows[1] - rows[0] - forecaster.window;
  const steps = Math.max(1, Math.min(horizon, Math.floor(room / 5)));
  const stride = Math.max(1, Math.floor((room - steps) / ORIGINS_AHEAD));
  return await rollForecasts(forecaster, table, { rows, horizon: steps, stride });
}

function originsWith(
  actuals: readonly Float64Array[],
  [start, end]: RowRange,
  history: number,
  horizon: number,
  stride: number,
): Int32Array {
  const origins: number[] = [];
  for (let origin = start + history - 1; origin + horizon < end; origin += stride) {
    const complete = actuals.every((column) =>
      column.subarray(origin + 1, origin + 1 + horizon).every((value) => !Number.isNaN(value)),
    );
    if (complete) origins.push(origin);
  }
  return Int32Array.from(origins);
}

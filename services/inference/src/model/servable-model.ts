import type { Table } from "@flts/forecasting/table/table";
import type { Caller } from "../compute/batch-queue.ts";

/** A loaded model as serving sees it: rows in raw units in, forecasts in raw units out. */
export interface ServableModel {
  /** Columns a request must bring; what can be computed from them and from the time is not among them. */
  readonly inputColumns: readonly string[];
  /** Columns of a window, in order: measurements, and what was computed from them and from the time. */
  readonly columns: readonly string[];
  /** What is forecast, in order. */
  readonly targets: readonly string[];
  /** Rows of history one forecast needs. */
  readonly window: number;
  /** Steps of one call of the model; more are forecast from its own forecasts. */
  readonly horizon: number;
  /** From one step to the next. */
  readonly stepMs: number;
  /** The time stamps that it knows. */
  readonly trainedOn: { readonly fromMs: number; readonly toMs: number };
  /** Bytes that the model takes, about. */
  readonly sizeBytes: number;
  /** The `steps` steps after the last row of `history`, which has the input columns in order, risen times and NaN for missing cells. */
  forecast(history: Table, steps: number, caller?: Caller): Promise<Forecast>;
  /** Each row after the first `window` of `history`, at most `steps` of them, one step ahead of the rows before it. */
  backtest(history: Table, steps: number, caller?: Caller): Promise<Forecast>;
  /** As `forecast`, after each of many histories in one go. */
  forecastEach(histories: readonly Table[], steps: number, caller?: Caller): Promise<Forecast[]>;
  /**
   * The horizon after each of many windows that somebody else made.
   * @param windows `[n, window, columns]`, row-major, raw units; NaN is a missing cell
   * @param endTimesMs `[n]`: the time stamp of each window's last row; NaN where nobody said it, which only some families need
   */
  forecastWindows(windows: Float64Array, endTimesMs: Float64Array, caller?: Caller): Promise<WindowForecasts>;
  close(): Promise<void>;
}

/** Values and their 90 % intervals: `[steps, targets]`, row-major, raw units. */
export interface Forecast extends Bands {
  readonly timesMs: Float64Array;
}

/** The same of many windows: `[n, horizon, targets]`. */
export type WindowForecasts = Bands;

interface Bands {
  readonly values: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

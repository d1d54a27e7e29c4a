import type { Table } from "@flts/forecasting/table/table";
import type { Caller } from "../compute/batch-queue.ts";

/** A loaded model as serving sees it: rows in raw units in, forecasts in raw units out. */
export interface ServableModel {
  /** Columns a request must bring; what can be computed from them and from the time is not among them. */
  readonly inputColumns: readonly string[];
  /** What is forecast, in order. */
  readonly targets: readonly string[];
  /** Rows of history one forecast needs. */
  readonly window: number;
  /** Steps of one call of the model; more are forecast from its own forecasts. */
  readonly horizon: number;
  /** The time stamps that it knows. */
  readonly trainedOn: { readonly fromMs: number; readonly toMs: number };
  /** Bytes that the model takes, about. */
  readonly sizeBytes: number;
  /** The `steps` steps after the last row of `history`, which has the input columns in order, risen times and NaN for missing cells. */
  forecast(history: Table, steps: number, caller?: Caller): Promise<Forecast>;
  /** Each row after the first `window` of `history`, at most `steps` of them, one step ahead of the rows before it. */
  backtest(history: Table, steps: number, caller?: Caller): Promise<Forecast>;
  close(): Promise<void>;
}

/** Values and their 90 % intervals: `[steps, targets]`, row-major, raw units. */
export interface Forecast {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

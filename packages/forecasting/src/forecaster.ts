/**
 * A trained model of any family as everything else sees it: raw units in, raw units out. Evaluation, the gate, serving and
 * the command line know no more than this.
 */
export interface Forecaster {
  /** The columns of a window in order. Time features and lags among them are computed by the caller from time stamps and history. */
  readonly columns: readonly string[];
  /** What is forecast, each one of `columns`. */
  readonly targets: readonly string[];
  /** Rows of history one forecast needs. */
  readonly window: number;
  /** Steps that one call forecasts. */
  readonly horizon: number;
  /** The sampling step the model was trained on. */
  readonly stepMs: number;

  /**
   * Forecasts the `horizon` steps after each window.
   * @param windows `[n, window, columns.length]`, row-major, raw units; NaN is a missing cell, imputed by the model
   * @param endTimesMs `[n]`: the time stamp of each window's last row
   * @returns `[n, horizon, targets.length]`, row-major, raw units, always finite
   */
  predict(windows: Float64Array, endTimesMs: Float64Array): Promise<Float64Array>;

  /** Gives back what the model holds (sessions, threads). Calling it twice is allowed. */
  close(): Promise<void>;
}

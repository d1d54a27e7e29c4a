/** Forecasts beside what came, from many origins. */
export interface RollingForecasts {
  readonly targets: readonly string[];
  /** Steps ahead of each origin. */
  readonly horizon: number;
  /** Row of each origin in its table: the last row that the forecast knows. `[n]` */
  readonly origins: Int32Array;
  /** `[n, horizon, targets]`, row-major, raw units. */
  readonly actual: Float64Array;
  /** `[n, horizon, targets]`, row-major, raw units. */
  readonly forecast: Float64Array;
}

/** One target (by its index) at one step ahead (1 = the next row): `[n]` each. */
export function seriesOf(
  { actual, forecast, targets, horizon, origins }: RollingForecasts,
  target: number,
  step = 1,
): { actual: Float64Array; forecast: Float64Array } {
  const offset = (step - 1) * targets.length + target;
  const pick = (values: Float64Array) =>
    Float64Array.from(origins, (_, index) => values[index * horizon * targets.length + offset]!);
  return { actual: pick(actual), forecast: pick(forecast) };
}

/** Those whose last step lies before row `end`. */
export function forecastsBefore(forecasts: RollingForecasts, end: number): RollingForecasts {
  const { origins, actual, forecast, horizon, targets } = forecasts;
  const beyond = origins.findIndex((origin) => origin + horizon >= end);
  const count = beyond < 0 ? origins.length : beyond;
  const size = count * horizon * targets.length;
  return {
    ...forecasts,
    origins: origins.subarray(0, count),
    actual: actual.subarray(0, size),
    forecast: forecast.subarray(0, size),
  };
}

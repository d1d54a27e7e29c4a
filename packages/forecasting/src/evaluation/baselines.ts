import { momentsOf, solveRidge } from "../linear/least-squares.ts";
import { isNonNegative } from "../non-negative.ts";
import type { RowRange } from "./split.ts";

/** A forecast rule so simple that every model has to beat it. It may look at the whole past of the series. */
export interface Baseline {
  readonly name: string;
  /**
   * Forecasts the `horizon` rows after each origin (the last known row), for origins `first` … `last` included.
   * @param series one target, raw units; a gap is filled with the value before it
   * @returns `[origins, horizon]`, row-major
   */
  forecast(series: Float64Array, first: number, last: number, horizon: number): Float64Array;
}

const DAY_MS = 86_400_000;
/** Ten lags of a series are never collinear; this only keeps a constant series solvable. */
const NO_PENALTY = 1e-9;

/** The value of the last row, for all steps. */
export const persistence: Baseline = {
  name: "persistence",
  forecast: (series, first, last, horizon) => {
    const known = carryForward(series);
    return forecastEach(first, last, horizon, (origin, path) => path.fill(known[origin]!));
  },
};

/** The value one period earlier, in rows; persistence where the series does not reach back that far. */
export function seasonalNaive(period: number): Baseline {
  return {
    name: "seasonal-naive",
    forecast: (series, first, last, horizon) => {
      const known = carryForward(series);
      return forecastEach(first, last, horizon, (origin, path) => {
        for (let step = 1; step <= horizon; step++) {
          const row = origin + step - period * Math.ceil(step / period);
          path[step - 1] = known[row < 0 ? origin : row]!;
        }
      });
    },
  };
}

/** An exponentially weighted mean of the past: level ← level + alpha·(value − level), the same for all steps. */
export function ewma(alpha: number): Baseline {
  return {
    name: "ewma",
    forecast: (series, first, last, horizon) => {
      const known = carryForward(series);
      let level = known[0]!;
      let row = 0;
      return forecastEach(first, last, horizon, (origin, path) => {
        for (; row < origin; row++) level += alpha * (known[row + 1]! - level);
        path.fill(level);
      });
    },
  };
}

/** The EWMA whose alpha (0.1, 0.2 … 1) has the smallest squared one-step error on the fit rows. */
export function fitEwma(series: Float64Array, [start, end]: RowRange): Baseline {
  const rows = carryForward(series).subarray(start, end);
  const candidates = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((tenths) => ewma(tenths / 10));
  const losses = candidates.map((candidate) => {
    const forecast = candidate.forecast(rows, 0, rows.length - 2, 1);
    return forecast.reduce((sum, value, origin) => sum + (value - rows[origin + 1]!) ** 2, 0);
  });
  return candidates[losses.indexOf(Math.min(...losses))]!;
}

/**
 * An autoregression of log1p(series) on its last `order` values, fitted by least squares on the fit rows and iterated for
 * further steps. Answers are expm1 of the forecast logarithm: a median, not a mean. A series with negative values is taken as
 * it is.
 * @throws TABLE_TOO_SHORT for fewer than two fit rows
 */
export function fitLogAr(series: Float64Array, [start, end]: RowRange, order = 10): Baseline {
  const logarithmic = isNonNegative(series);
  const encode = (value: number) => (logarithmic ? Math.log1p(Math.max(value, 0)) : value);
  const fitted = carryForward(series).subarray(start, end).map(encode);
  const lags = Math.min(order, fitted.length - 1);
  const rows = fitted.length - lags;
  const features = new Float64Array(Math.max(rows * lags, 0));
  for (let row = 0; row < rows; row++) features.set(fitted.subarray(row, row + lags), row * lags);
  const { weights, intercept } = solveRidge(momentsOf(features, fitted.subarray(lags), lags, 1), NO_PENALTY);
  const next = (recent: Float64Array) =>
    recent.reduce((sum, value, lag) => sum + value * weights[lag]!, intercept[0]!);
  return {
    name: "log-ar",
    forecast: (values, first, last, horizon) => {
      const known = carryForward(values);
      return forecastEach(first, last, horizon, (origin, path) => {
        const recent = Float64Array.from({ length: lags }, (_, lag) =>
          encode(known[Math.max(0, origin - lags + 1 + lag)]!),
        );
        for (let step = 0; step < horizon; step++) {
          const answer = next(recent);
          recent.copyWithin(0, 1);
          recent[lags - 1] = answer;
          path[step] = logarithmic ? Math.expm1(answer) : answer;
        }
      });
    },
  };
}

/**
 * The baselines that every evaluation shows, fitted on the given rows: persistence, EWMA, seasonal-naive (the same time
 * yesterday, where a day is a whole number of steps) and log-AR.
 * @throws TABLE_TOO_SHORT for fewer than two fit rows
 */
export function fitBaselines(series: Float64Array, rows: RowRange, stepMs: number): readonly Baseline[] {
  const day = DAY_MS / stepMs;
  return [
    persistence,
    fitEwma(series, rows),
    ...(Number.isSafeInteger(day) ? [seasonalNaive(day)] : []),
    fitLogAr(series, rows),
  ];
}

/** Gaps filled with the value before them, those at the start with the first value; 0 where there is none at all. */
function carryForward(series: Float64Array): Float64Array {
  if (!series.some(Number.isNaN)) return series;
  let last = series.find((value) => !Number.isNaN(value)) ?? 0;
  return series.map((value) => {
    if (!Number.isNaN(value)) last = value;
    return last;
  });
}

/** Every origin's path, one after the other; `write` fills one of `horizon` values. */
function forecastEach(
  first: number,
  last: number,
  horizon: number,
  write: (origin: number, path: Float64Array) => void,
): Float64Array {
  const forecasts = new Float64Array(Math.max(0, last - first + 1) * horizon);
  for (let origin = first; origin <= last; origin++) {
    const at = (origin - first) * horizon;
    write(origin, forecasts.subarray(at, at + horizon));
  }
  return forecasts;
}

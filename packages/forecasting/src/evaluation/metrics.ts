import { FltsError } from "@flts/common/contracts/errors";
import { meanOf, sumOf } from "@flts/common/scaler/sum";

/** Errors of a forecast. Several targets are one long list for mse, rmse, mae, mape, smape and score; r2 and nrmse are means over targets. */
export interface Metrics {
  readonly mse: number;
  readonly rmse: number;
  readonly mae: number;
  /** Share of the variance explained; null for a single row, where it is undefined. */
  readonly r2: number | null;
  /** Mean of |error| / |actual|; useless where an actual value is 0. */
  readonly mape: number;
  /** Mean of 2·|error| / (|actual| + |forecast|), 0/0 = 0. */
  readonly smape: number;
  /** rmse / mean of the actual values; targets of mean 0 are left out, null when none remains. */
  readonly nrmse: number | null;
  /** 0.5 rmse + 0.3 mae + 0.2 mse, by which the reference ranks models; the lowest wins. */
  readonly score: number;
}

/** scikit-learn's guard against division by zero in `mean_absolute_percentage_error`. */
const SMALLEST_ACTUAL = 2 ** -52;

/**
 * The errors of `forecast` against `actual`, both `[n, targets]` row-major, summed with compensation.
 * @throws TABLE_INVALID for nothing, unequal lengths, NaN or infinity
 */
export function measure(actual: Float64Array, forecast: Float64Array, targets = 1): Metrics {
  checkComparable(actual, forecast, targets);
  const errors = actual.map((value, index) => forecast[index]! - value);
  const mse = meanOf(errors.map((error) => error * error));
  const mae = meanOf(errors.map(Math.abs));
  const rmse = Math.sqrt(mse);
  const columns = Array.from({ length: targets }, (_, target) =>
    describeTarget(actual, errors, target, targets),
  );
  const ratios = columns.filter((column) => column.mean !== 0).map((column) => column.rmse / column.mean);
  return {
    mse,
    rmse,
    mae,
    r2: actual.length / targets < 2 ? null : average(columns.map((column) => column.r2)),
    mape: meanOf(
      errors.map((error, index) => Math.abs(error) / Math.max(Math.abs(actual[index]!), SMALLEST_ACTUAL)),
    ),
    smape: meanOf(errors.map((error, index) => symmetricShare(error, actual[index]!, forecast[index]!))),
    nrmse: ratios.length === 0 ? null : average(ratios),
    score: 0.5 * rmse + 0.3 * mae + 0.2 * mse,
  };
}

/** The error of a `q`-quantile forecast (R. Koenker, G. Bassett, 1978): the mean of max(q·e, (q − 1)·e), e = actual − forecast. */
export function pinball(actual: Float64Array, forecast: Float64Array, q: number): number {
  checkComparable(actual, forecast, 1);
  const losses = actual.map((value, index) => {
    const error = value - forecast[index]!;
    return Math.max(q * error, (q - 1) * error);
  });
  return meanOf(losses);
}

/** The share of actual values inside their interval, borders included. */
export function coverage(actual: Float64Array, lower: Float64Array, upper: Float64Array): number {
  checkComparable(actual, lower, 1);
  checkComparable(actual, upper, 1);
  let inside = 0;
  for (let index = 0; index < actual.length; index++) {
    if (actual[index]! >= lower[index]! && actual[index]! <= upper[index]!) inside++;
  }
  return inside / actual.length;
}

/** The mean width of intervals. */
export function meanWidth(lower: Float64Array, upper: Float64Array): number {
  checkComparable(lower, upper, 1);
  return meanOf(upper.map((value, index) => value - lower[index]!));
}

/**
 * The mean interval score (T. Gneiting, A. Raftery, "Strictly proper scoring rules, prediction, and estimation", 2007, §6.2): the
 * width, and 2 / (1 − level) times as far as the actual value lies outside. Narrow intervals that keep their promise score least.
 */
export function intervalScore(
  actual: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
  level: number,
): number {
  checkComparable(actual, lower, 1);
  checkComparable(actual, upper, 1);
  const penalty = 2 / (1 - level);
  return meanOf(
    actual.map((value, index) => {
      const [low, high] = [lower[index]!, upper[index]!];
      return high - low + penalty * Math.max(low - value, value - high, 0);
    }),
  );
}

/** The squared errors of each row, averaged over its targets: `[n]` of `[n, targets]`, for paired comparisons. */
export function rowLosses(actual: Float64Array, forecast: Float64Array, targets = 1): Float64Array {
  checkComparable(actual, forecast, targets);
  const losses = new Float64Array(actual.length / targets);
  for (let index = 0; index < actual.length; index++) {
    losses[Math.floor(index / targets)]! += (forecast[index]! - actual[index]!) ** 2 / targets;
  }
  return losses;
}

function describeTarget(actual: Float64Array, errors: Float64Array, target: number, targets: number) {
  const pick = (values: Float64Array) => values.filter((_, index) => index % targets === target);
  const values = pick(actual);
  const mean = meanOf(values);
  const residual = sumOf(pick(errors).map((error) => error * error)).sum;
  const total = sumOf(values.map((value) => (value - mean) ** 2)).sum;
  const r2 = total === 0 ? Number(residual === 0) : 1 - residual / total;
  return { mean, rmse: Math.sqrt(residual / values.length), r2 };
}

function symmetricShare(error: number, actual: number, forecast: number): number {
  const size = Math.abs(actual) + Math.abs(forecast);
  return size === 0 ? 0 : (2 * Math.abs(error)) / size;
}

function checkComparable(actual: Float64Array, forecast: Float64Array, targets: number): void {
  if (actual.length === 0) throw new FltsError("TABLE_INVALID", "there is nothing to measure: no rows");
  if (actual.length !== forecast.length || actual.length % targets !== 0) {
    throw new FltsError(
      "TABLE_INVALID",
      `${actual.length} actual values cannot be compared with ${forecast.length} forecasts of ${targets} targets`,
    );
  }
  const broken = actual.findIndex(
    (value, index) => !Number.isFinite(value) || !Number.isFinite(forecast[index]!),
  );
  if (broken >= 0) {
    throw new FltsError(
      "TABLE_INVALID",
      `value ${broken} cannot be measured: actual ${actual[broken]}, forecast ${forecast[broken]}`,
    );
  }
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

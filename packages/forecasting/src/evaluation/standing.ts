import { meanOf } from "@flts/common/scaler/sum";
import { compareLosses } from "./bootstrap.ts";
import { coverage, meanWidth, measure } from "./metrics.ts";

/** Someone's forecasts of rows that all are measured on, `[n, targets]` row-major, raw units; with intervals or without. */
export interface Contestant {
  readonly name: string;
  readonly forecast: Float64Array;
  readonly bands?: { readonly lower: Float64Array; readonly upper: Float64Array };
}

/** How good forecasts were: of one target in its units or, as means over the targets, of all. */
export interface Errors {
  /** rmse / mean of the actual values; null where that mean is 0. */
  readonly nrmse: number | null;
  readonly rmse: number;
  readonly mae: number;
  readonly r2: number | null;
  /** The share of actual values inside the interval, and its mean width / mean of the actual values; null without intervals. */
  readonly coverage: number | null;
  readonly width: number | null;
}

export interface Standing extends Errors {
  readonly name: string;
  readonly perTarget: Readonly<Record<string, Errors>>;
}

/** The difference of two contestants' nrmse (negative: the first is better) with its 90 % interval. */
export interface PairedDifference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Measures one contestant.
 * @param actual `[n, targets]`, row-major, raw units
 * @throws TABLE_INVALID for nothing, unequal lengths, NaN or infinity
 */
export function standingOf(
  actual: Float64Array,
  { name, forecast, bands }: Contestant,
  targets: readonly string[],
): Standing {
  const { rmse, mae, r2, nrmse } = measure(actual, forecast, targets.length);
  const each = targets.map((_, index): Errors => {
    const column = (values: Float64Array) => columnOf(values, index, targets.length);
    const known = column(actual);
    const errors = measure(known, column(forecast));
    const mean = meanOf(known);
    const [lower, upper] = bands === undefined ? [] : [column(bands.lower), column(bands.upper)];
    return {
      nrmse: errors.nrmse,
      rmse: errors.rmse,
      mae: errors.mae,
      r2: errors.r2,
      coverage: lower === undefined || upper === undefined ? null : coverage(known, lower, upper),
      width:
        lower === undefined || upper === undefined || mean === 0
          ? null
          : meanWidth(lower, upper) / Math.abs(mean),
    };
  });
  return {
    name,
    nrmse,
    rmse,
    mae,
    r2,
    coverage: meanOfKnown(each.map((errors) => errors.coverage)),
    width: meanOfKnown(each.map((errors) => errors.width)),
    perTarget: Object.fromEntries(targets.map((target, index) => [target, each[index]!])),
  };
}

/**
 * Compares two contestants' nrmse by the moving-block bootstrap. With rmse_a − rmse_b = (mse_a − mse_b) / (rmse_a + rmse_b) the
 * difference is a mean over rows, whose weights are held fixed while the rows are drawn again. Targets of mean 0 are left out.
 * @param actual `[n, targets]`, row-major, as are the forecasts
 */
export function compareNrmse(
  actual: Float64Array,
  a: Float64Array,
  b: Float64Array,
  targets: number,
  seed: number,
): PairedDifference {
  const weights = Array.from({ length: targets }, (_, index) => {
    const column = (values: Float64Array) => columnOf(values, index, targets);
    const known = column(actual);
    const both = measure(known, column(a)).rmse + measure(known, column(b)).rmse;
    const mean = Math.abs(meanOf(known));
    return mean === 0 || both === 0 ? 0 : 1 / (both * mean);
  });
  const counted = Math.max(1, weights.filter((weight) => weight > 0).length);
  const losses = (forecast: Float64Array) => {
    const rows = new Float64Array(actual.length / targets);
    for (const [index, value] of actual.entries())
      rows[Math.floor(index / targets)]! +=
        (weights[index % targets]! * (forecast[index]! - value) ** 2) / counted;
    return rows;
  };
  const { difference, low, high } = compareLosses(losses(a), losses(b), { seed });
  return { difference, low, high };
}

const columnOf = (values: Float64Array, index: number, targets: number) =>
  values.filter((_, position) => position % targets === index);

function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

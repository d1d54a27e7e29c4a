import { FltsError } from "../contracts/errors.ts";
import { quantileOfSorted } from "./quantile.ts";
import { type ColumnScaling, type ScalerKind, type Scaling, scalerKinds } from "./scaling.ts";
import { pairwiseSum } from "./sum.ts";

/** A range below ten roundings of 1 counts as zero, and the divisor is then 1 (scikit-learn, `_handle_zeros_in_scale`). */
const SMALLEST_RANGE = 10 * Number.EPSILON;

type Steps = Partial<Omit<ColumnScaling, "column">>;

/** What each kind makes of the values present, of which there is at least one. */
const fits: Record<ScalerKind, (values: Float64Array) => Steps> = {
  MinMaxScaler: fitMinMax,
  StandardScaler: fitStandard,
  RobustScaler: fitRobust,
  MaxAbsScaler: fitMaxAbs,
  none: () => ({}),
};

/** Fits each column by itself, skipping NaNs; a column without values is left as it is. */
export function fitScaling(
  kind: ScalerKind,
  columns: readonly string[],
  values: readonly Float64Array[],
): Scaling {
  return { kind, columns: columns.map((column, index) => fitColumn(kind, column, values[index]!)) };
}

/** The scaling of one column, so that a table too large for memory can be fitted column by column. */
export function fitColumn(kind: ScalerKind, column: string, values: Float64Array): ColumnScaling {
  const identity = { column, center: 0, divisor: 1, scale: 1, shift: 0 };
  const present = values.some(Number.isNaN) ? values.filter((value) => !Number.isNaN(value)) : values;
  return present.length === 0 ? identity : { ...identity, ...fits[kind](present) };
}

/** The kind that a setting such as `SCALER` names; an empty text means none. @throws SETTINGS_INVALID */
export function scalerKind(text: string): ScalerKind {
  const name = text.trim();
  const kind = name === "" ? "none" : scalerKinds.find((known) => known === name);
  if (kind === undefined) {
    throw new FltsError(
      "SETTINGS_INVALID",
      `unknown scaler '${name}'; choose ${scalerKinds.join(", ")} or leave it empty`,
    );
  }
  return kind;
}

function fitMinMax(values: Float64Array): Steps {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const scale = 1 / divisorOf(max - min);
  return { scale, shift: 0 - min * scale };
}

/** Population variance in two passes with Chan's correction, as scikit-learn's `_incremental_mean_and_var`, summed as NumPy does. */
function fitStandard(values: Float64Array): Steps {
  const count = values.length;
  const mean = pairwiseSum(values) / count;
  const deviations = values.map((value) => value - mean);
  const drift = pairwiseSum(deviations);
  const variance = (pairwiseSum(deviations.map((value) => value * value)) - (drift * drift) / count) / count;
  const noise = count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;
  return { center: mean, divisor: variance <= noise ? 1 : Math.sqrt(variance) };
}

function fitRobust(values: Float64Array): Steps {
  const sorted = values.toSorted();
  const range = quantileOfSorted(sorted, 0.75) - quantileOfSorted(sorted, 0.25);
  return { center: medianOfSorted(sorted), divisor: divisorOf(range) };
}

function fitMaxAbs(values: Float64Array): Steps {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  return { divisor: divisorOf(largest) };
}

function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const divisorOf = (range: number) => (range < SMALLEST_RANGE ? 1 : range);

import { FltsError } from "@flts/common/contracts/errors";
import { quantileOfSorted, sortedPresent } from "@flts/common/scaler/quantile";
import { meanOf } from "@flts/common/scaler/sum";
import type { RowRange } from "../evaluation/split.ts";
import { isNonNegative } from "../non-negative.ts";
import { timeFeatureColumns } from "../preprocess/time-features.ts";
import { columnOf, type Table, toMatrix } from "../table/table.ts";
import { countWindows } from "../windows.ts";
import { type LinearMap, momentsOf, solveRidge } from "./least-squares.ts";
import {
  type LinearInput,
  type LinearModel,
  type LinearOutput,
  modelPart,
  transformWindow,
} from "./model.ts";

export interface LinearOptions {
  readonly targets: readonly string[];
  readonly window: number;
  /** Weights, scales and corrections come from these rows, the penalty from the stop rows. */
  readonly fit: RowRange;
  readonly stop: RowRange;
}

/** Penalties on standardised weights, of which the stop rows choose one per target. */
const LAMBDAS = [1e-4, 1e-3, 1e-2, 0.1, 0.3];
/** Rows of history of a column that is no target: more of them fit noise. */
const NEIGHBOUR_ROWS = 3;
/** A column whose largest value is this many medians is one of heavy tails, and enters by its logarithm. */
const HEAVY_TAIL = 5;

/**
 * Fits the LINEAR family: ridge auto-regression on log1p targets, in closed form. Features are the targets' logarithms in the
 * whole window, the last three rows of every other measurement (heavy-tailed ones by logarithm), and the minute of the day.
 * Week and year are left out: weeks of data teach no weekly rhythm, and the day of the year is a trend that runs away.
 * @param table raw units
 * @throws COLUMN_MISSING, TABLE_TOO_SHORT when the fit rows hold no complete window
 */
export function fitLinear(table: Table, { targets, window, fit, stop }: LinearOptions): LinearModel {
  const { columns } = table;
  const inputs = columns.map((column) =>
    describeInput(columnOf(table, column).subarray(...fit), column, targets),
  );
  const targetColumns = targets.map((target) => columns.indexOf(columnName(table, target)));
  const chosen = chooseFeatures(columns, targets, window);
  const fitted = sampleWindows(table, inputs, targetColumns, chosen, window, fit);
  if (fitted.count === 0) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `rows ${fit[0]} … ${fit[1] - 1} hold no window of ${window} rows and a value after it`,
    );
  }
  const stopped = sampleWindows(table, inputs, targetColumns, chosen, window, stop);
  const moments = momentsOf(fitted.z, fitted.answers, chosen.length, targets.length);
  const maps = LAMBDAS.map((lambda) => ({ lambda, map: solveRidge(moments, lambda) }));
  const best = targetColumns.map((column, target) => {
    const log = inputs[column]!.log;
    const candidates = maps.map(({ lambda, map }) => {
      const output = correct(fitted, map, target, targets.length, log, lambda);
      return { map, output, loss: squaredError(stopped, map, target, targets.length, output) };
    });
    return candidates.reduce((least, candidate) => (candidate.loss < least.loss ? candidate : least));
  });
  return {
    columns,
    targets,
    window,
    inputs,
    weights: spreadWeights(
      chosen,
      best.map(({ map }) => map),
      window,
      columns.length,
    ),
    outputs: best.map(({ output }) => output),
  };
}

/** Windows of one range as least squares see them. */
interface Sample {
  readonly count: number;
  /** Features, `[count, features]`. */
  readonly z: Float64Array;
  /** Next values as the model forecasts them (logarithms where it does), `[count, targets]`. */
  readonly answers: Float64Array;
  /** Next and last values in raw units, `[count, targets]`. */
  readonly actual: Float64Array;
  readonly last: Float64Array;
}

function sampleWindows(
  table: Table,
  inputs: readonly LinearInput[],
  targetColumns: readonly number[],
  chosen: readonly number[],
  window: number,
  range: RowRange,
): Sample {
  const width = inputs.length;
  const raw = toMatrix(table);
  const transformed = new Float64Array(raw.length);
  transformWindow(inputs, raw, transformed);
  const outputs = targetColumns.length;
  const most = countWindows(range, window, 1);
  const z = new Float64Array(most * chosen.length);
  const [answers, actual, last] = [0, 1, 2].map(() => new Float64Array(most * outputs));
  let count = 0;
  for (let row = range[0]; row < range[0] + most; row++) {
    const next = (row + window) * width;
    if (targetColumns.some((column) => Number.isNaN(raw[next + column]!))) continue;
    for (const [feature, cell] of chosen.entries())
      z[count * chosen.length + feature] = transformed[row * width + cell]!;
    for (const [target, column] of targetColumns.entries()) {
      const at = count * outputs + target;
      const before = raw[next - width + column]!;
      answers![at] = transformed[next + column]!;
      actual![at] = raw[next + column]!;
      last![at] = Number.isNaN(before) ? inputs[column]!.fill : before;
    }
    count++;
  }
  const cut = (values: Float64Array) => values.subarray(0, count * outputs);
  return {
    count,
    z: z.subarray(0, count * chosen.length),
    answers: cut(answers!),
    actual: cut(actual!),
    last: cut(last!),
  };
}

function describeInput(values: Float64Array, column: string, targets: readonly string[]): LinearInput {
  const sorted = sortedPresent(values);
  const fill = sorted.length === 0 ? 0 : meanOf(sorted);
  const plain = { fill, log: false, unit: 1 };
  const isFeature = timeFeatureColumns.some((name) => name === column);
  if (sorted.length === 0 || isFeature || !isNonNegative(sorted)) return plain;
  if (targets.includes(column)) return { fill, log: true, unit: 1 };
  const heavy = sorted.at(-1)! > HEAVY_TAIL * quantileOfSorted(sorted, 0.5) && fill > 0;
  // A mean of about 1e7 makes log1p a logarithm; powers of ten keep the unit readable.
  return heavy ? { fill, log: true, unit: Math.max(1, 10 ** Math.round(7 - Math.log10(fill))) } : plain;
}

/** The cells of a window (row-major indexes) that are features. */
function chooseFeatures(columns: readonly string[], targets: readonly string[], window: number): number[] {
  const rowsOf = (column: string) => {
    if (targets.includes(column)) return window;
    if (column.startsWith("min_of_day_")) return 1;
    return timeFeatureColumns.some((name) => name === column) ? 0 : Math.min(NEIGHBOUR_ROWS, window);
  };
  return columns.flatMap((column, index) =>
    Array.from({ length: rowsOf(column) }, (_, back) => (window - 1 - back) * columns.length + index),
  );
}

/**
 * The shares a, b ≥ 0 of last value and model that have the least squared error on the fit rows. They correct the bias of
 * expm1 of a mean logarithm, and lean on the last value where logarithms forecast badly (few, huge values).
 */
function correct(
  sample: Sample,
  map: LinearMap,
  target: number,
  targets: number,
  log: boolean,
  lambda: number,
): LinearOutput {
  let ceiling = Number.NEGATIVE_INFINITY;
  for (let index = target; index < sample.answers.length; index += targets) {
    ceiling = Math.max(ceiling, sample.answers[index]!);
  }
  const base = { intercept: map.intercept[target]!, ceiling, log, lambda };
  const sums = { ff: 0, fl: 0, ll: 0, fy: 0, ly: 0 };
  for (let index = 0; index < sample.count; index++) {
    const f = partOf(sample, map, index, target, targets, base);
    const l = sample.last[index * targets + target]!;
    const y = sample.actual[index * targets + target]!;
    sums.ff += f * f;
    sums.fl += f * l;
    sums.ll += l * l;
    sums.fy += f * y;
    sums.ly += l * y;
  }
  const { ff, fl, ll, fy, ly } = sums;
  const determinant = ff * ll - fl * fl;
  const last = (ff * ly - fl * fy) / determinant;
  const model = (ll * fy - fl * ly) / determinant;
  if (determinant > 1e-9 * ff * ll && last >= 0 && model >= 0) return { ...base, last, model };
  return { ...base, last: 0, model: ff > 0 && fy > 0 ? fy / ff : 1 };
}

function squaredError(
  sample: Sample,
  map: LinearMap,
  target: number,
  targets: number,
  output: LinearOutput,
): number {
  let sum = 0;
  for (let index = 0; index < sample.count; index++) {
    const f = partOf(sample, map, index, target, targets, output);
    const forecast = output.last * sample.last[index * targets + target]! + output.model * f;
    sum += (forecast - sample.actual[index * targets + target]!) ** 2;
  }
  return sum;
}

function partOf(
  { z, count }: Sample,
  { weights }: LinearMap,
  index: number,
  target: number,
  targets: number,
  output: Pick<LinearOutput, "intercept" | "ceiling" | "log">,
): number {
  const width = z.length / count;
  return modelPart(z.subarray(index * width, (index + 1) * width), weights, target, targets, output);
}

/** Weights of the chosen cells at their places in the window, 0 elsewhere: `[window][columns][targets]`. */
function spreadWeights(
  chosen: readonly number[],
  maps: readonly LinearMap[],
  window: number,
  width: number,
): number[][][] {
  const weights = Array.from({ length: window }, () =>
    Array.from({ length: width }, () => maps.map(() => 0)),
  );
  for (const [feature, cell] of chosen.entries()) {
    for (const [target, map] of maps.entries()) {
      weights[Math.floor(cell / width)]![cell % width]![target] =
        map.weights[feature * maps.length + target]!;
    }
  }
  return weights;
}

/** `target` itself, once it is known to be a column. */
function columnName(table: Table, target: string): string {
  columnOf(table, target);
  return target;
}

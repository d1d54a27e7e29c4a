import { FltsError } from "@flts/common/contracts/errors";
import { quantileOfSorted, sortedPresent } from "@flts/common/scaler/quantile";
import { meanOf } from "@flts/common/scaler/sum";
import type { RowRange } from "../evaluation/split.ts";
import { isNonNegative } from "../non-negative.ts";
import { timeFeatureColumns } from "../preprocess/time-features.ts";
import { columnOf, sliceRows, type Table, toMatrix } from "../table/table.ts";
import { type LinearMap, momentsOf, solveRidge } from "./least-squares.ts";
import {
  type LinearInput,
  type LinearModel,
  type LinearOutput,
  type LinearPart,
  type Link,
  rootsOf,
  transformWindows,
} from "./model.ts";
import { fitTweedie } from "./tweedie.ts";

export interface LinearOptions {
  readonly targets: readonly string[];
  readonly window: number;
  /** Everything comes from these rows. */
  readonly rows: RowRange;
}

/**
 * The penalty on standardised weights, in rows: as if so many rows more had said that all weights are 0. Between 10 and 100 the
 * errors are the same (docs/adr/0007-forecast-accuracy.md).
 */
export const PENALTY_ROWS = 30;
/** The share of the last value: it bounds what a model that has gone wrong can do, and calms the forecasts of heavy tails. */
const LAST_SHARE = 0.1;
/** Rows of history of a column that is no target: more of them fit noise. */
const NEIGHBOUR_ROWS = 3;
/** A day seen only once teaches no daily rhythm: outside its rows the time of day would be a trend that runs away. */
const LEAST_DAYS = 2;
const DAY_MS = 86_400_000;
/** A column whose largest value is this many medians is one of heavy tails, and enters by its logarithm. */
const HEAVY_TAIL = 5;

/**
 * Fits the LINEAR family. A target of traffic is the mean of two auto-regressions, whose errors differ: a Tweedie regression of
 * its logarithm on all columns, and ridge on cube roots of the targets alone. A target that can be negative is ridge on what
 * is. Features are the targets' whole window, the last three rows of every other measurement (heavy-tailed ones by logarithm),
 * and the minute of the day where two days were seen. Week and year are left out: weeks of data teach no weekly rhythm,
 * and the day of the year is a trend that runs away.
 * @param table raw units
 * @throws COLUMN_MISSING, TABLE_TOO_SHORT when the rows hold no complete window
 */
export function fitLinear(table: Table, { targets, window, rows }: LinearOptions): LinearModel {
  const part = sliceRows(table, ...rows);
  const { columns } = table;
  const inputs = columns.map((column) => describeInput(columnOf(part, column), column, targets));
  const raw = toMatrix(part);
  const source: Source = {
    columns,
    targets,
    window,
    plain: transformWindows(inputs, raw),
    roots: rootsOf(inputs, raw),
    days: ((part.timesMs.at(-1) ?? 0) - (part.timesMs[0] ?? 0)) / DAY_MS,
  };
  const outputs = targets.map((target) => fitTarget(source, target, columnOf(part, target), rows));
  return { columns, targets, window, inputs, outputs };
}

/** The rows fitted on, as features `[rows, columns]`, row-major. */
interface Source {
  readonly columns: readonly string[];
  readonly targets: readonly string[];
  readonly window: number;
  readonly plain: Float64Array;
  readonly roots: Float64Array;
  /** From the first to the last row. */
  readonly days: number;
}

function fitTarget(source: Source, target: string, values: Float64Array, rows: RowRange): LinearOutput {
  const { window } = source;
  const known = Int32Array.from(values.keys()).filter((row) => row >= window && !Number.isNaN(values[row]!));
  if (known.length === 0) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `rows ${rows[0]} … ${rows[1] - 1} hold no window of ${window} rows and a value of '${target}' after it`,
    );
  }
  const answers = Float64Array.from(known, (row) => values[row]!);
  const cells = featureCells(source);
  const lambda = PENALTY_ROWS / known.length;
  const share = (parts: number) => (1 - LAST_SHARE) / parts;
  const ridge = (link: Link, chosen: readonly number[], encoded: Float64Array, parts: number): LinearPart => {
    const features = gather(link === "cube-root" ? source.roots : source.plain, source, chosen, known);
    const map = solveRidge(momentsOf(features, encoded, chosen.length, 1), lambda);
    return partOf(link, share(parts), map, chosen, maximum(encoded), source);
  };
  if (!isNonNegative(values)) {
    return { last: LAST_SHARE, minimum: null, parts: [ridge("identity", cells.all, answers, 1)] };
  }
  // Without a single burst there is no mean that a logarithm could be taken of.
  const silent = maximum(answers) <= 0;
  const roots = ridge("cube-root", cells.targets, answers.map(Math.cbrt), silent ? 1 : 2);
  if (silent) return { last: LAST_SHARE, minimum: 0, parts: [roots] };
  const features = gather(source.plain, source, cells.all, known);
  const positive = answers.map((answer) => Math.max(answer, 0));
  const map = fitTweedie(features, positive, cells.all.length, lambda);
  const tweedie = partOf("log", share(2), map, cells.all, Math.log(maximum(answers)), source);
  return { last: LAST_SHARE, minimum: 0, parts: [tweedie, roots] };
}

function describeInput(values: Float64Array, column: string, targets: readonly string[]): LinearInput {
  const sorted = sortedPresent(values);
  const fill = sorted.length === 0 ? 0 : meanOf(sorted);
  const isFeature = timeFeatureColumns.some((name) => name === column);
  if (sorted.length === 0 || isFeature || !isNonNegative(sorted)) return { fill, unit: 0 };
  if (targets.includes(column)) return { fill, unit: 1 };
  const heavy = sorted.at(-1)! > HEAVY_TAIL * quantileOfSorted(sorted, 0.5) && fill > 0;
  // A mean of about 1e7 makes log1p a logarithm; powers of ten keep the unit readable.
  return { fill, unit: heavy ? Math.max(1, 10 ** Math.round(7 - Math.log10(fill))) : 0 };
}

/** The cells of a window (row-major indexes) that are features: of everything, and of the targets alone. */
function featureCells({ columns, targets, window, days }: Source): { all: number[]; targets: number[] } {
  const isTarget = (column: string) => targets.includes(column);
  const rowsOf = (column: string) => {
    if (isTarget(column)) return window;
    if (column.startsWith("min_of_day_")) return days < LEAST_DAYS ? 0 : 1;
    return timeFeatureColumns.some((name) => name === column) ? 0 : Math.min(NEIGHBOUR_ROWS, window);
  };
  const cellsOf = (column: string, index: number) =>
    Array.from({ length: rowsOf(column) }, (_, back) => (window - 1 - back) * columns.length + index);
  return {
    all: columns.flatMap(cellsOf),
    targets: columns.flatMap((column, index) => (isTarget(column) ? cellsOf(column, index) : [])),
  };
}

/** The chosen cells of the windows that end before each of `rows`: `[rows, cells]`. */
function gather(
  matrix: Float64Array,
  { columns, window }: Source,
  cells: readonly number[],
  rows: Int32Array,
): Float64Array {
  const features = new Float64Array(rows.length * cells.length);
  for (const [index, row] of rows.entries()) {
    const first = (row - window) * columns.length;
    for (let cell = 0; cell < cells.length; cell++)
      features[index * cells.length + cell] = matrix[first + cells[cell]!]!;
  }
  return features;
}

/** A map on chosen cells as a part, with weight 0 for all other cells of the window. */
function partOf(
  link: Link,
  share: number,
  map: LinearMap,
  cells: readonly number[],
  ceiling: number,
  { window, columns }: Source,
): LinearPart {
  const weights = Array.from({ length: window }, () => columns.map(() => 0));
  for (const [feature, cell] of cells.entries())
    weights[Math.floor(cell / columns.length)]![cell % columns.length] = map.weights[feature]!;
  return { link, share, intercept: map.intercept[0]!, ceiling, weights };
}

const maximum = (values: Float64Array) => values.reduce((most, value) => Math.max(most, value));

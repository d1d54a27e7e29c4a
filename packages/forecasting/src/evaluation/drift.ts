import { quantileOfSorted, sortedPresent } from "@flts/common/scaler/quantile";
import { columnOf, type Table } from "../table/table.ts";

/**
 * What a column's values were distributed like, hour of day by hour of day: bins by its own deciles, and how many values of each
 * hour fell into each. All that drift is measured against, in a few kilobytes however long the table was.
 */
export interface ColumnReference {
  readonly column: string;
  /** Rising; a value's bin is the number of edges below it. */
  readonly edges: Float64Array;
  /** `[24, edges + 1]`, row-major: values by hour of day and bin. */
  readonly counts: Float64Array;
}

export interface ColumnDrift {
  readonly column: string;
  /** Null where there are too few values to say. */
  readonly psi: number | null;
}

const HOURS = 24;
const HOUR_MS = 3_600_000;
const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/** What an empty bin counts as, in shares: its logarithm would be infinite. */
const LEAST_SHARE = 1e-4;
/** Without any drift the index of n values in ten bins is about 9 / n: below a hundred that alone looks like drift. */
const LEAST_VALUES = 100;

/** The reference of each of the named columns. Missing cells do not count. @throws COLUMN_MISSING */
export function referenceOf(table: Table, columns: readonly string[]): ColumnReference[] {
  return columns.map((column) => {
    const values = columnOf(table, column);
    const edges = edgesOf(sortedPresent(values));
    return { column, edges, counts: countByHour(table.timesMs, values, edges) };
  });
}

/**
 * How far the columns of `table` have moved from their reference: the population stability index over values of the same hours. Each
 * hour of day weighs in the reference as much as it does in the table, so that an evening is held against evenings.
 * @throws COLUMN_MISSING
 */
export function driftOf(references: readonly ColumnReference[], table: Table): ColumnDrift[] {
  return references.map(({ column, edges, counts }) => {
    const present = countByHour(table.timesMs, columnOf(table, column), edges);
    const bins = edges.length + 1;
    const expected = new Float64Array(bins);
    const actual = new Float64Array(bins);
    for (let hour = 0; hour < HOURS; hour++) {
      const known = counts.subarray(hour * bins, (hour + 1) * bins);
      const found = present.subarray(hour * bins, (hour + 1) * bins);
      const [inReference, inTable] = [total(known), total(found)];
      if (inReference === 0) continue; // Nothing to hold this hour against.
      for (let bin = 0; bin < bins; bin++) {
        expected[bin]! += (known[bin]! / inReference) * inTable;
        actual[bin]! += found[bin]!;
      }
    }
    return { column, psi: total(actual) < LEAST_VALUES ? null : stabilityIndex(expected, actual) };
  });
}

/**
 * The population stability index Σ (aᵢ − eᵢ) · ln(aᵢ / eᵢ) of two distributions over the same bins, as counts (N. Siddiqi, "Credit Risk
 * Scorecards", 2006, ch. 9; its usual reading: below 0.1 no change, above 0.25 a large one). 0 for equal shares, the same either way round.
 */
export function stabilityIndex(expected: Float64Array, actual: Float64Array): number {
  const [expectedTotal, actualTotal] = [total(expected), total(actual)];
  let index = 0;
  for (let bin = 0; bin < expected.length; bin++) {
    const e = Math.max(expected[bin]! / expectedTotal, LEAST_SHARE);
    const a = Math.max(actual[bin]! / actualTotal, LEAST_SHARE);
    index += (a - e) * Math.log(a / e);
  }
  return index;
}

/** The deciles, each once. A value that is several of them, as 0 often is, gets a bin of its own: else nothing below it would be noticed. */
function edgesOf(sorted: Float64Array): Float64Array {
  if (sorted.length === 0) return new Float64Array();
  const deciles = DECILES.map((q) => quantileOfSorted(sorted, q));
  const edges = deciles.flatMap((edge, index) => {
    if (edge === deciles[index - 1]) return [];
    return edge === deciles[index + 1] ? [justBelow(edge), edge] : [edge];
  });
  return Float64Array.from(new Set(edges)).toSorted();
}

const justBelow = (value: number): number =>
  value - Math.max(Math.abs(value), Number.MIN_VALUE / Number.EPSILON) * Number.EPSILON;

function countByHour(timesMs: Float64Array, values: Float64Array, edges: Float64Array): Float64Array {
  const bins = edges.length + 1;
  const counts = new Float64Array(HOURS * bins);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (Number.isNaN(value)) continue;
    let bin = 0;
    while (bin < edges.length && value > edges[bin]!) bin++;
    counts[hourOf(timesMs[row]!) * bins + bin]!++;
  }
  return counts;
}

const hourOf = (timeMs: number): number => ((Math.floor(timeMs / HOUR_MS) % HOURS) + HOURS) % HOURS;

function total(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

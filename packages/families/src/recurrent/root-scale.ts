import { type ColumnScaling, type Scaling, scalingOf, unscaleValues } from "@flts/common/scaler/scaling";
import type { RowRange } from "@flts/forecasting/evaluation/split";
import { isNonNegative } from "@flts/forecasting/non-negative";
import { columnOf, createTable, type Table } from "@flts/forecasting/table/table";

/** A scaled table some of whose columns are cube roots. */
export interface RootedTable {
  readonly table: Table;
  /** Of each column; that of a rooted one is of its roots, which it takes from the fit rows' least to their largest as 0 to 1. */
  readonly scaling: Scaling;
  /** The columns that are roots. */
  readonly rooted: readonly string[];
}

/**
 * Replaces targets that are never negative by their cube roots: traffic is quiet for hours and bursts to a hundred times its
 * median, and a squared error in its own units is one of bursts alone. Roots, unlike logarithms, do not make much of zeros.
 * @param table scaled by `scaling`
 */
export function rootTargets(
  table: Table,
  scaling: Scaling,
  targets: readonly string[],
  fit: RowRange,
): RootedTable {
  const raw = new Map(
    targets.map((name) => [name, unscaleValues(scalingOf(scaling, name), columnOf(table, name))]),
  );
  const rooted = targets.filter((name) => isNonNegative(raw.get(name)!.subarray(...fit)));
  const entries = scaling.columns.map((entry) => {
    const values = rooted.includes(entry.column) ? raw.get(entry.column) : undefined;
    return values === undefined ? entry : rootScaling(entry.column, values.subarray(...fit));
  });
  const columns = table.values.map((values, index) => {
    const name = table.columns[index]!;
    if (!rooted.includes(name)) return values;
    const { center, divisor } = scalingOf({ ...scaling, columns: entries }, name);
    return raw.get(name)!.map((value) => (rootOf(value) - center) / divisor);
  });
  return {
    table: createTable(table.timesMs, table.columns, columns),
    scaling: { ...scaling, columns: entries },
    rooted,
  };
}

function rootScaling(column: string, fitted: Float64Array): ColumnScaling {
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of fitted) {
    if (Number.isNaN(value)) continue;
    least = Math.min(least, rootOf(value));
    largest = Math.max(largest, rootOf(value));
  }
  const span = largest - least;
  return {
    column,
    center: Number.isFinite(least) ? least : 0,
    divisor: span > 0 ? span : 1,
    scale: 1,
    shift: 0,
  };
}

const rootOf = (value: number) => Math.cbrt(Math.max(value, 0));

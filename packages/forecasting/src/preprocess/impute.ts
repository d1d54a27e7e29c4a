import { meanOf } from "@flts/common/scaler/sum";
import { createTable, rowCount, type Table, takeRows } from "../table/table.ts";
import type { PreprocessSettings } from "./settings.ts";

/** What was missing and what became of it. */
export interface ImputationReport {
  readonly droppedRows: number;
  /** Columns without a single value. */
  readonly droppedColumns: readonly string[];
  /** Filled cells per column, columns without any left out. */
  readonly filledCells: Readonly<Record<string, number>>;
}

/**
 * Step 3 of reference behaviour §4.2: drop sparse rows if asked to, drop columns without values, fill the remaining missing
 * cells with the mean of their column (which is what the reference's one-column KNN imputation comes to) or by interpolation
 * in time.
 */
export function imputeMissing(
  table: Table,
  settings: PreprocessSettings["nans"],
): { table: Table; report: ImputationReport } {
  const dense = settings.dropRows ? dropSparseRows(table, settings.threshold) : table;
  const kept = dense.columns.map((_, index) => !dense.values[index]!.every(Number.isNaN));
  const columns = dense.columns.filter((_, index) => kept[index]);
  const filledCells: Record<string, number> = {};
  const values = dense.values
    .filter((_, index) => kept[index])
    .map((column, index) => {
      const missing = column.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
      if (missing === 0) return column;
      filledCells[columns[index]!] = missing;
      return settings.method === "time"
        ? interpolateInTime(column, dense.timesMs)
        : fillWith(column, meanOf(column));
    });
  return {
    table: createTable(dense.timesMs, columns, values),
    report: {
      droppedRows: rowCount(table) - rowCount(dense),
      droppedColumns: dense.columns.filter((_, index) => !kept[index]),
      filledCells,
    },
  };
}

/** Rows with at least ⌈columns · (1 − threshold)⌉ values. */
function dropSparseRows(table: Table, threshold: number): Table {
  const needed = Math.ceil(table.columns.length * (1 - threshold));
  const kept: number[] = [];
  for (let row = 0; row < rowCount(table); row++) {
    let present = 0;
    for (const column of table.values) if (!Number.isNaN(column[row]!)) present++;
    if (present >= needed) kept.push(row);
  }
  return kept.length === rowCount(table) ? table : takeRows(table, kept);
}

const fillWith = (column: Float64Array, filler: number) =>
  column.map((value) => (Number.isNaN(value) ? filler : value));

/** Linear between the nearest present values before and after; at the ends the nearest one. Times must rise. */
function interpolateInTime(column: Float64Array, timesMs: Float64Array): Float64Array {
  const filled = column.slice();
  let before = -1;
  for (let row = 0; row <= column.length; row++) {
    if (row < column.length && Number.isNaN(column[row]!)) continue;
    for (let gap = before + 1; gap < row; gap++) {
      if (before < 0) filled[gap] = column[row]!;
      else if (row === column.length) filled[gap] = column[before]!;
      else {
        const share = (timesMs[gap]! - timesMs[before]!) / (timesMs[row]! - timesMs[before]!);
        filled[gap] = column[before]! + share * (column[row]! - column[before]!);
      }
    }
    before = row;
  }
  return filled;
}

import type { ColumnSource } from "../table/columns.ts";
import { pickRows, type RowChoice } from "./sample.ts";

export function countMissing(values: Float64Array): number {
  let missing = 0;
  for (const value of values) if (Number.isNaN(value)) missing++;
  return missing;
}

/** The values that are present, moved to the front of their own memory. */
export function dropMissing(values: Float64Array): Float64Array {
  let count = 0;
  for (const value of values) if (!Number.isNaN(value)) values[count++] = value;
  return values.subarray(0, count);
}

/** Puts `filler` into the missing cells of `values`, in place. */
export function fillMissing(values: Float64Array, filler: number): Float64Array {
  for (let row = 0; row < values.length; row++) if (Number.isNaN(values[row])) values[row] = filler;
  return values;
}

/**
 * Fills the missing cells of `values` in place: linear between the nearest present values before and after, at the ends the nearest
 * one. Times must rise, and one value must be present.
 */
export function interpolateInTime(values: Float64Array, timesMs: Float64Array): Float64Array {
  let before = -1;
  for (let row = 0; row <= values.length; row++) {
    if (row < values.length && Number.isNaN(values[row])) continue;
    for (let gap = before + 1; gap < row; gap++) {
      if (before < 0) values[gap] = values[row]!;
      else if (row === values.length) values[gap] = values[before]!;
      else {
        const share = (timesMs[gap]! - timesMs[before]!) / (timesMs[row]! - timesMs[before]!);
        values[gap] = values[before]! + share * (values[row]! - values[before]!);
      }
    }
    before = row;
  }
  return values;
}

/** Of the chosen rows those in which at least ⌈columns · (1 − threshold)⌉ of the named columns have a value. */
export function chooseDenseRows(
  source: ColumnSource,
  columns: readonly string[],
  choice: RowChoice,
  threshold: number,
): RowChoice {
  const needed = Math.ceil(columns.length * (1 - threshold));
  const present = new Uint32Array(choice?.length ?? source.rows);
  for (const name of columns) {
    const values = pickRows(source.column(name), choice);
    for (let row = 0; row < values.length; row++) if (!Number.isNaN(values[row])) present[row]!++;
  }
  const kept = present.reduce((count, cells) => count + (cells >= needed ? 1 : 0), 0);
  if (kept === present.length) return choice;
  const rows = new Int32Array(kept);
  for (let row = 0, index = 0; row < present.length; row++)
    if (present[row]! >= needed) rows[index++] = choice?.[row] ?? row;
  return rows;
}

import { FltsError } from "@flts/common/contracts/errors";
import { appendColumns, rowCount, sliceRows, type Table } from "../table/table.ts";
import { stepOf } from "./grid.ts";

/** The name of a column `n` steps back. */
export const lagColumn = (column: string, n: number): string => `${column}_lag(-${n})`;

/** What a lag's name says; `undefined` for a column that is no lag. */
export function parseLagColumn(name: string): { column: string; n: number } | undefined {
  const match = /^(.+)_lag\(-(\d+)\)$/.exec(name);
  return match === null ? undefined : { column: match[1]!, n: Number(match[2]) };
}

/**
 * Appends, for n = step, 2·step … count·step, every column as it was n sampling steps earlier, found by time. Only the first
 * `count` rows are dropped, as in the reference (§4.2), so that with a step above 1 the first rows that remain have gaps.
 * @throws TABLE_TOO_SHORT when no row would remain
 */
export function addLags(table: Table, count: number, step: number): Table {
  if (count === 0) return table;
  if (rowCount(table) <= count) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `${count} lags need more than ${count} rows, there are ${rowCount(table)}; lower LAGS_N or give more rows`,
    );
  }
  const stepMs = stepOf(table);
  const names: string[] = [];
  const values: Float64Array[] = [];
  for (let n = step; n <= step * count; n += step) {
    const sources = rowsBefore(table.timesMs, n * stepMs);
    for (const [index, column] of table.columns.entries()) {
      const source = table.values[index]!;
      names.push(lagColumn(column, n));
      values.push(Float64Array.from(sources, (row) => (row < 0 ? Number.NaN : source[row]!)));
    }
  }
  return sliceRows(appendColumns(table, names, values), count);
}

/** For each row the row whose time lies exactly `distanceMs` earlier, −1 where there is none. Times must rise. */
function rowsBefore(timesMs: Float64Array, distanceMs: number): Int32Array {
  let candidate = 0;
  return Int32Array.from(timesMs, (timeMs) => {
    while (timesMs[candidate]! < timeMs - distanceMs) candidate++;
    return timesMs[candidate] === timeMs - distanceMs ? candidate : -1;
  });
}

import { columnOf, createTable, rowCount, type Table } from "./table.ts";

/** A table of which one column at a time is in memory. Every array is fresh: whoever asked for it may write to it. */
export interface ColumnSource {
  readonly rows: number;
  readonly columns: readonly string[];
  times(): Float64Array;
  /** @throws COLUMN_MISSING */
  column(name: string): Float64Array;
}

/** Takes a table in whole columns, in their order; the time stamps come last. An array that was put belongs to the sink. */
export interface ColumnSink {
  putColumn(name: string, values: Float64Array): void;
  putTimes(timesMs: Float64Array): void;
}

/** A table in memory, column by column. */
export const columnsOf = (table: Table): ColumnSource => ({
  rows: rowCount(table),
  columns: table.columns,
  times: () => table.timesMs.slice(),
  column: (name) => columnOf(table, name).slice(),
});

/** A sink that makes a table in memory of what it was given. `table` throws TABLE_INVALID for columns of different lengths. */
export function collectColumns(): ColumnSink & { table(): Table } {
  const columns: string[] = [];
  const values: Float64Array[] = [];
  let times: Float64Array = new Float64Array();
  return {
    putColumn(name, column) {
      columns.push(name);
      values.push(column);
    },
    putTimes(timesMs) {
      times = timesMs;
    },
    table: () => createTable(times, columns, values),
  };
}

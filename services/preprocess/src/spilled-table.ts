import { FltsError } from "@flts/common/contracts/errors";
import type { ColumnSink, ColumnSource } from "@flts/forecasting/table/columns";
import type { Table } from "@flts/forecasting/table/table";
import type { Spill } from "./spill.ts";

/** A table on disk: written in blocks of rows or in whole columns, read in either way. Cells are float64 in the machine's byte order. */
export interface SpilledTable extends ColumnSource, ColumnSink {
  /** Adds rows below those there are. */
  putRows(rows: Table): void;
  /** Rows `start` (included) to `end` (excluded). */
  slice(start: number, end: number): Table;
  /** Whether a column has a missing cell. */
  isNullable(column: string): boolean;
}

/** An empty table under a name of its own in the spill. */
export function createSpilledTable(spill: Spill, name: string): SpilledTable {
  const columns = new Set<string>();
  const nullable = new Set<string>();
  const times = `${name}/`;
  const keyOf = (column: string) => `${name}/${column}`;

  function put(key: string, values: Float64Array): void {
    spill.append(key, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  function putColumn(column: string, values: Float64Array): void {
    columns.add(column);
    if (values.some(Number.isNaN)) nullable.add(column);
    put(keyOf(column), values);
    release(values);
  }

  function get(key: string, start: number, end: number): Float64Array {
    const values = new Float64Array(end - start);
    spill.read(key, start * values.BYTES_PER_ELEMENT, new Uint8Array(values.buffer));
    return values;
  }

  const rowCount = () => spill.sizeOf(times) / Float64Array.BYTES_PER_ELEMENT;
  return {
    get rows() {
      return rowCount();
    },
    get columns() {
      return [...columns];
    },
    isNullable: (column) => nullable.has(column),
    putColumn,
    putTimes(timesMs) {
      put(times, timesMs);
      release(timesMs);
    },
    putRows(rows) {
      put(times, rows.timesMs);
      for (const [index, values] of rows.values.entries()) putColumn(rows.columns[index]!, values);
    },
    times: () => get(times, 0, rowCount()),
    column(column) {
      if (!columns.has(column)) throw new FltsError("COLUMN_MISSING", `no column '${column}'`);
      return get(keyOf(column), 0, rowCount());
    },
    slice: (start, end) => ({
      timesMs: get(times, start, end),
      columns: [...columns],
      values: [...columns].map((column) => get(keyOf(column), start, end)),
    }),
  };
}

/** Gives an array's memory back at once: the garbage collector takes its time, and a column may have 80 MB. */
function release({ buffer }: Float64Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

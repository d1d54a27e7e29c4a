/** Columns that grow by doubling while rows arrive. */
export interface ColumnBuffer {
  /** The index to write the next row at; the row counts only after `keepRow`. */
  nextRow(): number;
  setTime(row: number, timeMs: number): void;
  set(column: number, row: number, value: number): void;
  keepRow(): void;
  /** The rows kept since the last `take`, cut to size and then forgotten. */
  take(): { timesMs: Float64Array; values: Float64Array[] };
}

const INITIAL_ROWS = 4096;

export function createColumnBuffer(width: number): ColumnBuffer {
  let capacity = INITIAL_ROWS;
  let rows = 0;
  let times = new Float64Array(capacity);
  let columns = Array.from({ length: width }, () => new Float64Array(capacity));

  function grow(): void {
    capacity *= 2;
    const enlarged = (old: Float64Array) => {
      const next = new Float64Array(capacity);
      next.set(old);
      return next;
    };
    times = enlarged(times);
    columns = columns.map(enlarged);
  }

  return {
    nextRow() {
      if (rows === capacity) grow();
      return rows;
    },
    setTime(row, timeMs) {
      times[row] = timeMs;
    },
    set(column, row, value) {
      columns[column]![row] = value;
    },
    keepRow() {
      rows++;
    },
    take() {
      const timesMs = times.slice(0, rows);
      const values = columns.map((column) => column.slice(0, rows));
      rows = 0;
      return { timesMs, values };
    },
  };
}

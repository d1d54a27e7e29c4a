import { FltsError } from "@flts/common/contracts/errors";

/**
 * Measurements of one station: one time stamp and one number per column in each row.
 * `values[c]` holds column `columns[c]`; NaN is a missing cell. Arrays are shared, never written to once in a table.
 */
export interface Table {
  /** Milliseconds; the zone-less time stamps of the files are read as if they were UTC. */
  readonly timesMs: Float64Array;
  readonly columns: readonly string[];
  readonly values: readonly Float64Array[];
}

/** A table after its shape was checked. @throws TABLE_INVALID */
export function createTable(
  timesMs: Float64Array,
  columns: readonly string[],
  values: readonly Float64Array[],
): Table {
  if (columns.length !== values.length) {
    throw new FltsError(
      "TABLE_INVALID",
      `a table of ${columns.length} column names cannot hold ${values.length} columns`,
    );
  }
  if (new Set(columns).size !== columns.length) {
    throw new FltsError("TABLE_INVALID", `column names must differ: ${columns.join(", ")}`);
  }
  for (const [index, column] of values.entries()) {
    if (column.length !== timesMs.length) {
      throw new FltsError(
        "TABLE_INVALID",
        `column '${columns[index]}' has ${column.length} rows, the time stamps ${timesMs.length}`,
      );
    }
  }
  return { timesMs, columns, values };
}

export const rowCount = (table: Table): number => table.timesMs.length;

/** One column by name. @throws COLUMN_MISSING */
export function columnOf(table: Table, name: string): Float64Array {
  const values = table.values[table.columns.indexOf(name)];
  if (values === undefined) {
    throw new FltsError("COLUMN_MISSING", `no column '${name}'; the table has ${table.columns.join(", ")}`);
  }
  return values;
}

/** Rows `start` (included) to `end` (excluded), sharing memory with `table`. */
export function sliceRows(table: Table, start: number, end: number = rowCount(table)): Table {
  return {
    timesMs: table.timesMs.subarray(start, end),
    columns: table.columns,
    values: table.values.map((column) => column.subarray(start, end)),
  };
}

/** The rows named by `indexes`, in that order, copied. */
export function takeRows(table: Table, indexes: ArrayLike<number>): Table {
  const pick = (source: Float64Array) => Float64Array.from(indexes, (index) => source[index] ?? Number.NaN);
  return { timesMs: pick(table.timesMs), columns: table.columns, values: table.values.map(pick) };
}

/** The named columns in the given order. @throws COLUMN_MISSING */
export function selectColumns(table: Table, names: readonly string[]): Table {
  return { timesMs: table.timesMs, columns: names, values: names.map((name) => columnOf(table, name)) };
}

/** `table` with further columns on its right. @throws TABLE_INVALID */
export function appendColumns(
  table: Table,
  columns: readonly string[],
  values: readonly Float64Array[],
): Table {
  return createTable(table.timesMs, [...table.columns, ...columns], [...table.values, ...values]);
}

/** Every column put through `change`; `change` returns an array of the same length. */
export function mapColumns(
  table: Table,
  change: (values: Float64Array, column: string) => Float64Array,
): Table {
  return createTable(
    table.timesMs,
    table.columns,
    table.values.map((values, index) => change(values, table.columns[index] ?? "")),
  );
}

/** `first` followed by `second`, which must have the same columns. @throws TABLE_INVALID */
export function concatRows(first: Table, second: Table): Table {
  if (first.columns.join("\n") !== second.columns.join("\n")) {
    throw new FltsError("TABLE_INVALID", "tables with different columns cannot be joined");
  }
  return {
    timesMs: joined(first.timesMs, second.timesMs),
    columns: first.columns,
    values: first.values.map((column, index) => joined(column, second.values[index] ?? new Float64Array())),
  };
}

/** The cells of the named columns, row-major `[rows, names.length]`. @throws COLUMN_MISSING */
export function toMatrix(table: Table, names: readonly string[] = table.columns): Float64Array {
  const width = names.length;
  const matrix = new Float64Array(rowCount(table) * width);
  for (const [offset, name] of names.entries()) {
    const column = columnOf(table, name);
    for (let row = 0; row < column.length; row++) matrix[row * width + offset] = column[row]!;
  }
  return matrix;
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const result = new Float64Array(first.length + second.length);
  result.set(first);
  result.set(second, first.length);
  return result;
}

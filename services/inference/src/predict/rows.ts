import { HttpError } from "@flts/common/service/http";
import { type Table, takeRows } from "@flts/forecasting/table/table";
import { formatTimestamp, parseTimestamp } from "@flts/forecasting/table/timestamp";
import { NO_DATA } from "./request.ts";

/** The rows of a request. */
export interface Rows {
  /** Every column but the time stamps, in order of time, NaN where a cell has no value. */
  readonly table: Table;
  /** The name of the column that the time stamps came in. */
  readonly timeColumn: string;
}

/** Columns that may hold the time stamps, after the one that the request names. */
export const timeColumns = ["ts", "timestamp", "time", "date"];

/** What pandas' nanoseconds can express; the reference refuses other times as invalid. */
export const MIN_TIME_MS = Date.UTC(1677, 8, 22);
export const MAX_TIME_MS = Date.UTC(2262, 3, 11);

/** Far above any load, and as far below the end of float32 (3.4e38), in which networks compute. */
export const MAX_NUMBER = 1e30;

/** Duplicates that a refusal names. */
const MAX_NAMED = 3;

/**
 * The rows of a request's `data`. The checks, their order and their
 * texts are the reference's (behaviour §7.3, steps 1 to 4), except that any duplicate time stamp is refused, not only when all are equal.
 * @throws HttpError 400
 */
export function readRows(data: unknown, indexColumn: string | null): Rows {
  const columns = readColumns(data);
  const timeColumn = [indexColumn, ...timeColumns].find((name) => name !== null && columns.has(name)) ?? null;
  if (timeColumn === null)
    throw refusal("Request must include a timestamp column (index_col or ts/time/timestamp)");
  const timesMs = readTimes(columns.get(timeColumn) ?? [], timeColumn);
  const order = isRising(timesMs) ? null : orderOf(timesMs);
  if (order !== null) checkUnique(timesMs, order);
  columns.delete(timeColumn);
  // Names are keys and lengths were compared: there is nothing left to check.
  const table: Table = {
    timesMs,
    columns: [...columns.keys()],
    values: readNumbers(columns, timesMs.length),
  };
  return { table: order === null ? table : takeRows(table, order), timeColumn };
}

function readColumns(data: unknown): Map<string, readonly unknown[]> {
  if (isEmpty(data)) throw refusal(NO_DATA);
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw refusal("'data' must be an object mapping column names to arrays");
  const columns = new Map<string, readonly unknown[]>();
  let rows = -1;
  let equal = true;
  for (const [name, cells] of Object.entries(data)) {
    if (!Array.isArray(cells)) throw unreadable(`column ${JSON.stringify(name)} is not an array`);
    columns.set(name, cells);
    equal &&= rows < 0 || cells.length === rows;
    rows = cells.length;
  }
  if (!equal) throw unreadable("All arrays must be of the same length");
  if (rows === 0) throw refusal("Request data must include at least one row");
  return columns;
}

/** What Python calls false: nothing was sent. */
const isEmpty = (data: unknown): boolean =>
  !data || (typeof data === "object" && Object.keys(data).length === 0);

function readTimes(cells: readonly unknown[], column: string): Float64Array {
  const times = new Float64Array(cells.length);
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    const timeMs = typeof cell === "string" ? parseTimestamp(cell) : Number.NaN;
    if (!(timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS))
      throw refusal(`Column '${column}' contains invalid timestamps`);
    times[row] = timeMs;
  }
  return times;
}

function isRising(times: Float64Array): boolean {
  for (let row = 1; row < times.length; row++) if (!(times[row]! > times[row - 1]!)) return false;
  return true;
}

const orderOf = (times: Float64Array): Uint32Array =>
  Uint32Array.from(times.keys()).toSorted((a, b) => times[a]! - times[b]!);

function checkUnique(times: Float64Array, order: Uint32Array): void {
  const duplicates = new Set<number>();
  for (let row = 1; row < order.length; row++) {
    const timeMs = times[order[row]!]!;
    if (timeMs === times[order[row - 1]!]) duplicates.add(timeMs);
  }
  if (duplicates.size === 0) return;
  const expected = "Expected unique timestamps for time-series inference.";
  const first = times[order[0]!]!;
  if (first === times[order.at(-1)!])
    throw refusal(`All ${times.length} timestamps are identical (${formatTimestamp(first)}). ${expected}`);
  const named = [...duplicates].slice(0, MAX_NAMED).map((timeMs) => formatTimestamp(timeMs));
  const more = duplicates.size > MAX_NAMED ? ` and ${duplicates.size - MAX_NAMED} more` : "";
  throw refusal(`Duplicate timestamps: ${named.join(", ")}${more}. ${expected}`);
}

/** One buffer for all columns: V8 keeps account of each, and a request in thousands pays for a dozen of them. */
function readNumbers(columns: ReadonlyMap<string, readonly unknown[]>, rows: number): Float64Array[] {
  const { buffer } = new Float64Array(columns.size * rows);
  const values: Float64Array[] = [];
  for (const cells of columns.values()) {
    const offset = values.length * rows * Float64Array.BYTES_PER_ELEMENT;
    const numbers = new Float64Array(buffer, offset, rows);
    if (!copyNumbers(cells, numbers)) throw faultOf(columns);
    values.push(numbers);
  }
  return values;
}

/** NaN for a cell that is null. @returns whether every other cell is a number of an ordinary size */
function copyNumbers(cells: readonly unknown[], numbers: Float64Array): boolean {
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (typeof cell === "number" && Math.abs(cell) <= MAX_NUMBER) numbers[row] = cell;
    else if (cell === null) numbers[row] = Number.NaN;
    else return false;
  }
  return true;
}

/** What is wrong with cells that are not all numbers or null, and in which columns. */
function faultOf(columns: ReadonlyMap<string, readonly unknown[]>): HttpError {
  const named = (fault: (cell: unknown) => boolean): string =>
    [...columns]
      .filter(([, cells]) => cells.some(fault))
      .map(([name]) => name)
      .join(", ");
  const text = named((cell) => cell !== null && typeof cell !== "number");
  if (text !== "") return refusal(`Columns contain non-numeric values: ${text}`);
  const infinite = named((cell) => cell !== null && !Number.isFinite(cell));
  if (infinite !== "") return refusal(`Columns contain values that are not finite: ${infinite}`);
  return refusal(
    `Columns contain values beyond ${MAX_NUMBER}: ${named((cell) => Math.abs(cell as number) > MAX_NUMBER)}`,
  );
}

const unreadable = (why: string): HttpError => refusal(`Failed to interpret 'data' payload: ${why}`);

const refusal = (detail: string): HttpError => new HttpError(400, detail);

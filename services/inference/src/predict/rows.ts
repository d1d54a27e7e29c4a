import { HttpError } from "@flts/common/service/http";
import { createTable, type Table, takeRows } from "@flts/forecasting/table/table";
import { formatTimestamp, parseTimestamp } from "@flts/forecasting/table/timestamp";
import { NO_DATA } from "./request.ts";

/** Columns that may hold the time stamps, after the one that the request names. */
const timeColumns = ["ts", "timestamp", "time", "date"];

/** What pandas' nanoseconds can express; the reference refuses other times as invalid. */
const MIN_TIME_MS = Date.UTC(1677, 8, 22);
const MAX_TIME_MS = Date.UTC(2262, 3, 11);

/** Duplicates that a refusal names. */
const MAX_NAMED = 3;

/**
 * The rows of a request as a table: every column but the time stamps, in order of time, NaN where a cell is null. The checks, their order and their
 * texts are the reference's (behaviour §7.3, steps 1 to 4), except that any duplicate time stamp is refused, not only when all are equal.
 * @throws HttpError 400
 */
export function readRows(data: unknown, indexColumn: string | null): Table {
  const columns = readColumns(data);
  const timeColumn = [indexColumn, ...timeColumns].find((name) => name !== null && columns.has(name)) ?? null;
  if (timeColumn === null)
    throw refusal("Request must include a timestamp column (index_col or ts/time/timestamp)");
  const times = readTimes(columns.get(timeColumn) ?? [], timeColumn);
  const order = orderOf(times);
  checkUnique(times, order);
  columns.delete(timeColumn);
  const names = [...columns.keys()];
  const values = readNumbers(columns);
  const table = createTable(times, names, values);
  return isSorted(times) ? table : takeRows(table, order);
}

function readColumns(data: unknown): Map<string, readonly unknown[]> {
  if (isEmpty(data)) throw refusal(NO_DATA);
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw refusal("'data' must be an object mapping column names to arrays");
  const columns = new Map<string, readonly unknown[]>();
  for (const [name, cells] of Object.entries(data)) {
    if (!Array.isArray(cells)) throw unreadable(`column ${JSON.stringify(name)} is not an array`);
    columns.set(name, cells);
  }
  const lengths = new Set([...columns.values()].map((cells) => cells.length));
  if (lengths.size > 1) throw unreadable("All arrays must be of the same length");
  if (lengths.has(0)) throw refusal("Request data must include at least one row");
  return columns;
}

/** What Python calls false: nothing was sent. */
const isEmpty = (data: unknown): boolean =>
  !data || (typeof data === "object" && Object.keys(data).length === 0);

function readTimes(cells: readonly unknown[], column: string): Float64Array {
  return Float64Array.from(cells, (cell) => {
    const timeMs = typeof cell === "string" ? parseTimestamp(cell) : Number.NaN;
    if (timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS) return timeMs;
    throw refusal(`Column '${column}' contains invalid timestamps`);
  });
}

const isSorted = (times: Float64Array): boolean =>
  times.every((timeMs, row) => row === 0 || timeMs > times[row - 1]!);

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

function readNumbers(columns: ReadonlyMap<string, readonly unknown[]>): Float64Array[] {
  const named = (fault: (cell: unknown) => boolean): string =>
    [...columns]
      .filter(([, cells]) => cells.some(fault))
      .map(([name]) => name)
      .join(", ");
  const text = named((cell) => cell !== null && typeof cell !== "number");
  if (text !== "") throw refusal(`Columns contain non-numeric values: ${text}`);
  const infinite = named((cell) => cell !== null && !Number.isFinite(cell));
  if (infinite !== "") throw refusal(`Columns contain values that are not finite: ${infinite}`);
  return [...columns.values()].map((cells) =>
    Float64Array.from(cells, (cell) => (cell === null ? Number.NaN : (cell as number))),
  );
}

const unreadable = (why: string): HttpError => refusal(`Failed to interpret 'data' payload: ${why}`);

const refusal = (detail: string): HttpError => new HttpError(400, detail);

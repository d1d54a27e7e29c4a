import { parseTimestamp } from "@flts/forecasting/table/timestamp";
import { MAX_NUMBER, MAX_TIME_MS, MIN_TIME_MS, timeColumns } from "../predict/rows.ts";
import { type ArrowColumn, hasValue, type RecordBatch, textBytes } from "./record-batch.ts";
import { refusal } from "./refusal.ts";
import type { ArrowField } from "./schema.ts";

/** Which columns a request names. */
export interface ColumnChoice {
  /** Of time stamps; null takes the first of the usual names. */
  readonly indexColumn: string | null;
  readonly seriesColumn: string;
}

/** Reads the cells of the batch that was opened last. @throws HttpError 400 naming the column */
export interface ColumnReaders {
  readonly timeColumn: string;
  open(batch: RecordBatch): void;
  timeMs(row: number): number;
  /** The number of a row's series, from 0 in the order in which they came. */
  series(row: number): number;
  /** Of the wanted column with this number; NaN where there is no value. */
  number(column: number, row: number): number;
  /** Of the series so far. */
  names(): readonly string[];
}

const MAX_SERIES_NAME_BYTES = 1_000;

/**
 * Finds the columns of a stream that a forecast needs; others may be there, and are not looked at.
 * @throws HttpError 400 naming a column that is missing or of a wrong type
 */
export function columnReaders(
  fields: readonly ArrowField[],
  wanted: readonly string[],
  { indexColumn, seriesColumn }: ColumnChoice,
): ColumnReaders {
  const placeOf = (name: string | null): number => fields.findIndex((field) => field.name === name);
  const timeColumn = [indexColumn, ...timeColumns].find((name) => placeOf(name) >= 0) ?? null;
  if (timeColumn === null)
    throw refusal("Request must include a timestamp column (index_col or ts/time/timestamp)");
  const missing = wanted.filter((name) => placeOf(name) < 0);
  if (missing.length > 0) throw refusal(`Missing required feature columns: ${missing.toSorted().join(", ")}`);
  const kindOf = (name: string): string | undefined => fields[placeOf(name)]?.type.kind;
  const strange = wanted.filter((name) => kindOf(name) !== "float" && kindOf(name) !== "int");
  if (strange.length > 0) throw refusal(`Columns contain non-numeric values: ${strange.join(", ")}`);
  if (kindOf(timeColumn) !== "timestamp" && kindOf(timeColumn) !== "text")
    throw refusal(`Column '${timeColumn}' must hold timestamps, or texts of them`);
  if (kindOf(seriesColumn) === "float" || kindOf(seriesColumn) === "timestamp")
    throw refusal(`Column '${seriesColumn}' must hold texts or whole numbers: the names of series`);

  const timePlace = placeOf(timeColumn);
  const places = wanted.map(placeOf);
  const readSeries = seriesReader(placeOf(seriesColumn) < 0 ? null : seriesColumn);
  let time: ArrowColumn;
  let numbers: readonly ArrowColumn[] = [];

  return {
    timeColumn,
    open({ columns }) {
      time = columns[timePlace]!;
      numbers = places.map((place) => columns[place]!);
      readSeries.open(columns[placeOf(seriesColumn)] ?? null);
    },
    timeMs: (row) => timeOf(time, row),
    series: readSeries.read,
    number: (column, row) => numberOf(numbers[column]!, row),
    names: readSeries.names,
  };
}

function timeOf(column: ArrowColumn, row: number): number {
  const { field, values } = column;
  const { type } = field;
  const timeMs = !hasValue(column, row)
    ? Number.NaN
    : type.kind === "timestamp"
      ? Math.floor(Number(values[row]) / type.perMs)
      : parseTimestamp(Buffer.from(textBytes(column, row)).toString());
  if (timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS) return timeMs;
  throw refusal(`Column '${field.name}' contains invalid timestamps`);
}

function numberOf(column: ArrowColumn, row: number): number {
  if (!hasValue(column, row)) return Number.NaN;
  const value = Number(column.values[row]);
  if (!(Math.abs(value) > MAX_NUMBER)) return value;
  throw refusal(
    Number.isFinite(value)
      ? `Columns contain values beyond ${MAX_NUMBER}: ${column.field.name}`
      : `Columns contain values that are not finite: ${column.field.name}`,
  );
}

/** Numbers series as they come. Rows of one series mostly stand together, so that a name is looked up once for many of them. */
function seriesReader(name: string | null) {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  let column: ArrowColumn | null = null;
  let last = -1;

  const numberFor = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, names.length);
    return names.push(text) - 1;
  };
  if (name === null) numberFor("");

  function textAt(from: ArrowColumn, row: number): string {
    if (!hasValue(from, row)) throw refusal(`Column '${name}' has rows without a series`);
    if (from.field.type.kind !== "text") return String(from.values[row]);
    const bytes = textBytes(from, row);
    if (bytes.length > MAX_SERIES_NAME_BYTES)
      throw refusal(`Column '${name}' has a name of more than ${MAX_SERIES_NAME_BYTES} bytes`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  }

  return {
    open(next: ArrowColumn | null): void {
      column = next;
    },
    read(row: number): number {
      if (column === null) return 0;
      if (!isSameAsAbove(column, row)) last = numberFor(textAt(column, row));
      return last;
    },
    names: (): readonly string[] => names,
  };
}

const isSameAsAbove = (column: ArrowColumn, row: number): boolean =>
  row > 0 && hasValue(column, row) && hasValue(column, row - 1) && isEqual(column, row, row - 1);

function isEqual(column: ArrowColumn, a: number, b: number): boolean {
  if (column.field.type.kind !== "text") return column.values[a] === column.values[b];
  const [one, other] = [textBytes(column, a), textBytes(column, b)];
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}

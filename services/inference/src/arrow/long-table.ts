import { setImmediate as turn } from "node:timers/promises";
import { HttpError } from "@flts/common/service/http";
import { rowCount, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { ServableModel } from "../model/servable-model.ts";
import { historyOf } from "../predict/history.ts";
import { type ColumnChoice, type ColumnReaders, columnReaders } from "./column-readers.ts";
import type { RecordBatch } from "./record-batch.ts";
import { refusal } from "./refusal.ts";
import type { ArrowField } from "./schema.ts";

/** The rows of many series, each in order of time. */
export interface LongTable {
  /** In the order in which they came first. */
  readonly names: readonly string[];
  /** The rows of a series: the model's input columns. */
  history(series: number): Table;
}

/** Gathers the rows of a stream. */
export interface LongTableBuilder {
  /** @throws HttpError 400 for a cell that cannot be, 413 for too many rows */
  add(batch: RecordBatch): Promise<void>;
  /** Puts the rows in order and holds each series to what the model needs. @throws HttpError 400 naming the series */
  finish(): Promise<LongTable>;
}

/** The rows of one record batch, or all of them. Numbers stay as wide as they came: a table of single precision takes half the memory. */
interface Chunk {
  readonly rows: number;
  readonly timesMs: Float64Array;
  /** Numbers of series. */
  readonly series: Uint32Array;
  readonly columns: Numbers[];
}

type Numbers = Float32Array | Float64Array;

/** What is looked at before others have their turn: this is done between the requests of everybody else, a millisecond or two at a time. */
const ROWS_PER_TURN = 4_096;
const SERIES_PER_TURN = 500;

/** @throws HttpError 400 naming a column that is missing or cannot be read */
export function createLongTable(
  fields: readonly ArrowField[],
  model: ServableModel,
  choice: ColumnChoice,
  maxRows: number,
): LongTableBuilder {
  const readers = columnReaders(fields, model.inputColumns, choice);
  const { inputColumns } = model;
  const arrays = inputColumns.map((name) => arrayFor(fields.find((field) => field.name === name)));
  const chunks: Chunk[] = [];
  let rows = 0;

  return {
    async add(batch) {
      rows += batch.rows;
      if (rows > maxRows)
        throw new HttpError(413, `The stream has more than ${maxRows} rows: send it in parts`);
      readers.open(batch);
      chunks.push(await chunkOf(batch.rows, readers, arrays));
    },
    async finish() {
      if (rows === 0) throw refusal("Request data must include at least one row");
      const { timesMs, series, columns } = await joined(chunks.splice(0), rows);
      const starts = startsOf(series, readers.names().length);
      const order = orderOf(timesMs, series, starts);
      const times = inOrder(timesMs, order);
      for (const [column, numbers] of columns.entries()) {
        await turn();
        columns[column] = inOrder(numbers, order);
      }
      const history = (index: number): Table => {
        const [from, to] = [starts[index]!, starts[index + 1]!];
        const cells = new Float64Array(columns.length * (to - from));
        const values = columns.map((numbers, column) => {
          const own = cells.subarray(column * (to - from), (column + 1) * (to - from));
          own.set(numbers.subarray(from, to));
          return own;
        });
        return { timesMs: times.subarray(from, to), columns: inputColumns, values };
      };
      for (const [index, name] of readers.names().entries()) {
        if (index % SERIES_PER_TURN === 0) await turn();
        check(history(index), name, model, readers);
      }
      return { names: readers.names(), history };
    },
  };
}

/** What holds the numbers of a field without loss. */
const arrayFor = (field: ArrowField | undefined): typeof Float32Array | typeof Float64Array =>
  field?.type.kind === "float" && field.type.bytes === 4 ? Float32Array : Float64Array;

async function chunkOf(
  rows: number,
  readers: ColumnReaders,
  arrays: readonly (typeof Float32Array | typeof Float64Array)[],
): Promise<Chunk> {
  const timesMs = new Float64Array(rows);
  const series = new Uint32Array(rows);
  const columns = arrays.map((Numbers): Numbers => new Numbers(rows));
  for (let row = 0; row < rows; row++) {
    if (row % ROWS_PER_TURN === 0) await turn();
    timesMs[row] = readers.timeMs(row);
    series[row] = readers.series(row);
    for (let column = 0; column < columns.length; column++)
      columns[column]![row] = readers.number(column, row);
  }
  return { rows, timesMs, series, columns };
}

/** The chunks as one, column by column: a column's parts are let go before the next column is joined. */
async function joined(chunks: readonly Chunk[], rows: number): Promise<Chunk> {
  const [first] = chunks;
  if (first === undefined || chunks.length === 1) return first!;
  const join = <T extends Numbers | Uint32Array>(whole: T, part: (chunk: Chunk) => T): T => {
    let position = 0;
    for (const chunk of chunks) {
      whole.set(part(chunk), position);
      position += chunk.rows;
    }
    return whole;
  };
  const columns: Numbers[] = [];
  for (const [column, numbers] of first.columns.entries()) {
    await turn();
    const whole = numbers instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
    columns.push(join<Numbers>(whole, (chunk) => chunk.columns[column]!));
    for (const chunk of chunks) chunk.columns[column] = NOTHING;
  }
  return {
    rows,
    timesMs: join(new Float64Array(rows), ({ timesMs }) => timesMs),
    series: join(new Uint32Array(rows), ({ series }) => series),
    columns,
  };
}

const NOTHING = new Float64Array();

/** Where the rows of each series begin when they stand together, and the end: `[series + 1]`. */
function startsOf(series: Uint32Array, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  for (const index of series) starts[index + 1]!++;
  for (let index = 0; index < count; index++) starts[index + 1]! += starts[index]!;
  return starts;
}

/** The rows series by series, each in order of time; null where they are. */
function orderOf(timesMs: Float64Array, series: Uint32Array, starts: Uint32Array): Uint32Array | null {
  if (isOrdered(series, timesMs)) return null;
  const next = starts.slice();
  const order = new Uint32Array(series.length);
  for (const [row, index] of series.entries()) order[next[index]!++] = row;
  for (let index = 0; index + 1 < starts.length; index++) {
    const own = order.subarray(starts[index], starts[index + 1]);
    if (!isRising(own, timesMs)) own.sort((a, b) => timesMs[a]! - timesMs[b]!);
  }
  return order;
}

function inOrder<T extends Numbers>(numbers: T, order: Uint32Array | null): T {
  if (order === null) return numbers;
  const ordered = numbers.slice() as T;
  for (let row = 0; row < order.length; row++) ordered[row] = numbers[order[row]!]!;
  return ordered;
}

function isOrdered(series: Uint32Array, timesMs: Float64Array): boolean {
  for (let row = 1; row < series.length; row++) {
    if (series[row]! < series[row - 1]!) return false;
    if (series[row] === series[row - 1] && timesMs[row]! < timesMs[row - 1]!) return false;
  }
  return true;
}

function isRising(rows: Uint32Array, timesMs: Float64Array): boolean {
  for (let row = 1; row < rows.length; row++)
    if (timesMs[rows[row]!]! < timesMs[rows[row - 1]!]!) return false;
  return true;
}

function check(table: Table, name: string, model: ServableModel, { timeColumn }: ColumnReaders): void {
  const { timesMs } = table;
  for (let row = 1; row < rowCount(table); row++)
    if (timesMs[row] === timesMs[row - 1])
      throw refusal(`Series '${name}': column '${timeColumn}' has ${formatTimestamp(timesMs[row]!)} twice`);
  try {
    historyOf({ table, timeColumn }, model, model.window);
  } catch (error) {
    throw error instanceof HttpError ? refusal(`Series '${name}': ${error.message}`) : error;
  }
}

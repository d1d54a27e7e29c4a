import { setImmediate as turn } from "node:timers/promises";
import { HttpError } from "@flts/common/service/http";
import { createColumnBuffer } from "@flts/forecasting/table/column-buffer";
import { rowCount, sliceRows, type Table, takeRows } from "@flts/forecasting/table/table";
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
  add(batch: RecordBatch): void;
  /** Puts the rows in order and holds each series to what the model needs. @throws HttpError 400 naming the series */
  finish(): Promise<LongTable>;
}

/** Series that are looked at before others have their turn: this is done between the requests of everybody else. */
const SERIES_PER_TURN = 2_000;

/** @throws HttpError 400 naming a column that is missing or cannot be read */
export function createLongTable(
  fields: readonly ArrowField[],
  model: ServableModel,
  choice: ColumnChoice,
  maxRows: number,
): LongTableBuilder {
  const readers = columnReaders(fields, model.inputColumns, choice);
  const { inputColumns } = model;
  const seriesColumn = inputColumns.length;
  const buffer = createColumnBuffer(inputColumns.length + 1);
  let rows = 0;

  function gather(): { table: Table; series: Float64Array } {
    const { timesMs, values } = buffer.take();
    return {
      table: { timesMs, columns: inputColumns, values: values.slice(0, -1) },
      series: values[seriesColumn]!,
    };
  }

  return {
    add(batch) {
      rows += batch.rows;
      if (rows > maxRows)
        throw new HttpError(413, `The stream has more than ${maxRows} rows: send it in parts`);
      readers.open(batch);
      for (let row = 0; row < batch.rows; row++) {
        const at = buffer.nextRow();
        buffer.setTime(at, readers.timeMs(row));
        buffer.set(seriesColumn, at, readers.series(row));
        for (let column = 0; column < inputColumns.length; column++)
          buffer.set(column, at, readers.number(column, row));
        buffer.keepRow();
      }
    },
    async finish() {
      if (rows === 0) throw refusal("Request data must include at least one row");
      const { table, series } = gather();
      const starts = startsOf(series, readers.names().length);
      const ordered = inOrder(table, series, starts);
      const history = (index: number): Table => sliceRows(ordered, starts[index]!, starts[index + 1]);
      for (const [index, name] of readers.names().entries()) {
        if (index % SERIES_PER_TURN === 0) await turn();
        check(history(index), name, model, readers);
      }
      return { names: readers.names(), history };
    },
  };
}

/** Where the rows of each series begin when they stand together, and the end: `[series + 1]`. */
function startsOf(series: Float64Array, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  for (const index of series) starts[index + 1]!++;
  for (let index = 0; index < count; index++) starts[index + 1]! += starts[index]!;
  return starts;
}

function inOrder(table: Table, series: Float64Array, starts: Uint32Array): Table {
  const { timesMs } = table;
  if (isOrdered(series, timesMs)) return table;
  const next = starts.slice();
  const order = new Uint32Array(series.length);
  for (const [row, index] of series.entries()) order[next[index]!++] = row;
  for (let index = 0; index + 1 < starts.length; index++) {
    const own = order.subarray(starts[index], starts[index + 1]);
    if (!isRising(own, timesMs)) own.sort((a, b) => timesMs[a]! - timesMs[b]!);
  }
  return takeRows(table, order);
}

function isOrdered(series: Float64Array, timesMs: Float64Array): boolean {
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

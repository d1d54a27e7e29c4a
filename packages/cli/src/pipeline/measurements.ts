import { createReadStream } from "node:fs";
import { FltsError } from "@flts/common/contracts/errors";
import { createCsvReader } from "@flts/forecasting/table/csv";
import { columnOf, rowCount, sliceRows, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { DataFile, Dataset } from "./dataset.ts";

/** The last measurements of a column, for the plot's left side. */
export interface Measurements {
  readonly values: readonly number[];
  /** Of the first of them. */
  readonly firstTime: string;
}

/** The end of a station's test file, on which a forecast without data of its own follows. */
export async function lastMeasurements(
  { test }: Dataset,
  column: string,
  rows: number,
): Promise<Measurements> {
  return measurementsOf(await readTable(test), column, rows);
}

/** The last `rows` of a column of a table in raw units. @throws COLUMN_MISSING */
export function measurementsOf(table: Table, column: string, rows: number): Measurements {
  const last = sliceRows(table, Math.max(0, rowCount(table) - rows));
  const [first] = last.timesMs;
  return {
    values: Array.from(columnOf(last, column)),
    firstTime: first === undefined ? "" : formatTimestamp(first),
  };
}

/** Reads a station's file. @throws CSV_INVALID naming file, line and column; INPUT_MISSING when it cannot be read */
export async function readTable(file: DataFile): Promise<Table> {
  const reader = createCsvReader({ file: "path" in file ? file.path : file.name });
  if ("bytes" in file) reader.push(file.bytes);
  else for await (const chunk of chunksOf(file.path)) reader.push(chunk);
  return reader.finish();
}

async function* chunksOf(path: string): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && "syscall" in cause)) throw cause;
    throw new FltsError(
      "INPUT_MISSING",
      `cannot read ${path} (${String(cause.code)}): name a CSV file of measurements that is there`,
      cause,
    );
  }
}

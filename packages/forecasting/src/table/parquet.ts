import { FltsError } from "@flts/common/contracts/errors";
import {
  type FileMetaData,
  parquetMetadata,
  parquetRead,
  parquetSchema,
  type SchemaElement,
} from "hyparquet";
import { ByteWriter, type KeyValue, ParquetWriter } from "hyparquet-writer";
import { pandasIndexColumn, pandasMetadata } from "./pandas-metadata.ts";
import { createTable, rowCount, sliceRows, type Table } from "./table.ts";

/** What a file's key-value metadata holds beside the `pandas` key, which is written and read here. */
export type ParquetMetadata = Readonly<Record<string, string>>;

/** Writes a table piece by piece: each call returns the bytes that follow those returned before. */
export interface ParquetEncoder {
  /** The next rows as one or more row groups. Columns must be those the encoder was made for. @throws TABLE_INVALID */
  write(rows: Table): Uint8Array;
  /** The footer; nothing can be written after it. */
  finish(): Uint8Array;
}

const TIME = "time";
/** Rows of one row group: what a writer must have at hand at a time. */
export const ROW_GROUP_ROWS = 65_536;

/**
 * An encoder in pandas' layout (reference behaviour §3.1): the columns as DOUBLE, then the index `time` as a zone-less
 * TIMESTAMP in milliseconds. A missing cell is a null. `nullable` columns may hold some; by default all may.
 */
export function createParquetEncoder(
  columns: readonly string[],
  metadata: ParquetMetadata = {},
  nullable: readonly boolean[] = columns.map(() => true),
): ParquetEncoder {
  if (columns.includes(TIME))
    throw new FltsError("TABLE_INVALID", "'time' is the index and cannot be a column");
  const writer = new ByteWriter();
  const kvMetadata: KeyValue[] = Object.entries({
    ...metadata,
    pandas: JSON.stringify(pandasMetadata(columns, TIME)),
  }).map(([key, value]) => ({ key, value }));
  const schema = schemaOf(columns, nullable);
  const parquet = new ParquetWriter({ writer, schema, kvMetadata, createdBy: "flts" });

  const drain = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  return {
    write(rows) {
      if (rows.columns.join("\n") !== columns.join("\n")) {
        throw new FltsError("TABLE_INVALID", "the columns changed between two pieces of one Parquet file");
      }
      for (let start = 0; start < rowCount(rows); start += ROW_GROUP_ROWS) {
        const group = sliceRows(rows, start, start + ROW_GROUP_ROWS);
        const columnData = columns.map((name, index) => ({
          name,
          data: withNulls(group.values[index]!),
        }));
        const time = { name: TIME, data: BigInt64Array.from(group.timesMs, (ms) => BigInt(Math.trunc(ms))) };
        void parquet.write({ columnData: [...columnData, time], rowGroupSize: ROW_GROUP_ROWS });
      }
      return drain();
    },
    finish() {
      void parquet.finish();
      return drain();
    },
  };
}

/** A table as the bytes of one Parquet file. @throws TABLE_INVALID */
export function writeParquet(table: Table, metadata: ParquetMetadata = {}): Uint8Array {
  const nullable = table.values.map((column) => column.some(Number.isNaN));
  const encoder = createParquetEncoder(table.columns, metadata, nullable);
  const body = encoder.write(table);
  const footer = encoder.finish();
  const bytes = new Uint8Array(body.length + footer.length);
  bytes.set(body);
  bytes.set(footer, body.length);
  return bytes;
}

/**
 * A Parquet file as a table: the index that pandas wrote down, else the column `time`, as time stamps; every other column of
 * numbers as float64, nulls as NaN; columns of text are left out. @throws TABLE_INVALID for anything that is no such file
 */
export async function readParquet(bytes: Uint8Array): Promise<{ table: Table; metadata: ParquetMetadata }> {
  try {
    // Not `bytes.slice()`: a Buffer's is no copy, and its memory holds other things too.
    const file = Uint8Array.from(bytes).buffer;
    const footer = parquetMetadata(file);
    const metadata = Object.fromEntries(
      (footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""]),
    );
    const table = await readTable(file, footer, pandasIndexColumn(metadata["pandas"]) ?? TIME);
    const { pandas: _, ...rest } = metadata;
    return { table, metadata: rest };
  } catch (error) {
    if (error instanceof FltsError) throw error;
    throw new FltsError("TABLE_INVALID", `not a readable Parquet file: ${String(error)}`, error);
  }
}

async function readTable(file: ArrayBuffer, footer: FileMetaData, index: string): Promise<Table> {
  const rows = Number(footer.num_rows);
  const leaves = parquetSchema(footer).children.map((child) => child.element);
  const indexLeaf = leaves.find(({ name }) => name === index);
  if (indexLeaf === undefined || !isTimestamp(indexLeaf)) {
    throw new FltsError("TABLE_INVALID", `the Parquet file has no column '${index}' of time stamps`);
  }
  const columns = leaves.filter((leaf) => leaf !== indexLeaf && isNumeric(leaf)).map(({ name }) => name);
  const wanted = [index, ...columns];
  const targets = new Map(wanted.map((name) => [name, new Float64Array(rows).fill(Number.NaN)]));
  await parquetRead({
    file,
    metadata: footer,
    columns: wanted,
    parsers: {
      timestampFromMilliseconds: Number,
      timestampFromMicroseconds: (micros) => Number(micros) / 1e3,
      timestampFromNanoseconds: (nanos) => Number(nanos) / 1e6,
    },
    onChunk: ({ columnName, columnData, rowStart }) => {
      const target = targets.get(columnName);
      if (target === undefined) return;
      if (columnData instanceof Float64Array) target.set(columnData, rowStart);
      else copyNumbers(columnData, target, rowStart);
    },
  });
  const timesMs = targets.get(index) ?? new Float64Array();
  if (timesMs.some(Number.isNaN))
    throw new FltsError("TABLE_INVALID", `column '${index}' has rows without time`);
  return createTable(
    timesMs,
    columns,
    columns.map((name) => targets.get(name)!),
  );
}

function schemaOf(columns: readonly string[], nullable: readonly boolean[]): SchemaElement[] {
  return [
    { name: "schema", num_children: columns.length + 1 },
    ...columns.map(
      (name, index): SchemaElement => ({
        name,
        type: "DOUBLE",
        repetition_type: nullable[index] === true ? "OPTIONAL" : "REQUIRED",
      }),
    ),
    {
      name: TIME,
      type: "INT64",
      repetition_type: "REQUIRED",
      logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "MILLIS" },
    },
  ];
}

function withNulls(values: Float64Array): Float64Array | (number | null)[] {
  return values.some(Number.isNaN)
    ? Array.from(values, (value) => (Number.isNaN(value) ? null : value))
    : values;
}

function copyNumbers(source: ArrayLike<unknown>, target: Float64Array, offset: number): void {
  for (let row = 0; row < source.length; row++) {
    const value = source[row];
    target[offset + row] = value === null || value === undefined ? Number.NaN : Number(value);
  }
}

const isTimestamp = ({ type, converted_type, logical_type }: SchemaElement) =>
  type === "INT96" || logical_type?.type === "TIMESTAMP" || (converted_type ?? "").startsWith("TIMESTAMP");

const isNumeric = (leaf: SchemaElement) =>
  !isTimestamp(leaf) &&
  leaf.num_children === undefined &&
  (leaf.type === "DOUBLE" || leaf.type === "FLOAT" || leaf.type === "INT32" || leaf.type === "INT64") &&
  leaf.converted_type !== "DATE";

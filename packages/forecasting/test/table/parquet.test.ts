import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { createParquetEncoder, readParquet, writeParquet } from "../../src/table/parquet.ts";
import { createTable, sliceRows } from "../../src/table/table.ts";

const tableOf = (rows: number, value: (row: number, column: number) => number) =>
  createTable(
    Float64Array.from({ length: rows }, (_, row) => Date.UTC(2018, 1, 5) + row * 120_000),
    ["down", "up"],
    [0, 1].map((column) => Float64Array.from({ length: rows }, (_, row) => value(row, column))),
  );

test("a table and its metadata come back bit for bit, missing cells included", async () => {
  const cell = fc.oneof(fc.double({ noDefaultInfinity: true }), fc.constant(Number.NaN));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 40 }), async (rows) => {
      const table = tableOf(rows.length, (row, column) => rows[row]?.[column] ?? 0);
      const read = await readParquet(writeParquet(table, { config_hash: "é", preprocess_config: "{}" }));
      expect(read.table).toEqual(table);
      expect(read.metadata).toEqual({ config_hash: "é", preprocess_config: "{}" });
    }),
    { numRuns: 30 },
  );
});

test("a table without rows keeps its columns", async () => {
  const { table } = await readParquet(writeParquet(tableOf(0, () => 0)));
  expect(table.columns).toEqual(["down", "up"]);
  expect(table.timesMs.length).toBe(0);
});

test("pieces encoded one after the other make one file, in row groups", async () => {
  const table = tableOf(70_000, (row, column) => row * 10 + column);
  const encoder = createParquetEncoder(table.columns, { a: "b" });
  const pieces = [
    encoder.write(sliceRows(table, 0, 66_000)),
    encoder.write(sliceRows(table, 66_000)),
    encoder.finish(),
  ];
  const { table: read, metadata } = await readParquet(Buffer.concat(pieces));
  expect(read).toEqual(table);
  expect(metadata).toEqual({ a: "b" });
});

test("a piece with other columns is refused, and a column named like the index", () => {
  const encoder = createParquetEncoder(["x"]);
  expect(() => encoder.write(tableOf(1, () => 0))).toThrow(
    expect.objectContaining({ code: "TABLE_INVALID" }),
  );
  expect(() => createParquetEncoder(["time"])).toThrow("'time' is the index");
});

test("the pandas key names the index and the types", () => {
  const bytes = writeParquet(tableOf(2, () => 1));
  const footer = parquetMetadata(bytes.slice().buffer);
  const pandas = JSON.parse(footer.key_value_metadata?.find(({ key }) => key === "pandas")?.value ?? "{}");
  expect(pandas.index_columns).toEqual(["time"]);
  expect(
    pandas.columns.map((column: { name: string; numpy_type: string }) => [column.name, column.numpy_type]),
  ).toEqual([
    ["down", "float64"],
    ["up", "float64"],
    ["time", "datetime64[ms]"],
  ]);
  const time = footer.schema.find(({ name }) => name === "time");
  expect(time?.logical_type).toEqual({ type: "TIMESTAMP", isAdjustedToUTC: false, unit: "MILLIS" });
});

test("a foreign file is read: other integer types, microseconds, an index of another name, text left out", async () => {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: "count", data: new Int32Array([1, 2]) },
      { name: "big", data: new BigInt64Array([3n, 4n]) },
      { name: "half", data: new Float32Array([0.5, 1.5]) },
      { name: "name", data: ["a", "b"], type: "STRING" },
      { name: "when", data: [5_000n, 7_000n] },
    ].map(({ name, data }) => ({ name, data })),
    schema: [
      { name: "root", num_children: 5 },
      { name: "count", type: "INT32", repetition_type: "REQUIRED" },
      { name: "big", type: "INT64", repetition_type: "REQUIRED" },
      { name: "half", type: "FLOAT", repetition_type: "REQUIRED" },
      { name: "name", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "when", type: "INT64", converted_type: "TIMESTAMP_MICROS", repetition_type: "REQUIRED" },
    ],
    kvMetadata: [{ key: "pandas", value: '{"index_columns":["when"]}' }],
  });
  const { table } = await readParquet(new Uint8Array(bytes));
  expect(table.columns).toEqual(["count", "big", "half"]);
  expect(table.values.map((column) => [...column])).toEqual([
    [1, 2],
    [3, 4],
    [0.5, 1.5],
  ]);
  expect([...table.timesMs]).toEqual([5, 7]);
});

test("garbage, a torn file and a file without time stamps are refused", async () => {
  const whole = writeParquet(tableOf(5, (row) => row));
  const noTime = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "x", data: [1, 2] }] }));
  const refused = [new Uint8Array(), new Uint8Array(64), whole.subarray(0, 60), whole.subarray(40), noTime];
  for (const bytes of refused)
    await expect(readParquet(bytes)).rejects.toMatchObject({ code: "TABLE_INVALID" });
});

test("a file is read from a Buffer that shares its memory with other bytes", async () => {
  const table = createTable(Float64Array.of(0, 1000), ["down"], [Float64Array.of(1, 2)]);
  const file = writeParquet(table);
  const shared = Buffer.concat([Buffer.from("before"), file, Buffer.from("after")]);
  const read = await readParquet(shared.subarray(6, 6 + file.length));
  expect(Array.from(read.table.values[0] ?? [])).toEqual([1, 2]);
});

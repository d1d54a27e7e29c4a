import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import parquetjs from "parquetjs-lite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createParquetEncoder, readParquet, writeParquet } from "../../src/table/parquet.ts";
import { createTable, sliceRows, type Table } from "../../src/table/table.ts";

/** Our files in the hands of other readers, and others' files in ours. `FLTS_PYTHON`: tools/python/requirements.txt. */
const python = process.env["FLTS_PYTHON"];
const folder = mkdtempSync(join(tmpdir(), "flts-parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ROWS = 70_000;
const metadata = { preprocess_config: '{"a":"é"}', config_hash: "6ce79cfa" };

/** Two row groups; extreme numbers, and a column with missing cells beside one without. */
const table: Table = createTable(
  Float64Array.from({ length: ROWS }, (_, row) => Date.UTC(2018, 1, 5, 23, 40) + row * 120_000),
  ["down", "mcs_up", "min_of_day_sin"],
  [
    Float64Array.from(
      { length: ROWS },
      (_, row) => [0, -0, 5e-324, 1.7976931348623157e308, 0.1][row] ?? row / 3,
    ),
    Float64Array.from({ length: ROWS }, (_, row) => (row % 1000 === 3 ? Number.NaN : row)),
    Float64Array.from({ length: ROWS }, (_, row) => Math.sin(row)),
  ],
);
const whole = join(folder, "whole.parquet");
const streamed = join(folder, "streamed.parquet");

beforeAll(() => {
  writeFileSync(whole, writeParquet(table, metadata));
  const encoder = createParquetEncoder(table.columns, metadata);
  const pieces = [0, 30_000, 60_000].map((start) =>
    encoder.write(sliceRows(table, start, Math.min(start + 30_000, ROWS))),
  );
  writeFileSync(streamed, Buffer.concat([...pieces, encoder.finish()]));
});

/** The bytes of a column as every reader must have them, missing cells as pandas' NaN. */
const base64Of = (values: Float64Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");

describe.each(["whole", "streamed"])("a file written %s", (name) => {
  const path = join(folder, `${name}.parquet`);

  test.skipIf(!python)("is a frame with its index of time in pandas, bit for bit (needs FLTS_PYTHON)", () => {
    const script = `
import base64, json, sys
import pandas as pd, pyarrow.parquet as pq
frame = pd.read_parquet(sys.argv[1])
meta = pq.read_schema(sys.argv[1]).metadata
print(json.dumps({
  "index": [frame.index.name, str(frame.index.tz), str(frame.index[0]), str(frame.index[-1]), type(frame.index).__name__],
  "columns": list(frame.columns), "types": sorted({str(t) for t in frame.dtypes}),
  "nulls": [int(n) for n in frame.isna().sum()],
  "bytes": [base64.b64encode(frame[c].to_numpy().tobytes()).decode() for c in frame.columns],
  "meta": {k: meta[k.encode()].decode() for k in ("preprocess_config", "config_hash")},
}))`;
    const output = execFileSync(python ?? "", ["-c", script, path], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    const read = JSON.parse(output) as { bytes: string[] } & Record<string, unknown>;
    expect(read).toMatchObject({
      index: ["time", "None", "2018-02-05 23:40:00", "2018-05-14 04:58:00", "DatetimeIndex"],
      columns: [...table.columns],
      types: ["float64"],
      nulls: [0, ROWS / 1000, 0],
      meta: metadata,
    });
    expect(read.bytes.map((column, index) => column === base64Of(table.values[index]!))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("has the same rows, nulls and metadata in DuckDB", async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const ask = async (sql: string) => (await connection.runAndReadAll(sql, { path })).getRowsJson();
    expect(
      await ask(
        "select count(*), count(mcs_up), min(time)::varchar, max(time)::varchar, typeof(any_value(time)), typeof(any_value(down)) from read_parquet($path)",
      ),
    ).toEqual([
      [
        `${ROWS}`,
        `${ROWS - ROWS / 1000}`,
        "2018-02-05 23:40:00",
        "2018-05-14 04:58:00",
        "TIMESTAMP",
        "DOUBLE",
      ],
    ]);
    const cells = await connection.runAndReadAll(
      "select down, mcs_up, min_of_day_sin, epoch_ms(time)::double from read_parquet($path) order by time",
      { path },
    );
    const columns = cells.getColumns();
    for (const [index, values] of [...table.values, table.timesMs].entries()) {
      const read = Float64Array.from(columns[index] ?? [], (cell) =>
        cell === null ? Number.NaN : Number(cell),
      );
      expect(base64Of(read) === base64Of(values)).toBe(true);
    }
    const pairs = await ask(
      "select decode(key), decode(value) from parquet_kv_metadata($path) where decode(key) <> 'pandas' order by 1 desc",
    );
    expect(pairs).toEqual(Object.entries(metadata));
    connection.closeSync();
  });
});

test.skipIf(!python)("a frame that pandas wrote is read with its index (needs FLTS_PYTHON)", async () => {
  const path = join(folder, "pandas.parquet");
  const script = `
import pandas as pd, numpy as np, sys
index = pd.date_range("2018-02-05 23:40", periods=5, freq="2min", name="when")
pd.DataFrame({"down": [1.5, np.nan, 3, 4, 5], "users": [1, 2, 3, 4, 5], "name": list("abcde")}, index=index).to_parquet(sys.argv[1])`;
  execFileSync(python ?? "", ["-c", script, path]);
  const { table: read } = await readParquet(readFileSync(path));
  expect(read.columns).toEqual(["down", "users"]);
  expect(read.values).toEqual([Float64Array.of(1.5, Number.NaN, 3, 4, 5), Float64Array.of(1, 2, 3, 4, 5)]);
  expect([...read.timesMs]).toEqual(
    [0, 1, 2, 3, 4].map((step) => Date.UTC(2018, 1, 5, 23, 40) + step * 120_000),
  );
});

async function writtenByDuckDb(compression: string): Promise<Uint8Array> {
  const path = join(folder, `duckdb-${compression}.parquet`);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(
    `copy (select timestamp '2018-02-05 23:40:00' + to_minutes(2 * i) as time, i / 4 as down, if(i = 1, null, i) as users
    from range(3) t(i)) to '${path}' (format parquet, compression ${compression})`,
  );
  connection.closeSync();
  return readFileSync(path);
}

test("a file that DuckDB wrote is read, its microseconds included", async () => {
  const { table: read } = await readParquet(await writtenByDuckDb("snappy"));
  expect(read.columns).toEqual(["down", "users"]);
  expect(read.values).toEqual([Float64Array.of(0, 0.25, 0.5), Float64Array.of(0, Number.NaN, 2)]);
  expect(read.timesMs[2]).toBe(Date.UTC(2018, 1, 5, 23, 44));
});

test("a compression that is not read is refused by its name", async () => {
  await expect(readParquet(await writtenByDuckDb("zstd"))).rejects.toMatchObject({
    code: "TABLE_INVALID",
    message: expect.stringContaining("ZSTD"),
  });
});

test.each(["UNCOMPRESSED", "SNAPPY"])("a file that parquetjs-lite wrote is read: %s", async (compression) => {
  const path = join(folder, `parquetjs-${compression}.parquet`);
  const schema = new parquetjs.ParquetSchema({
    time: { type: "TIMESTAMP_MILLIS", compression },
    down: { type: "DOUBLE", compression },
    users: { type: "INT64", compression, optional: true },
    name: { type: "UTF8", compression },
  });
  const writer = await parquetjs.ParquetWriter.openFile(schema, path);
  for (const [row, users] of [7, null, 9].entries())
    await writer.appendRow({
      time: new Date(Date.UTC(2018, 1, 5, 23, 40 + 2 * row)),
      down: row / 3,
      name: "x",
      ...(users === null ? {} : { users }),
    });
  await writer.close();
  const { table: read } = await readParquet(readFileSync(path));
  expect(read.columns).toEqual(["down", "users"]);
  expect(read.values).toEqual([Float64Array.of(0, 1 / 3, 2 / 3), Float64Array.of(7, Number.NaN, 9)]);
  expect([...read.timesMs]).toEqual([0, 2, 4].map((minutes) => Date.UTC(2018, 1, 5, 23, 40 + minutes)));
});

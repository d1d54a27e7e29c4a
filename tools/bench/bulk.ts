import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rowCount, sliceRows } from "@flts/forecasting/table/table";
import {
  Field,
  Float32,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMillisecond,
  tableFromIPC,
} from "apache-arrow";
import { openHome, promote, storeRun, trainLstm } from "./predict/home.ts";
import { startReplica } from "./predict/replica.ts";
import { print } from "./predict/report.ts";
import { benchStation } from "./predict/station.ts";

/** `pnpm bench:bulk`: as many series as `BENCH_SERIES` says (100,000) forecast by one `POST /predict/bulk`, each from ten rows, by a promoted LSTM 2×128. */
const ROWS = 10;
const SERIES_PER_BATCH = 2_000;
const MEMORY_POLL_MS = 50;
const seriesCount = Number(process.env["BENCH_SERIES"] ?? 100_000);

const folder = mkdtempSync(join(tmpdir(), "flts-bench-bulk-"));
const station = benchStation();
const home = await openHome(folder);
await promote(home, await storeRun(home, await trainLstm(station, "a")), 1);
const replica = await startReplica(folder, "a");
const { test } = station;
const starts = rowCount(test) - ROWS;

const fields = [
  new Field("series", new Int32(), false),
  new Field("ts", new TimestampMillisecond(), false),
  ...test.columns.map((name) => new Field(name, new Float32(), false)),
];
const schema = new Schema(fields);

/** Each series is a stretch of the station's test rows. */
function batchFrom(first: number, count: number): RecordBatch {
  const length = count * ROWS;
  const rowOf = (index: number): number => ((first + Math.floor(index / ROWS)) % starts) + (index % ROWS);
  const rows = Int32Array.from({ length }, (_, index) => rowOf(index));
  const { timesMs, values } = sliceRows(test, 0);
  const column = (data: Float32Array | Int32Array | BigInt64Array, field: Field) =>
    makeData({ type: field.type, length, nullCount: 0, data });
  const arrays = [
    Int32Array.from({ length }, (_, index) => first + Math.floor(index / ROWS)),
    BigInt64Array.from(rows, (row) => BigInt(timesMs[row]!)),
    ...values.map((source) => Float32Array.from(rows, (row) => source[row]!)),
  ];
  const children = arrays.map((data, index) => column(data, fields[index]!));
  return new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children }));
}

const writer = new RecordBatchStreamWriter();
writer.reset(undefined, schema);
for (let first = 0; first < seriesCount; first += SERIES_PER_BATCH)
  writer.write(batchFrom(first, Math.min(SERIES_PER_BATCH, seriesCount - first)));
writer.finish();
const body = writer.toUint8Array(true);

const before = replica.residentMiB();
let peak = before;
const watch = setInterval(() => {
  peak = Math.max(peak, replica.residentMiB());
}, MEMORY_POLL_MS);
const begun = performance.now();
const response = await fetch(`http://${replica.host}:${replica.port}/predict/bulk`, {
  method: "POST",
  headers: { "content-type": "application/vnd.apache.arrow.stream" },
  body,
});
const headMs = performance.now() - begun;
const answer = new Uint8Array(await response.arrayBuffer());
const seconds = (performance.now() - begun) / 1000;
clearInterval(watch);
if (response.status !== 200) throw new Error(Buffer.from(answer).toString());
const { numRows } = tableFromIPC(answer);
print("predict.bulk", {
  series: seriesCount,
  answered: numRows,
  requestMiB: Math.round(body.length / 1024 ** 2),
  seconds: Number(seconds.toFixed(2)),
  windowsPerSecond: Math.round(numRows / seconds),
  headMs: Math.round(headMs),
  residentMiB: Math.round(before),
  peakMiB: Math.round(peak),
});
await replica.stop();
await home.backends.close();
rmSync(folder, { recursive: true, force: true });

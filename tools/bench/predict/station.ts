import { readFileSync } from "node:fs";
import { join } from "node:path";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { createCsvReader } from "@flts/forecasting/table/csv";
import { rowCount, sliceRows, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { postRequest } from "@flts/testing/load/target";

/** A station to serve: measurements to train on, and later ones to ask with. */
export interface BenchStation {
  readonly name: string;
  readonly train: Table;
  readonly test: Table;
}

const SYNTHETIC_ROWS = { train: 3_000, test: 700 };

/** PobleSec where `FLTS_DATASET_DIR` names a folder that has it; made-up measurements otherwise. */
export function benchStation(): BenchStation {
  const folder = process.env["FLTS_DATASET_DIR"] ?? "";
  if (folder === "") return madeUpStation(SYNTHETIC_ROWS);
  const read = (file: string): Table => {
    const reader = createCsvReader({ file });
    reader.push(readFileSync(join(folder, file)));
    return reader.finish();
  };
  return { name: "PobleSec", train: read("PobleSec.csv"), test: read("PobleSec_test.csv") };
}

export function madeUpStation({
  train,
  test,
}: {
  readonly train: number;
  readonly test: number;
}): BenchStation {
  const all = synthesizeStation({ seed: 7, rows: train + test, startMs: Date.UTC(2018, 1, 5) });
  return { name: "synthetic", train: sliceRows(all, 0, train), test: sliceRows(all, train) };
}

/** Rows of one request, as many as the reference's payload has. */
const ROWS = 30;

/** The rows of the request with this number: each begins one row later. */
export const historyOf = ({ test }: BenchStation, request: number): Table =>
  sliceRows(test, request, request + ROWS);

/** Different requests in the reference's shape: 30 rows with their time stamps in `ts` and the eleven measurements, about 4 KB. */
export function predictRequests(station: BenchStation, wanted: number, steps?: number): Uint8Array[] {
  const count = Math.min(wanted, rowCount(station.test) - ROWS);
  return Array.from({ length: count }, (_, request) => {
    const { timesMs, columns, values } = historyOf(station, request);
    const data = {
      ts: Array.from(timesMs, (timeMs) => formatTimestamp(timeMs)),
      ...Object.fromEntries(columns.map((column, index) => [column, [...values[index]!]])),
    };
    return postRequest("/predict", JSON.stringify({ data, ...(steps ? { inference_length: steps } : {}) }));
  });
}

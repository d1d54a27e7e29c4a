import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { inferenceData } from "@flts/common/contracts/events";
import type { LoggedForecast } from "@flts/common/contracts/inference-log";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";

/** Tables and forecasts of these tests: two-minute rows of `down` and `up` from 2018-01-05 on. */

export const START_MS = Date.UTC(2018, 0, 5);
export const STEP_MS = 120_000;

/** The time of a row, as logs write it. */
export const tsOf = (row: number): string => new Date(START_MS + row * STEP_MS).toISOString().slice(0, 19);

/** Rows from number `from` on, with these values of `down`. */
export function tableFrom(from: number, down: readonly number[]): Table {
  const timesMs = Float64Array.from(down, (_, row) => START_MS + (from + row) * STEP_MS);
  return createTable(timesMs, ["down", "up"], [Float64Array.from(down), new Float64Array(down.length)]);
}

/** A forecast of the rows after row `origin`, each with an interval of ±1. */
export function forecastAfter(
  origin: number,
  values: readonly number[],
  fields: Partial<LoggedForecast> = {},
): LoggedForecast {
  return {
    timestamp: "2026-01-01T00:00:00.000Z",
    v: 1,
    operation: "Forecast",
    status: "SUCCESS",
    identifier: "default",
    run_id: "run-1",
    model_type: "LINEAR",
    config_hash: "config-1",
    epoch: 1,
    req_id: "0123abcd",
    origin: tsOf(origin),
    last: { down: 0 },
    steps: values.map((value, step) => ({
      ts: tsOf(origin + 1 + step),
      pred: { down: value },
      lower: { down: value - 1 },
      upper: { down: value + 1 },
    })),
    ...fields,
  };
}

/** Stores a table as preprocess does, unscaled. @returns the claim on it */
export async function storeTable(store: ObjectStore, table: Table, identifier = "") {
  const scaling = {
    kind: "none",
    columns: table.columns.map((column) => ({ column, center: 0, divisor: 1, scale: 1, shift: 0 })),
  };
  return storeBytes(store, writeParquet(table, { scaling: JSON.stringify(scaling) }), identifier);
}

/** Stores what may or may not be a table. @returns the claim on it */
export async function storeBytes(store: ObjectStore, bytes: Uint8Array, identifier = "") {
  await store.ensureBucket("processed-data");
  const keyOf = (digest: string): string => keys.processedTable(identifier, digest, "test_processed_data");
  const claim = await storeClaimed(store, "processed-data", keyOf, bytes);
  return inferenceData.schema.parse({ ...claim, identifier, operation: "post: test data" });
}

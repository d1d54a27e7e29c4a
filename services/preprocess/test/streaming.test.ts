import { openClaim } from "@flts/common/claim-check/claim-check";
import { codeOf } from "@flts/common/contracts/errors";
import { trainingData } from "@flts/common/contracts/events";
import { loadConfig } from "@flts/common/service/config";
import { type Preprocessed, preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { readParquet, writeParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";
import fc from "fast-check";
import { expect, test } from "vitest";
import { preprocessSettings, settingsOf } from "../src/config.ts";
import { createWorkbench } from "./workbench.ts";

test("through files and disk comes bit for bit what the pipeline makes in memory", async () => {
  const cell = fc.option(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { nil: Number.NaN, freq: 5 });
  const step = fc.constantFrom(1, 1, 1, 1, 2, 5);
  const table = fc.array(fc.tuple(step, cell, cell, cell), { minLength: 8, maxLength: 40 }).map((rows) =>
    stationOf(
      rows.map(([steps]) => steps),
      [1, 2, 3].map((at) => rows.map((row) => row[at] ?? 0)),
    ),
  );
  const variables = fc.record({
    SCALER: fc.constantFrom("MinMaxScaler", "StandardScaler", "RobustScaler", "MaxAbsScaler", "none"),
    HANDLE_NANS: fc.constantFrom("1", "0"),
    NANS_METHOD: fc.constantFrom("mean", "time"),
    CLIP_ENABLE: fc.constantFrom("1", "0"),
    CLIP_TEST_LIMITS: fc.constantFrom("train", "own"),
    NANS_DROP_ROWS: fc.constantFrom("1", "0"),
    LAGS_ENABLE: fc.constantFrom("1", "0"),
    LAGS_N: fc.constantFrom("0", "1", "2"),
    LAGS_STEP: fc.constantFrom("1", "2"),
    SAMPLE_STRATEGY: fc.constantFrom("head", "random"),
    SAMPLE_TRAIN_ROWS: fc.constantFrom("0", "6"),
  });
  await fc.assert(
    fc.asyncProperty(table, table, variables, async (train, later, environment) => {
      const bench = await createWorkbench();
      await bench.upload("s.csv", toCsv(train));
      await bench.upload("s_test.csv", toCsv(later));
      const settings = settingsOf(loadConfig(preprocessSettings, environment), "s.csv", "s_test.csv");
      const [expected, actual] = [
        outcome(() => preprocessPair(train, later, settings)),
        await bench.run({ DATASET_NAME: "s", ...environment }).then(() => bench.tables(), codeOf),
      ];
      expect(actual).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test("a file of several row groups has the bytes of one that is written at once", async () => {
  const rows = Array.from({ length: 66_000 }, (_, row) => row);
  const long = stationOf(
    rows.map(() => 1),
    [rows, rows.map((row) => (row === 65_800 ? Number.NaN : -row)), rows.map((row) => row % 7)],
  );
  const bench = await createWorkbench();
  await bench.upload("s.csv", toCsv(long));
  await bench.upload("s_test.csv", toCsv(long));
  await bench.run({ DATASET_NAME: "s", HANDLE_NANS: "0" });
  const [claim] = bench.claims(trainingData);
  const bytes = await openClaim(bench.store, claim!, { allowedBuckets: ["processed-data"], maxBytes: 1e9 });
  const { table, metadata } = await readParquet(bytes);
  expect(table.timesMs).toEqual(long.timesMs);
  expect(Buffer.compare(bytes, writeParquet(table, metadata))).toBe(0);
});

/** The tables, or the code of the error. */
function outcome(action: () => Preprocessed): unknown {
  try {
    const { train, test: later } = action();
    return { train, test: later };
  } catch (error) {
    return codeOf(error);
  }
}

function stationOf(steps: readonly number[], columns: readonly (readonly number[])[]): Table {
  let timeMs = Date.UTC(2024, 1, 28);
  const times = Float64Array.from(steps, (count) => (timeMs += count * 120_000));
  return createTable(
    times,
    ["down", "up", "rnti_count"],
    columns.map((column) => Float64Array.from(column)),
  );
}

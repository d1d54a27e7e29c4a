import { trainingData } from "@flts/common/contracts/events";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { createTable, rowCount, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { beforeEach, describe, expect, test } from "vitest";
import { createWorkbench, type Workbench } from "./workbench.ts";

/** What measurements look like on a bad day: each ends in a table without NaN or in one error that says what to do. */
let bench: Workbench;
beforeEach(async () => {
  bench = await createWorkbench();
});

const MINUTE_MS = 60_000;
const start = Date.UTC(2024, 0, 1);

/** `down` as given, `up` counting, at the given minutes (every two by default). */
function station(down: readonly number[], minutes = down.map((_, row) => row * 2), firstMs = start): Table {
  return createTable(
    Float64Array.from(minutes, (minute) => firstMs + minute * MINUTE_MS),
    ["down", "up"],
    [Float64Array.from(down), Float64Array.from(down, (_, row) => row)],
  );
}

async function run(train: Table | string, later: Table | string, variables: Record<string, string> = {}) {
  await bench.upload("s.csv", typeof train === "string" ? train : toCsv(train));
  await bench.upload("s_test.csv", typeof later === "string" ? later : toCsv(later));
  await bench.run({ DATASET_NAME: "s", ...variables });
  return bench.tables();
}

const complete = (table: Table) => !table.values.some((column) => column.some(Number.isNaN));
const gridOf = (table: "train" | "test") =>
  bench.lines.find((line) => line["event"] === "imputation_applied" && line["table"] === table);
const scalers = ["MinMaxScaler", "StandardScaler", "RobustScaler", "MaxAbsScaler", "none"];
const plain = station([1, 2, 3, 4, 5]);

describe("becomes a table, and the line imputation_applied tells of it:", () => {
  test("gaps and an irregular grid", async () => {
    const { train } = await run(station([1, 2, 3, 4, 5], [0, 2, 4, 11, 13]), plain);
    expect(rowCount(train)).toBe(5);
    expect(gridOf("train")).toMatchObject({
      step_ms: 120_000,
      gaps: 1,
      missing_rows: 3,
      irregular_share: 0.25,
    });
    expect(gridOf("test")).toMatchObject({ gaps: 0, irregular_share: 0 });
  });

  test("an hour that clocks skip in spring is a gap", async () => {
    const times = [0, 2, 62, 64];
    await run(station([1, 2, 3, 4], times, Date.UTC(2024, 2, 31, 1, 56)), plain);
    expect(gridOf("train")).toMatchObject({ gaps: 1, missing_rows: 29 });
  });

  test("a leap day is a day", async () => {
    const days = [0, 1, 2].map((day) => day * 1440);
    const { train } = await run(station([1, 2, 3], days, Date.UTC(2024, 1, 28)), plain);
    expect(Array.from(train.timesMs, (time) => formatTimestamp(time).slice(0, 10))).toEqual([
      "2024-02-28",
      "2024-02-29",
      "2024-03-01",
    ]);
    await expect(run("time,down\n2023-02-29 00:00:00,1\n", plain)).rejects.toThrow(/2023-02-29/);
  });

  test("a column without values goes, with its name", async () => {
    const { train, test: later } = await run(station([1, 2, 3].map(() => Number.NaN)), plain);
    expect(train.columns).not.toContain("down");
    expect(later.columns).toEqual(train.columns);
    expect(gridOf("train")).toMatchObject({ dropped_columns: ["down"] });
  });

  test.each(scalers)("a constant, under %s", async (scaler) => {
    const { train, test: later } = await run(station([7, 7, 7, 7]), plain, { SCALER: scaler });
    expect([complete(train), complete(later)]).toEqual([true, true]);
  });

  test.each(scalers)("one row in each file, under %s", async (scaler) => {
    const { train, test: later } = await run(station([7]), station([8]), {
      SCALER: scaler,
      CLIP_ENABLE: "1",
      NANS_METHOD: "time",
    });
    expect([rowCount(train), rowCount(later), complete(train), complete(later)]).toEqual([1, 1, true, true]);
    expect(bench.claims(trainingData)[0]?.["rows"]).toBe(1);
  });

  test("fifty rows of many", async () => {
    const long = station(Array.from({ length: 300 }, (_, row) => Math.sin(row)));
    const { train, test: later } = await run(long, long, { SAMPLE_TRAIN_ROWS: "50", SAMPLE_TEST_ROWS: "50" });
    expect([rowCount(train), rowCount(later)]).toEqual([50, 50]);
    expect(complete(train)).toBe(true);
  });
});

const times = (...stamps: string[]) => ["time,down", ...stamps.map((stamp) => `${stamp},1`)].join("\n");

describe("is refused, sends no claim and leaves no object:", () => {
  test.each<[string, Table | string, Table | string, Record<string, string>, string, RegExp]>([
    [
      "the hour that clocks repeat in autumn",
      times("2024-10-27 02:56:00", "2024-10-27 02:58:00", "2024-10-27 02:00:00"),
      plain,
      {},
      "CSV_INVALID",
      /line 4.*clocks were set back.*UTC/,
    ],
    ["rows out of order", times("2024-01-02", "2024-01-01"), plain, {}, "CSV_INVALID", /sort the rows/],
    ["a time twice", times("2024-01-02", "2024-01-02"), plain, {}, "CSV_INVALID", /appears twice/],
    ["infinity", "time,down\n2024-01-01,Infinity\n", plain, {}, "CSV_INVALID", /not a finite number/],
    [
      "nothing but missing cells",
      "time,down\n2024-01-01,\n2024-01-02,NaN\n",
      plain,
      {},
      "TABLE_TOO_SHORT",
      /s\.csv: nothing remains of 2 rows/,
    ],
    [
      "a test file without a column",
      plain,
      "time,up\n2024-01-01,1\n",
      {},
      "COLUMN_MISSING",
      /s_test\.csv.*down/,
    ],
    ["more lags than rows", plain, plain, { LAGS_ENABLE: "1", LAGS_N: "5" }, "TABLE_TOO_SHORT", /LAGS_N/],
    [
      "a share that is none",
      plain,
      plain,
      { CLIP_ENABLE: "1", CLIP_METHOD: "percentile", CLIP_FACTOR: "1.5" },
      "SETTINGS_INVALID",
      /CLIP_FACTOR/,
    ],
    [
      "more columns than the spill may hold",
      plain,
      plain,
      { SPILL_MAX_BYTES: "100" },
      "OBJECT_TOO_LARGE",
      /SPILL_MAX_BYTES/,
    ],
    [
      "a folder for the spill that is not there",
      plain,
      plain,
      { SPILL_DIR: "/absent" },
      "CONFIG_INVALID",
      /SPILL_DIR/,
    ],
  ])("%s", async (_, train, later, variables, code, message) => {
    await expect(run(train, later, variables)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await bench.keys("processed-data")).toEqual([]);
    expect(bench.published.map(({ topic }) => topic)).toEqual(["DLQ-preprocess"]);
  });
});

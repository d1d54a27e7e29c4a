import { createHash } from "node:crypto";
import { sumOf } from "@flts/common/scaler/sum";
import { describe, expect, test } from "vitest";
import { preprocessPair } from "../../src/preprocess/pipeline.ts";
import { defaultSettings, type PreprocessSettings } from "../../src/preprocess/settings.ts";
import { mapColumns, rowCount, sliceRows, type Table, toMatrix } from "../../src/table/table.ts";
import { formatTimestamp } from "../../src/table/timestamp.ts";
import { worst } from "../support/close.ts";
import {
  datasetDir,
  fixturesDir,
  readFixture,
  readStation,
  readSynthetic,
  readTwins,
} from "../support/data.ts";

/** What pandas and scikit-learn made of the committed station: see tools/fixtures/forecasting_twins.py. */
interface FrameTwin {
  shape: [number, number];
  columns: string[];
  first_time: string;
  sums: (number | null)[];
  first3: (number | null)[][];
  last3: (number | null)[][];
  sha256_f32: string;
}
const twins: { frames: Record<string, { train: FrameTwin; test: FrameTwin }> } = JSON.parse(
  readTwins("preprocess-twins.json"),
);

type Change = { [Part in keyof PreprocessSettings]?: Partial<PreprocessSettings[Part]> };

function changed(settings: PreprocessSettings, change: Change): PreprocessSettings {
  const { data, nans, outliers, timeFeatures, lags, scaling } = settings;
  return {
    data: { ...data, ...change.data },
    nans: { ...nans, ...change.nans },
    outliers: { ...outliers, ...change.outliers },
    timeFeatures: { ...timeFeatures, ...change.timeFeatures },
    lags: { ...lags, ...change.lags },
    scaling: { ...scaling, ...change.scaling },
    hashSalt: settings.hashSalt,
  };
}

const sha256F32 = (table: Table) =>
  createHash("sha256")
    .update(new Uint8Array(Float32Array.from(toMatrix(table)).buffer))
    .digest("hex");
/** As the twins were made: what is 0 up to rounding is 0. */
const snapToZero = (values: Float64Array) => values.map((value) => (Math.abs(value) < 1e-12 ? 0 : value));
const edges = (table: Table) => [
  ...toMatrix(sliceRows(table, 0, 3)),
  ...toMatrix(sliceRows(table, rowCount(table) - 3)),
];

describe("preprocessing the synthetic pair agrees with pandas and scikit-learn:", () => {
  const iqr = { enabled: true, method: "IQR", factor: 1.5 };
  const variants: Record<string, Change> = {
    defaults: {},
    standard: { scaling: { method: "StandardScaler" } },
    robust: { scaling: { method: "RobustScaler" } },
    max_abs: { scaling: { method: "MaxAbsScaler" } },
    "no scaler": { scaling: { method: "" } },
    "iqr 1.5": { outliers: iqr },
    "percentile 0.05": { outliers: { enabled: true, method: "percentile", factor: 0.05 } },
    "two lags": { lags: { enabled: true, count: 2 } },
    "two lags, step 2": { lags: { enabled: true, count: 2, step: 2 } },
    "constant 3.5": { scaling: { method: "", addConstant: "3.5" } },
    "no time features": { timeFeatures: { enabled: false } },
    "drop rows": { nans: { dropRows: true, threshold: 0.1 } },
    "interpolated in time": { nans: { method: "time" } },
    "head 50": { data: { sampleTrainRows: 50, sampleTestRows: 50 } },
    everything: {
      data: { sampleTrainRows: 200, sampleTestRows: 200 },
      nans: { dropRows: true, threshold: 0.1 },
      outliers: iqr,
      lags: { enabled: true, count: 1 },
      scaling: { method: "RobustScaler" },
    },
  };

  test("every variant has a twin", () => {
    expect(Object.keys(variants)).toEqual(Object.keys(twins.frames));
  });

  test.each(Object.entries(variants))("%s", (name, change) => {
    const settings = changed(defaultSettings("Synthetic.csv", "Synthetic_test.csv"), change);
    const result = preprocessPair(
      readSynthetic("Synthetic.csv"),
      readSynthetic("Synthetic_test.csv"),
      settings,
    );
    for (const side of ["train", "test"] as const) {
      const table = result[side];
      const twin = twins.frames[name]?.[side];
      expect([rowCount(table), table.columns.length]).toEqual(twin?.shape);
      expect(table.columns).toEqual(twin?.columns);
      expect(formatTimestamp(table.timesMs[0] ?? 0)).toBe(twin?.first_time);
      expect(
        worst(edges(table), [...(twin?.first3 ?? []), ...(twin?.last3 ?? [])].flat()),
      ).toBeLessThanOrEqual(1);
      const sums = table.values.map((column) => sumOf(column).sum / rowCount(table));
      const expected = (twin?.sums ?? []).map((sum) => (sum ?? Number.NaN) / rowCount(table));
      expect(
        sums.every(
          (sum, index) => Math.abs(sum - (expected[index] ?? 0)) <= 1e-9 * Math.max(1, Math.abs(sum)),
        ),
      ).toBe(true);
      expect(sha256F32(mapColumns(table, snapToZero))).toBe(twin?.sha256_f32);
    }
  });
});

/** `preprocess_golden.json` of the reference. */
interface Golden {
  [station: string]: {
    scaler: { data_min: number[]; scale: number[]; min: number[] };
    [frame: string]: unknown;
  };
}
interface GoldenFrame {
  columns: string[];
  first_time: string;
  first5: number[][];
  last5: number[][];
  sha256_f32: string;
}

const golden = (): Golden => JSON.parse(readFixture("preprocess_golden.json"));
const reason = "(needs FLTS_FIXTURES_DIR and FLTS_DATASET_DIR)";
describe.skipIf(fixturesDir === "" || datasetDir === "")(`preprocessing real stations ${reason}`, () => {
  const run = (station: string, change: Change = {}) =>
    preprocessPair(
      readStation(`${station}.csv`),
      readStation(`${station}_test.csv`),
      changed(defaultSettings(`${station}.csv`, `${station}_test.csv`), change),
    );

  test.each(["PobleSec", "ElBorn"])(
    "%s by default has the reference's values, bytes and limits",
    (station) => {
      const result = run(station);
      const expected = golden()[station];
      for (const [table, frame] of [
        [result.train, expected?.["train"]],
        [result.test, expected?.["test_train_scaler"]],
      ] as [Table, GoldenFrame][]) {
        expect(table.columns).toEqual(frame.columns);
        expect(formatTimestamp(table.timesMs[0] ?? 0)).toBe(frame.first_time);
        expect(worst(toMatrix(sliceRows(table, 0, 5)), frame.first5.flat())).toBeLessThanOrEqual(1);
        expect(
          worst(toMatrix(sliceRows(table, rowCount(table) - 5)), frame.last5.flat()),
        ).toBeLessThanOrEqual(1);
        expect(sha256F32(table)).toBe(frame.sha256_f32);
      }
      const { scale, min } = expected?.scaler ?? { scale: [], min: [] };
      expect(
        worst(
          result.scaling.columns.map((column) => column.scale),
          scale,
        ),
      ).toBeLessThanOrEqual(1);
      expect(
        worst(
          result.scaling.columns.map((column) => column.shift),
          min,
        ),
      ).toBeLessThanOrEqual(1);
    },
  );

  test("PobleSec counts its imputed cells, and its grid is regular", () => {
    const { report } = run("PobleSec");
    expect(report.train.imputation.filledCells).toEqual({ mcs_up: 11, mcs_up_var: 11 });
    expect(report.train.grid).toEqual({
      stepMs: 120_000,
      gaps: 0,
      missingRows: 0,
      duplicates: 0,
      irregularShare: 0,
    });
  });

  test("the first 50 rows have the reference's bytes", () => {
    const frame = golden()["PobleSec"]?.["head50_train"] as GoldenFrame;
    expect(sha256F32(run("PobleSec", { data: { sampleTrainRows: 50 } }).train)).toBe(frame.sha256_f32);
  });

  const own = { enabled: true, testLimits: "own" } as const;
  test.each<[string, Change]>([
    ["clip_iqr_1.5", { outliers: { ...own, method: "iqr", factor: 1.5 } }],
    ["clip_percentile_0.05", { outliers: { ...own, method: "percentile", factor: 0.05 } }],
    ["standard", { scaling: { method: "StandardScaler" } }],
    ["robust", { scaling: { method: "RobustScaler" } }],
    ["max_abs", { scaling: { method: "MaxAbsScaler" } }],
    ["lags_2_step_1", { lags: { enabled: true, count: 2 } }],
  ])("variant %s has the reference's bytes", (variant, change) => {
    const frames = (
      golden()["variants_of_PobleSec"] as unknown as Record<string, Record<string, GoldenFrame>>
    )[variant];
    const result = run("PobleSec", change);
    expect(sha256F32(result.train)).toBe(frames?.["train"]?.sha256_f32);
    expect(sha256F32(result.test)).toBe(frames?.["test"]?.sha256_f32);
  });
});

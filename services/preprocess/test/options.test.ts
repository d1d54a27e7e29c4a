import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "@flts/common/service/config";
import { canonicalConfig } from "@flts/forecasting/preprocess/config-hash";
import { mapColumns, rowCount, type Table, toMatrix } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { describe, expect, test } from "vitest";
import { preprocessSettings, settingsOf } from "../src/config.ts";
import { createWorkbench } from "./workbench.ts";

/** Every setting of the reference (behaviour §4.1), from the variable to the stored table. */
type Variables = Record<string, string>;

const synthetic = join(import.meta.dirname, "../../../packages/forecasting/test/fixtures");
const datasetDir = process.env["FLTS_DATASET_DIR"] ?? "";
const fixturesDir = process.env["FLTS_FIXTURES_DIR"] ?? "";

async function tablesOf(folder: string, station: string, variables: Variables) {
  const bench = await createWorkbench();
  for (const file of [`${station}.csv`, `${station}_test.csv`])
    await bench.upload(file, readFileSync(join(folder, file)));
  await bench.run({ DATASET_NAME: station, ...variables });
  return bench.tables();
}

const sha256F32 = (table: Table) =>
  createHash("sha256")
    .update(new Uint8Array(Float32Array.from(toMatrix(table)).buffer))
    .digest("hex");
/** As the twins were made: what is 0 up to rounding is 0. */
const snapToZero = (values: Float64Array) => values.map((value) => (Math.abs(value) < 1e-12 ? 0 : value));

/** What pandas and scikit-learn made of the committed station. */
interface FrameTwin {
  readonly shape: readonly number[];
  readonly columns: readonly string[];
  readonly first_time: string;
  readonly sha256_f32: string;
}

describe("the job's tables are those of pandas and scikit-learn:", () => {
  const twins = JSON.parse(readFileSync(join(synthetic, "preprocess-twins.json"), "utf8")) as {
    frames: Record<string, { train: FrameTwin; test: FrameTwin }>;
  };
  const variants: Record<string, Variables> = {
    defaults: {},
    standard: { SCALER: "StandardScaler" },
    robust: { SCALER: "RobustScaler" },
    max_abs: { SCALER: "MaxAbsScaler" },
    "no scaler": { SCALER: "none" },
    "iqr 1.5": { CLIP_ENABLE: "true", CLIP_METHOD: "IQR" },
    "percentile 0.05": { CLIP_ENABLE: "yes", CLIP_METHOD: "percentile", CLIP_FACTOR: "0.05" },
    "two lags": { LAGS_ENABLE: "1", LAGS_N: "2" },
    "two lags, step 2": { LAGS_ENABLE: "on", LAGS_N: "2", LAGS_STEP: "2" },
    "constant 3.5": { SCALER: "none", ADD_VAL: "3.5" },
    "no time features": { TIME_FEATURES_ENABLE: "false" },
    "drop rows": { NANS_DROP_ROWS: "1", NANS_THRESHOLD: "0.1" },
    "interpolated in time": { NANS_METHOD: "time" },
    "head 50": { SAMPLE_TRAIN_ROWS: "50", SAMPLE_TEST_ROWS: "50" },
    everything: {
      SAMPLE_TRAIN_ROWS: "200",
      SAMPLE_TEST_ROWS: "200",
      NANS_DROP_ROWS: "true",
      NANS_THRESHOLD: "0.1",
      CLIP_ENABLE: "true",
      LAGS_ENABLE: "true",
      LAGS_N: "1",
      SCALER: "RobustScaler",
    },
  };

  test("every twin is made", () => {
    expect(Object.keys(variants)).toEqual(Object.keys(twins.frames));
  });

  test.each(Object.entries(variants))("%s", async (name, variables) => {
    const tables = await tablesOf(synthetic, "Synthetic", variables);
    for (const side of ["train", "test"] as const) {
      const twin = twins.frames[name]?.[side];
      const table = tables[side];
      expect(table.columns).toEqual(twin?.columns);
      expect([rowCount(table), table.columns.length]).toEqual(twin?.shape);
      expect(formatTimestamp(table.timesMs[0] ?? 0)).toBe(twin?.first_time);
      expect(sha256F32(mapColumns(table, snapToZero))).toBe(twin?.sha256_f32);
    }
  });
});

describe.skipIf(datasetDir === "" || fixturesDir === "")(
  "the job's tables have the reference's bytes (needs FLTS_DATASET_DIR and FLTS_FIXTURES_DIR):",
  () => {
    type Frame = { readonly sha256_f32: string };
    type Golden = Record<string, Record<string, Frame & Record<"train" | "test", Frame>>>;
    const golden = (): Golden =>
      JSON.parse(readFileSync(join(fixturesDir, "preprocess_golden.json"), "utf8")) as Golden;

    test("PobleSec by default, and its first 50 rows", async () => {
      const frames = golden()["PobleSec"];
      const { train, test: later } = await tablesOf(datasetDir, "PobleSec", {});
      expect(sha256F32(train)).toBe(frames?.["train"]?.sha256_f32);
      expect(sha256F32(later)).toBe(frames?.["test_train_scaler"]?.sha256_f32);
      const head = await tablesOf(datasetDir, "PobleSec", { SAMPLE_TRAIN_ROWS: "50" });
      expect(sha256F32(head.train)).toBe(frames?.["head50_train"]?.sha256_f32);
    });

    const clip = { CLIP_ENABLE: "1", CLIP_TEST_LIMITS: "own" };
    test.each<[string, Variables]>([
      ["clip_iqr_1.5", { ...clip, CLIP_METHOD: "iqr", CLIP_FACTOR: "1.5" }],
      ["clip_percentile_0.05", { ...clip, CLIP_METHOD: "percentile", CLIP_FACTOR: "0.05" }],
      ["standard", { SCALER: "StandardScaler" }],
      ["robust", { SCALER: "RobustScaler" }],
      ["max_abs", { SCALER: "MaxAbsScaler" }],
      ["lags_2_step_1", { LAGS_ENABLE: "1", LAGS_N: "2" }],
    ])("PobleSec, %s", async (name, variables) => {
      const frame = golden()["variants_of_PobleSec"]?.[name];
      const { train, test: later } = await tablesOf(datasetDir, "PobleSec", variables);
      expect(sha256F32(train)).toBe(frame?.train.sha256_f32);
      expect(sha256F32(later)).toBe(frame?.test.sha256_f32);
    });
  },
);

/** A file of two districts. */
const mixed = (first: number) =>
  ["time,District,down,up"]
    .concat(
      [0, 2, 4, 6].flatMap((minute) =>
        ["Les Corts", "El Born"].map(
          (name, index) => `2024-01-01 00:0${minute}:00,${name},${first + minute + index},${minute}`,
        ),
      ),
    )
    .join("\n");
const runMixed = async (variables: Variables) => {
  const bench = await createWorkbench();
  await bench.upload("full.csv", mixed(0));
  await bench.upload("full_test.csv", mixed(10));
  await bench.run({ DATASET_NAME: "full", SCALER: "none", TIME_FEATURES_ENABLE: "0", ...variables });
  return bench.tables();
};

describe("DISTRICT", () => {
  test("keeps one district's rows of a file that holds several", async () => {
    const { train, test: later } = await runMixed({ DISTRICT: "El Born" });
    expect(train.columns).toEqual(["down", "up"]);
    expect(train.values[0]).toEqual(Float64Array.of(1, 3, 5, 7));
    expect(later.values[0]).toEqual(Float64Array.of(11, 13, 15, 17));
  });

  test("is asked for where it is missing, and names the districts there are where it is wrong", async () => {
    await expect(runMixed({})).rejects.toThrow(/several districts/);
    await expect(runMixed({ DISTRICT: "Sants" })).rejects.toThrow(/Les Corts, El Born/);
  });
});

describe("sampling at random", () => {
  test("depends on the seed, and so does the round", async () => {
    const bench = await createWorkbench();
    for (const file of ["Synthetic.csv", "Synthetic_test.csv"])
      await bench.upload(file, readFileSync(join(synthetic, file)));
    const draw = async (seed: string) => {
      await bench.run({
        DATASET_NAME: "Synthetic",
        SAMPLE_STRATEGY: "random",
        SAMPLE_TRAIN_ROWS: "20",
        SAMPLE_SEED: seed,
      });
      return (await bench.tables()).train.timesMs;
    };
    const first = await draw("1");
    expect(first).toHaveLength(20);
    expect(first).toEqual(first.toSorted());
    expect(await draw("2")).not.toEqual(first);
    expect(await draw("1")).toEqual(first);
  });
});

test("with imputation off a missing cell is a null, and stays one", async () => {
  const { train } = await tablesOf(synthetic, "Synthetic", { HANDLE_NANS: "off" });
  expect(train.values.some((column) => column.some(Number.isNaN))).toBe(true);
});

const load = (variables: Variables) => loadConfig(preprocessSettings, variables);

describe("the configuration", () => {
  test("of the reference has the reference's canonical text", () => {
    const config = load({
      SAMPLE_TRAIN_ROWS: "51",
      SAMPLE_TEST_ROWS: "31",
      SAMPLE_SEED: "45",
      EXTRA_HASH_SALT: "forceInfer1",
    });
    const text = canonicalConfig(settingsOf(config, "PobleSec.csv", "PobleSec_test.csv"));
    expect(createHash("sha256").update(text).digest("hex")).toBe(
      "eab7f59ada0acba006771c40c8eae95f37648e24d610f023cb6f29175e93d952",
    );
  });

  test("names every variable at fault", () => {
    expect(() =>
      load({ SCALER: "Fancy", CLIP_METHOD: "mad", LAGS_STEP: "0", NANS_THRESHOLD: "2", ADD_VAL: "much" }),
    ).toThrow(/5 fault\(s\).*NANS_THRESHOLD.*CLIP_METHOD.*LAGS_STEP.*SCALER.*ADD_VAL/);
  });
});

import { setting } from "@flts/common/service/config";
import type { PreprocessSettings } from "@flts/forecasting/preprocess/settings";
import { z } from "zod";

/** The job's settings: the reference's names and defaults (behaviour §4.1). */
export const preprocessSettings = {
  IDENTIFIER: setting.text(""),
  INPUT_BUCKET: setting.text("dataset"),
  OUTPUT_BUCKET: setting.text("processed-data"),
  /** Where candidates lie: a table that has one was trained on. */
  PROMOTION_BUCKET: setting.text("model-promotion"),
  /** Gives `<name>.csv` and `<name>_test.csv`. Several, with commas between, or `*` for all that are there: `stations.ts`. */
  DATASET_NAME: setting.text(""),
  /** Named files win over DATASET_NAME. */
  TRAIN_FILE: setting.text(""),
  TEST_FILE: setting.text(""),
  OUTPUT_TRAIN: setting.text("processed_data"),
  OUTPUT_TEST: setting.text("test_processed_data"),
  FORCE_REPROCESS: setting.flag(false),
  /** Only the rows whose `District` column says this. */
  DISTRICT: setting.text(""),

  SAMPLE_TRAIN_ROWS: setting.int(0),
  SAMPLE_TEST_ROWS: setting.int(0),
  SAMPLE_STRATEGY: setting.choice(["head", "random"], "head"),
  SAMPLE_SEED: setting.int(42),

  HANDLE_NANS: setting.flag(true),
  NANS_THRESHOLD: setting.number(0.33, { min: 0, max: 1 }),
  NANS_KNN: setting.int(2, { min: 1 }),
  NANS_DROP_ROWS: setting.flag(false),
  /** `mean` is the reference's; `time` interpolates between the neighbours in time. */
  NANS_METHOD: setting.choice(["mean", "time"], "mean"),

  CLIP_ENABLE: setting.flag(false),
  /** In any case of letters, as in the reference. */
  CLIP_METHOD: z
    .string()
    .toLowerCase()
    .pipe(z.enum(["iqr", "percentile"]))
    .default("iqr"),
  CLIP_FACTOR: setting.number(1.5, { min: 0 }),
  /** Whose limits clip the test table: the train table's, or as in the reference its own. */
  CLIP_TEST_LIMITS: setting.choice(["train", "own"], "train"),

  TIME_FEATURES_ENABLE: setting.flag(true),
  LAGS_ENABLE: setting.flag(false),
  LAGS_N: setting.int(0),
  LAGS_STEP: setting.int(1, { min: 1 }),
  SCALER: setting.choice(
    ["MinMaxScaler", "StandardScaler", "RobustScaler", "MaxAbsScaler", "none"],
    "MinMaxScaler",
  ),
  /** A constant added to every value; kept as text because that is how it is hashed. */
  ADD_VAL: z
    .string()
    .refine((text) => Number.isFinite(Number(text)), "must be a number")
    .optional(),
  EXTRA_HASH_SALT: setting.text(""),

  /** Where columns lie that do not fit into memory; the system's folder for temporary files when not set. */
  SPILL_DIR: setting.text(""),
  /** Ten million rows of eleven columns need 4 GB. */
  SPILL_MAX_BYTES: setting.int(8 * 1024 ** 3, { min: 1 }),

  TOPIC_PARTITIONS: setting.int(4, { min: 1, max: 1_000 }),
};

export type PreprocessConfig = z.infer<z.ZodObject<typeof preprocessSettings>>;

/** The numeric side of the configuration, for one pair of files. */
export function settingsOf(
  config: PreprocessConfig,
  trainFile: string,
  testFile: string,
): PreprocessSettings {
  return {
    data: {
      trainFile,
      testFile,
      sampleTrainRows: config.SAMPLE_TRAIN_ROWS,
      sampleTestRows: config.SAMPLE_TEST_ROWS,
      sampleStrategy: config.SAMPLE_STRATEGY,
      sampleSeed: config.SAMPLE_SEED,
      district: config.DISTRICT,
    },
    nans: {
      enabled: config.HANDLE_NANS,
      threshold: config.NANS_THRESHOLD,
      knnNeighbors: config.NANS_KNN,
      dropRows: config.NANS_DROP_ROWS,
      method: config.NANS_METHOD,
    },
    outliers: {
      enabled: config.CLIP_ENABLE,
      method: config.CLIP_METHOD,
      factor: config.CLIP_FACTOR,
      testLimits: config.CLIP_TEST_LIMITS,
    },
    timeFeatures: { enabled: config.TIME_FEATURES_ENABLE },
    lags: { enabled: config.LAGS_ENABLE, count: config.LAGS_N, step: config.LAGS_STEP },
    scaling: {
      method: config.SCALER === "none" ? "" : config.SCALER,
      addConstant: config.ADD_VAL ?? null,
    },
    hashSalt: config.EXTRA_HASH_SALT,
  };
}

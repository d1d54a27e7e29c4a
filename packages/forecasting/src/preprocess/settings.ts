import { FltsError } from "@flts/common/contracts/errors";
import { scalerKind } from "@flts/common/scaler/fit";

/** What preprocessing can be told (reference behaviour §4.1). Plain data; a service reads it from its environment. */
export interface PreprocessSettings {
  readonly data: {
    readonly trainFile: string;
    readonly testFile: string;
    /** 0 keeps all rows. */
    readonly sampleTrainRows: number;
    readonly sampleTestRows: number;
    /** `head` (also when empty) or `random`. */
    readonly sampleStrategy: string;
    readonly sampleSeed: number;
    /** Only the rows whose `District` column says this; all when empty. */
    readonly district: string;
  };
  readonly nans: {
    readonly enabled: boolean;
    /** With `dropRows`, a row goes when more than this share of its cells is missing. */
    readonly threshold: number;
    /** Hashed only: imputing one column at a time has no neighbours, and comes to the column mean. */
    readonly knnNeighbors: number;
    readonly dropRows: boolean;
    /** `mean` is the reference's; `time` interpolates linearly between the neighbours in time. */
    readonly method: "mean" | "time";
  };
  readonly outliers: {
    readonly enabled: boolean;
    /** `iqr` or `percentile`, in any case of letters. */
    readonly method: string;
    readonly factor: number;
    /** Whether the test table is clipped by the train table's limits or, as in the reference, by its own. */
    readonly testLimits: "train" | "own";
  };
  readonly timeFeatures: { readonly enabled: boolean };
  readonly lags: { readonly enabled: boolean; readonly count: number; readonly step: number };
  readonly scaling: {
    /** A name of scikit-learn's, or empty for none. */
    readonly method: string;
    /** Added to every measurement; kept as text because the text is what is hashed. */
    readonly addConstant: string | null;
  };
  /** Changes the hash and nothing else. */
  readonly hashSalt: string;
}

/** The reference's. */
export const DEFAULT_SAMPLE_SEED = 42;

/** The reference's defaults for a pair of files (17 columns for a station). */
export function defaultSettings(trainFile: string, testFile: string): PreprocessSettings {
  return {
    data: {
      trainFile,
      testFile,
      sampleTrainRows: 0,
      sampleTestRows: 0,
      sampleStrategy: "head",
      sampleSeed: DEFAULT_SAMPLE_SEED,
      district: "",
    },
    nans: { enabled: true, threshold: 0.33, knnNeighbors: 2, dropRows: false, method: "mean" },
    outliers: { enabled: false, method: "iqr", factor: 1.5, testLimits: "train" },
    timeFeatures: { enabled: true },
    lags: { enabled: false, count: 0, step: 1 },
    scaling: { method: "MinMaxScaler", addConstant: null },
    hashSalt: "",
  };
}

/** Checks what types cannot say. @throws SETTINGS_INVALID, naming the setting by its environment variable */
export function checkSettings(settings: PreprocessSettings): void {
  const { data, nans, outliers, lags, scaling } = settings;
  const rules: readonly (readonly [boolean, string])[] = [
    [
      isCount(data.sampleTrainRows),
      `SAMPLE_TRAIN_ROWS must be a whole number of rows, 0 for all; it is ${data.sampleTrainRows}`,
    ],
    [
      isCount(data.sampleTestRows),
      `SAMPLE_TEST_ROWS must be a whole number of rows, 0 for all; it is ${data.sampleTestRows}`,
    ],
    [
      ["head", "random", ""].includes(data.sampleStrategy),
      `SAMPLE_STRATEGY must be head or random; it is '${data.sampleStrategy}'`,
    ],
    [nans.threshold >= 0 && nans.threshold <= 1, `NANS_THRESHOLD must lie in 0 … 1; it is ${nans.threshold}`],
    [
      ["iqr", "percentile"].includes(outliers.method.toLowerCase()),
      `CLIP_METHOD must be iqr or percentile; it is '${outliers.method}'`,
    ],
    [
      outliers.factor >= 0 && Number.isFinite(outliers.factor),
      `CLIP_FACTOR must not be negative; it is ${outliers.factor}`,
    ],
    [
      outliers.method.toLowerCase() !== "percentile" || !outliers.enabled || outliers.factor <= 0.5,
      `CLIP_FACTOR is a share of at most 0.5 when CLIP_METHOD is percentile; it is ${outliers.factor}`,
    ],
    [isCount(lags.count), `LAGS_N must be a whole number; it is ${lags.count}`],
    [
      isCount(lags.step) && lags.step >= 1,
      `LAGS_STEP must be a whole number of at least 1; it is ${lags.step}`,
    ],
    [
      scaling.addConstant === null || isNumber(scaling.addConstant),
      `ADD_VAL must be a number; it is '${scaling.addConstant}'`,
    ],
  ];
  const broken = rules.filter(([holds]) => !holds).map(([, message]) => message);
  if (broken.length > 0) throw new FltsError("SETTINGS_INVALID", broken.join("; "));
  scalerKind(scaling.method);
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
const isNumber = (text: string) => text.trim() !== "" && Number.isFinite(Number(text));

import { createHash } from "node:crypto";
import { DEFAULT_SAMPLE_SEED, type PreprocessSettings } from "./settings.ts";

/** A tree as Python sees it: a bigint is an integer, a number is a float. */
export type PythonJson = null | boolean | string | bigint | number | { readonly [key: string]: PythonJson };

/** The settings' text of reference behaviour §4.4. Settings beyond the reference appear only where they are not the default. */
export function canonicalConfig(settings: PreprocessSettings): string {
  const { data, nans, outliers, timeFeatures, lags, scaling, hashSalt } = settings;
  return pythonJson({
    handle_nans: {
      enabled: nans.enabled,
      threshold: nans.threshold,
      knn_neighbors: BigInt(nans.knnNeighbors),
      drop_rows: nans.dropRows,
      ...(nans.method === "mean" ? {} : { method: nans.method }),
    },
    outliers: {
      enabled: outliers.enabled,
      method: outliers.method.toLowerCase(),
      factor: outliers.factor,
      ...(outliers.testLimits === "train" ? {} : { test_limits: outliers.testLimits }),
    },
    time_features: { enabled: timeFeatures.enabled },
    lags: { enabled: lags.enabled, n_lags: BigInt(lags.count), step: BigInt(lags.step) },
    scaling: { method: scaling.method.trim(), add_constant: scaling.addConstant },
    extra: { hash_salt: hashSalt },
    _data: {
      train_file: data.trainFile,
      test_file: data.testFile,
      sample_train_rows: BigInt(data.sampleTrainRows),
      sample_test_rows: BigInt(data.sampleTestRows),
      sample_strategy: data.sampleStrategy,
      ...(drawsRows(data) && data.sampleSeed !== DEFAULT_SAMPLE_SEED
        ? { sample_seed: BigInt(data.sampleSeed) }
        : {}),
      ...(data.district === "" ? {} : { district: data.district }),
    },
  });
}

/** Whether the seed changes anything. The reference never hashes it, so that two draws passed for one. */
const drawsRows = ({
  sampleStrategy,
  sampleTrainRows,
  sampleTestRows,
}: PreprocessSettings["data"]): boolean =>
  sampleStrategy === "random" && sampleTrainRows + sampleTestRows > 0;

/** SHA-256 of the canonical settings in hexadecimal: the reference's `config_hash`. */
export function configHash(settings: PreprocessSettings): string {
  return createHash("sha256").update(canonicalConfig(settings)).digest("hex");
}

/** JSON as `json.dumps(value, sort_keys=True, separators=(",", ":"))` prints it, ASCII escapes included. */
export function pythonJson(value: PythonJson): string {
  if (typeof value === "string") return asciiString(value);
  if (typeof value === "number") return pythonFloat(value);
  if (value === null || typeof value !== "object") return String(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${asciiString(key)}:${pythonJson(item)}`).join(",")}}`;
}

/** A float as Python's `repr`: shortest digits, an exponent below 1e-4 and from 1e16 on, of at least two digits. */
export function pythonFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [digits = "", exponentText = "0"] = Math.abs(value).toExponential().split("e");
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const plain = digits.replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${plain}`;
  const whole = plain.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${plain.slice(exponent + 1) || "0"}`;
}

function asciiString(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

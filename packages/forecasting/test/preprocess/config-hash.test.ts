import { describe, expect, test } from "vitest";
import { canonicalConfig, configHash, pythonFloat, pythonJson } from "../../src/preprocess/config-hash.ts";
import { defaultSettings, type PreprocessSettings } from "../../src/preprocess/settings.ts";
import { readTwins } from "../support/data.ts";

const twins: {
  config: {
    floats: { value: number; text: string }[];
    hashes: Record<string, { canonical: string; sha256: string }>;
  };
} = JSON.parse(readTwins("preprocess-twins.json"));

const poblesec = defaultSettings("PobleSec.csv", "PobleSec_test.csv");
const sampled = (
  hashSalt: string,
  sampleTrainRows: number,
  sampleTestRows: number,
  sampleStrategy = "head",
) => ({
  ...poblesec,
  data: { ...poblesec.data, sampleTrainRows, sampleTestRows, sampleStrategy },
  hashSalt,
});

test.each<[string, PreprocessSettings, string]>([
  ["defaults", poblesec, "6ce79cfae0029f0499e5ca7a14f996ee0fe8c7d4f2a4bbf2fe78d3ae6b155ea9"],
  [
    "threemodel_reset1",
    sampled("threemodel_reset1", 50, 50),
    "e309764d596299df3c5ebd60d478591199466e26b65c40845c89b7a28dd4ae29",
  ],
  [
    "e2e_auto_flow_nov4",
    sampled("e2e_auto_flow_nov4", 50, 50),
    "eb6b5e16f3511014c92388ba6b80a5fd5598ccc6af7355175d49f38fbb579f96",
  ],
  [
    "forceInfer1, 50/50",
    sampled("forceInfer1", 50, 50),
    "8999be31be63d86d0bfcd155ea74a56b6192a9dfa2490f077d019571a6deed1f",
  ],
  [
    "forceInfer1, 51/31",
    sampled("forceInfer1", 51, 31),
    "eab7f59ada0acba006771c40c8eae95f37648e24d610f023cb6f29175e93d952",
  ],
  [
    "no strategy",
    sampled("forceInfer1", 0, 0, ""),
    "d0c1e855bccb40c80e1cf917615e56c0191847f03f19b543b031eaaf2837e6dd",
  ],
])("the hash of the reference's variant '%s' holds (§4.4)", (_, settings, expected) => {
  expect(configHash(settings)).toBe(expected);
});

test("the seventh variant of the reference starts as quoted there", () => {
  expect(configHash(sampled("v2_prophet_fix", 50, 30))).toMatch(/^6e59091b/);
});

describe("agrees with Python's json.dumps:", () => {
  const base = defaultSettings("Synthetic.csv", "Synthetic_test.csv");
  const variants: Record<string, PreprocessSettings> = {
    defaults: base,
    "factor 2": { ...base, outliers: { ...base.outliers, enabled: true, factor: 2, method: "IQR" } },
    "factor 1e-05": { ...base, outliers: { ...base.outliers, factor: 0.00001, method: "Percentile" } },
    "threshold 1": { ...base, nans: { ...base.nans, threshold: 1 } },
    "salt with umlaut, quote and emoji": { ...base, hashSalt: 'Zürich "1" \u2028 😀\u007f' },
    constant: { ...base, scaling: { method: " MinMaxScaler ", addConstant: "3.50" } },
  };
  test.each(Object.entries(twins.config.hashes))("%s", (name, { canonical, sha256 }) => {
    const settings = variants[name] ?? base;
    expect(canonicalConfig(settings)).toBe(canonical);
    expect(configHash(settings)).toBe(sha256);
  });

  test.each(twins.config.floats)("the float $text", ({ text }) => {
    expect(pythonFloat(Number(text))).toBe(text);
  });

  test("integers, floats and the rest differ", () => {
    expect(pythonJson({ b: 1n, a: 1, c: null, d: true, e: "x" })).toBe(
      '{"a":1.0,"b":1,"c":null,"d":true,"e":"x"}',
    );
  });
});

test("settings beyond the reference change the hash only where they are used", () => {
  const { data, nans, outliers } = poblesec;
  const differs = (change: Partial<PreprocessSettings>) =>
    configHash({ ...poblesec, ...change }) !== configHash(poblesec);
  expect(differs({ nans: { ...nans, method: "time" } })).toBe(true);
  expect(differs({ outliers: { ...outliers, testLimits: "own" } })).toBe(true);
  expect(differs({ data: { ...data, district: "PobleSec" } })).toBe(true);
});

const draw = (sampleStrategy: string, sampleTestRows: number, sampleSeed: number) =>
  configHash({ ...poblesec, data: { ...poblesec.data, sampleStrategy, sampleTestRows, sampleSeed } });

test("the seed changes the hash where rows are drawn by it, and only there", () => {
  expect(draw("random", 50, 7)).not.toBe(draw("random", 50, 42));
  expect(draw("random", 0, 7)).toBe(draw("random", 0, 42));
  expect(draw("head", 50, 7)).toBe(draw("head", 50, 42));
  expect(draw("random", 50, 42)).toBe(configHash(sampled("", 0, 50, "random")));
});

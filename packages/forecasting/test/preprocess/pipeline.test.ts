import { invertScaling } from "@flts/common/scaler/scaling";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { preprocessPair } from "../../src/preprocess/pipeline.ts";
import { checkSettings, defaultSettings, type PreprocessSettings } from "../../src/preprocess/settings.ts";
import {
  columnOf,
  createTable,
  mapColumns,
  selectColumns,
  sliceRows,
  type Table,
} from "../../src/table/table.ts";
import { readSynthetic } from "../support/data.ts";

const train = readSynthetic("Synthetic.csv");
const later = readSynthetic("Synthetic_test.csv");
const settings = defaultSettings("Synthetic.csv", "Synthetic_test.csv");
const emptied = (table: Table, name: string) =>
  mapColumns(table, (values, column) => (column === name ? values.map(() => Number.NaN) : values));

test("the train table fills 0 … 1, and the test table is scaled by the train table's limits", () => {
  const result = preprocessPair(train, later, settings);
  for (const column of result.train.values) {
    expect(Math.min(...column)).toBeGreaterThanOrEqual(-1e-12);
    expect(Math.max(...column)).toBeLessThanOrEqual(1 + 1e-12);
  }
  const { columns } = result.test;
  const back = createTable(
    result.test.timesMs,
    columns,
    invertScaling(result.scaling, columns, result.test.values),
  );
  const raw = columnOf(later, "down");
  columnOf(back, "down").forEach((value, row) => expect(value / (raw[row] ?? 0)).toBeCloseTo(1, 12));
});

test("nothing in the test table changes the train table or the scaling", () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: 10, noNaN: true }), (factor) => {
      const altered = mapColumns(later, (values) => values.map((value) => value * factor));
      const { train: same, scaling } = preprocessPair(train, altered, settings);
      const original = preprocessPair(train, later, settings);
      expect(same).toEqual(original.train);
      expect(scaling).toEqual(original.scaling);
    }),
    { numRuns: 10 },
  );
});

test("columns of the test table follow the train table's order, and others are left out", () => {
  const reordered = selectColumns(later, later.columns.toReversed());
  expect(preprocessPair(train, reordered, settings).test).toEqual(
    preprocessPair(train, later, settings).test,
  );
  const narrow = selectColumns(train, ["up", "down"]);
  expect(preprocessPair(narrow, later, settings).test.columns.slice(0, 2)).toEqual(["up", "down"]);
});

test("a column that is empty in the train file goes from both; one empty in the test file becomes the train mean", () => {
  const without = preprocessPair(emptied(train, "mcs_up"), later, settings);
  expect(without.train.columns).not.toContain("mcs_up");
  expect(without.test.columns).toEqual(without.train.columns);
  expect(without.report.train.imputation.droppedColumns).toEqual(["mcs_up"]);
  const filled = preprocessPair(train, emptied(later, "mcs_up"), settings);
  expect(new Set(columnOf(filled.test, "mcs_up")).size).toBe(1);
});

test("with imputation off, gaps stay gaps", () => {
  const off = preprocessPair(train, later, { ...settings, nans: { ...settings.nans, enabled: false } });
  expect(columnOf(off.train, "mcs_up").some(Number.isNaN)).toBe(true);
});

describe("is refused:", () => {
  test("a test file that lacks a column, naming both files", () => {
    expect(() => preprocessPair(train, selectColumns(later, ["down"]), settings)).toThrow(
      /Synthetic_test.csv lacks columns that Synthetic.csv has: up, rnti_count/,
    );
  });

  test("a table of which nothing remains", () => {
    const empty = sliceRows(train, 0, 0);
    expect(() => preprocessPair(empty, later, settings)).toThrow(
      expect.objectContaining({ code: "TABLE_TOO_SHORT" }),
    );
  });

  test.each<[string, (base: PreprocessSettings) => PreprocessSettings]>([
    ["SAMPLE_TRAIN_ROWS", (base) => ({ ...base, data: { ...base.data, sampleTrainRows: -1 } })],
    ["SAMPLE_TEST_ROWS", (base) => ({ ...base, data: { ...base.data, sampleTestRows: 1.5 } })],
    ["SAMPLE_STRATEGY", (base) => ({ ...base, data: { ...base.data, sampleStrategy: "tail" } })],
    ["NANS_THRESHOLD", (base) => ({ ...base, nans: { ...base.nans, threshold: 1.1 } })],
    ["CLIP_METHOD", (base) => ({ ...base, outliers: { ...base.outliers, method: "mad" } })],
    ["CLIP_FACTOR", (base) => ({ ...base, outliers: { ...base.outliers, factor: Number.NaN } })],
    [
      "CLIP_FACTOR",
      (base) => ({
        ...base,
        outliers: { ...base.outliers, enabled: true, method: "percentile", factor: 0.6 },
      }),
    ],
    ["LAGS_N", (base) => ({ ...base, lags: { ...base.lags, count: -1 } })],
    ["LAGS_STEP", (base) => ({ ...base, lags: { ...base.lags, step: 0 } })],
    ["ADD_VAL", (base) => ({ ...base, scaling: { ...base.scaling, addConstant: "much" } })],
    ["unknown scaler", (base) => ({ ...base, scaling: { ...base.scaling, method: "Fancy" } })],
  ])("a setting out of range: %s", (name, change) => {
    expect(() => checkSettings(change(settings))).toThrow(
      expect.objectContaining({ code: "SETTINGS_INVALID" }),
    );
    expect(() => checkSettings(change(settings))).toThrow(name);
  });
});

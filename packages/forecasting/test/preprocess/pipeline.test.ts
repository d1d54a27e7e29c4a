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

/** Rows every two minutes. */
const tiny = (values: Record<string, ArrayLike<number>>) => {
  const columns = Object.values(values).map((cells) => Float64Array.from(cells));
  const timesMs = Float64Array.from(columns[0] ?? [], (_, row) => row * 120_000);
  return createTable(timesMs, Object.keys(values), columns);
};
const counted = (rows: number) => {
  const numbers = Array.from({ length: rows }, (_, row) => row);
  return tiny({ a: numbers.map((row) => 2 ** row), b: numbers.map((row) => -row) });
};
const lagged = (rows: number, count: number, step: number) =>
  preprocessPair(counted(rows), counted(rows), {
    ...settings,
    timeFeatures: { enabled: false },
    lags: { enabled: true, count, step },
    scaling: { method: "", addConstant: null },
  }).train;

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

test("a test column whose values go with the sparse rows becomes the train mean, and stays", () => {
  const result = preprocessPair(
    tiny({ a: [1, 2, 3], b: [1, 2, 3], c: [2, 4, 6] }),
    tiny({ a: [1, Number.NaN, 3], b: [1, Number.NaN, 3], c: [Number.NaN, 5, Number.NaN] }),
    {
      ...settings,
      nans: { ...settings.nans, dropRows: true, threshold: 0.34 },
      timeFeatures: { enabled: false },
      scaling: { method: "", addConstant: null },
    },
  );
  expect(result.test.columns).toEqual(["a", "b", "c"]);
  expect(result.test.values).toEqual([Float64Array.of(1, 3), Float64Array.of(1, 3), Float64Array.of(4, 4)]);
  expect(result.report.test.imputation).toEqual({
    droppedRows: 1,
    droppedColumns: [],
    filledCells: { c: 2 },
  });
});

describe("lags", () => {
  test("append every column per lag and drop the first rows", () => {
    const { columns, values, timesMs } = lagged(4, 2, 1);
    expect(columns).toEqual(["a", "b", "a_lag(-1)", "b_lag(-1)", "a_lag(-2)", "b_lag(-2)"]);
    expect(values.map((column) => [...column])).toEqual([
      [4, 8],
      [-2, -3],
      [2, 4],
      [-1, -2],
      [1, 2],
      [0, -1],
    ]);
    expect([...timesMs]).toEqual([240_000, 360_000]);
  });

  test("with a step above 1 leave gaps in the first rows that remain, as the reference does", () => {
    const { columns, values } = lagged(6, 2, 2);
    expect(columns).toEqual(["a", "b", "a_lag(-2)", "b_lag(-2)", "a_lag(-4)", "b_lag(-4)"]);
    expect([...(values[2] ?? [])]).toEqual([1, 2, 4, 8]);
    expect([...(values[4] ?? [])]).toEqual([Number.NaN, Number.NaN, 1, 2]);
  });

  test("need more rows than lags", () => {
    expect(() => lagged(4, 4, 1)).toThrow(expect.objectContaining({ code: "TABLE_TOO_SHORT" }));
    expect(lagged(4, 0, 1).columns).toEqual(["a", "b"]);
  });
});

describe("is refused:", () => {
  test("a file with a column that is called like a feature", () => {
    const named = { ...train, columns: ["min_of_day_sin", ...train.columns.slice(1)] };
    const run = (change: Partial<PreprocessSettings>) => () =>
      preprocessPair(named, named, { ...settings, ...change });
    expect(run({})).toThrow(expect.objectContaining({ code: "TABLE_INVALID" }));
    expect(run({})).toThrow("'min_of_day_sin'");
    expect(run({ timeFeatures: { enabled: false } })).not.toThrow();
  });

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

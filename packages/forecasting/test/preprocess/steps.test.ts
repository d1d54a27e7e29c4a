import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clipColumns, fitClipLimits } from "../../src/preprocess/clip.ts";
import { modalStep, reportGrid } from "../../src/preprocess/grid.ts";
import { imputeMissing } from "../../src/preprocess/impute.ts";
import { addLags, parseLagColumn } from "../../src/preprocess/lags.ts";
import { sampleRows } from "../../src/preprocess/sample.ts";
import { defaultSettings } from "../../src/preprocess/settings.ts";
import { timeFeatureColumns, timeFeaturesOf } from "../../src/preprocess/time-features.ts";
import { columnOf, createTable, rowCount, type Table } from "../../src/table/table.ts";
import { parseTimestamp } from "../../src/table/timestamp.ts";
import { worst } from "../support/close.ts";
import { datasetDir, fixturesDir, readFixture, readStation, readTwins } from "../support/data.ts";

const STEP = 120_000;
const table = (values: Record<string, number[]>, times?: number[]): Table => {
  const columns = Object.values(values).map((column) => Float64Array.from(column));
  const timesMs = Float64Array.from(times ?? Array.from(columns[0] ?? [], (_, row) => row * STEP));
  return createTable(timesMs, Object.keys(values), columns);
};
const nans = defaultSettings("a", "b").nans;
const gap = Number.NaN;

describe("sampling", () => {
  const rows = table({ a: Array.from({ length: 100 }, (_, row) => row) });

  test("0 rows, or more than there are, keeps all", () => {
    expect(sampleRows(rows, 0, "head", 1)).toBe(rows);
    expect(sampleRows(rows, 100, "random", 1)).toBe(rows);
  });

  test("head takes the first rows", () => {
    expect([...columnOf(sampleRows(rows, 3, "head", 1), "a")]).toEqual([0, 1, 2]);
    expect(rowCount(sampleRows(rows, 3, "", 1))).toBe(3);
  });

  test("random takes as many different rows, in order of time, the same for the same seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer(), (count, seed) => {
        const drawn = sampleRows(rows, count, "random", seed);
        const values = [...columnOf(drawn, "a")];
        expect(new Set(values).size).toBe(count);
        expect(values).toEqual(values.toSorted((a, b) => a - b));
        expect([...drawn.timesMs]).toEqual(values.map((value) => value * STEP));
        expect(sampleRows(rows, count, "random", seed)).toEqual(drawn);
      }),
    );
  });

  test("random draws all rows equally often", () => {
    const counts = new Float64Array(10);
    const ten = table({ a: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] });
    for (let seed = 0; seed < 3000; seed++) {
      for (const value of columnOf(sampleRows(ten, 3, "random", seed), "a"))
        counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 900)).toBeLessThan(110);
  });
});

describe("imputing", () => {
  test("fills with the column's mean, drops empty columns and counts", () => {
    const { table: filled, report } = imputeMissing(
      table({ a: [1, gap, 3], b: [gap, gap, gap], c: [1, 2, 3] }),
      nans,
    );
    expect(filled.columns).toEqual(["a", "c"]);
    expect([...columnOf(filled, "a")]).toEqual([1, 2, 3]);
    expect(report).toEqual({ droppedRows: 0, droppedColumns: ["b"], filledCells: { a: 1 } });
  });

  test("drops rows with too few values before anything else, at the limit keeping them", () => {
    const rows = table({ a: [1, gap, gap, 4], b: [1, 2, gap, 4], c: [1, 2, gap, 4], d: [gap, 2, 3, 4] });
    const { table: kept, report } = imputeMissing(rows, { ...nans, dropRows: true, threshold: 0.25 });
    expect(report.droppedRows).toBe(1);
    expect([...kept.timesMs]).toEqual([0, STEP, 3 * STEP]);
    expect(imputeMissing(rows, { ...nans, dropRows: true, threshold: 0.2 }).report.droppedRows).toBe(3);
  });

  test("interpolates by time, not by row, and holds the ends", () => {
    const rows = table({ a: [gap, 1, gap, 5, gap, gap] }, [0, 1, 4, 5, 6, 9]);
    const { table: filled } = imputeMissing(rows, { ...nans, method: "time" });
    expect([...columnOf(filled, "a")]).toEqual([1, 1, 4, 5, 5, 5]);
  });

  test("leaves no gap behind, whatever is missing", () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
      fc.constant(gap),
    );
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1 }),
        fc.constantFrom("mean" as const, "time" as const),
        (values, method) => {
          const { table: filled } = imputeMissing(table({ a: values }), { ...nans, method });
          expect(filled.values.every((column) => !column.some(Number.isNaN))).toBe(true);
        },
      ),
    );
  });
});

describe("clipping", () => {
  test("by interquartile range and by percentile", () => {
    const rows = table({ a: [1, 2, 3, 4, 100] });
    expect(fitClipLimits(rows, "IQR", 1.5)).toEqual({ a: { lower: -1, upper: 7 } });
    expect(fitClipLimits(rows, "percentile", 0.25)).toEqual({ a: { lower: 2, upper: 4 } });
    expect([...columnOf(clipColumns(rows, { a: { lower: 2, upper: 4 } }), "a")]).toEqual([2, 2, 3, 4, 4]);
  });

  test("leaves a column without limits and a missing cell alone", () => {
    const rows = table({ a: [1, gap], b: [9, 9] });
    const clipped = clipColumns(rows, { a: { lower: 2, upper: 3 } });
    expect([...columnOf(clipped, "a")]).toEqual([2, gap]);
    expect([...columnOf(clipped, "b")]).toEqual([9, 9]);
  });

  test.skipIf(fixturesDir === "" || datasetDir === "")(
    "has the reference's limits on real columns (needs FLTS_FIXTURES_DIR and FLTS_DATASET_DIR)",
    () => {
      const golden: {
        clip: {
          cases: { method: string; factor: number; columns: Record<string, Record<string, number>> }[];
        };
      } = JSON.parse(readFixture("scaler_cases.json"));
      const { table: imputed } = imputeMissing(readStation("PobleSec.csv"), nans);
      for (const { method, factor, columns } of golden.clip.cases) {
        const limits = fitClipLimits(imputed, method, factor);
        for (const [column, { lower = gap, upper = gap, above, below }] of Object.entries(columns)) {
          expect(
            worst([limits[column]?.lower ?? gap, limits[column]?.upper ?? gap], [lower, upper]),
          ).toBeLessThanOrEqual(1);
          const values = [...columnOf(imputed, column)];
          expect(values.filter((value) => value > (limits[column]?.upper ?? gap)).length).toBe(above);
          expect(values.filter((value) => value < (limits[column]?.lower ?? gap)).length).toBe(below);
        }
      }
    },
  );
});

describe("time features", () => {
  const twins: { time_features: { columns: string[]; rows: { time: string; features: number[] }[] } } =
    JSON.parse(readTwins("preprocess-twins.json"));

  test("have the reference's names and order", () => {
    expect([...timeFeatureColumns]).toEqual(twins.time_features.columns);
  });

  test.each(twins.time_features.rows)("of $time are pandas'", ({ time, features }) => {
    const got = timeFeaturesOf(Float64Array.of(parseTimestamp(time))).map(([value]) => value ?? gap);
    expect(worst(got, features)).toBeLessThanOrEqual(1);
  });

  test.skipIf(fixturesDir === "")("are those of scaler_cases.json (needs FLTS_FIXTURES_DIR)", () => {
    const golden: { time_features: { rows: Record<string, string | number>[] } } = JSON.parse(
      readFixture("scaler_cases.json"),
    );
    for (const row of golden.time_features.rows) {
      const got = timeFeaturesOf(Float64Array.of(parseTimestamp(String(row["time"])))).map(
        ([value]) => value ?? gap,
      );
      expect(
        worst(
          got,
          timeFeatureColumns.map((column) => Number(row[column])),
        ),
      ).toBeLessThanOrEqual(1);
    }
  });
});

describe("lags", () => {
  const demo = { a: [1, 2, 4, 8], b: [0, -1, -2, -3] };

  test("append every column per lag and drop the first rows", () => {
    const lagged = addLags(table(demo), 2, 1);
    expect(lagged.columns).toEqual(["a", "b", "a_lag(-1)", "b_lag(-1)", "a_lag(-2)", "b_lag(-2)"]);
    expect(lagged.values.map((column) => [...column])).toEqual([
      [4, 8],
      [-2, -3],
      [2, 4],
      [-1, -2],
      [1, 2],
      [0, -1],
    ]);
  });

  test("with a step above 1 leave gaps in the first rows that remain, as the reference does", () => {
    const lagged = addLags(table({ a: [1, 2, 3, 4, 5, 6] }), 2, 2);
    expect(lagged.columns).toEqual(["a", "a_lag(-2)", "a_lag(-4)"]);
    expect(lagged.values.map((column) => [...column])).toEqual([
      [3, 4, 5, 6],
      [1, 2, 3, 4],
      [gap, gap, 1, 2],
    ]);
  });

  test("are found by time: a row that was left out is missing, not replaced by its neighbour", () => {
    const lagged = addLags(
      table(
        { a: [1, 2, 4, 5] },
        [0, 1, 3, 4].map((step) => step * STEP),
      ),
      1,
      1,
    );
    expect([...columnOf(lagged, "a_lag(-1)")]).toEqual([1, gap, 4]);
  });

  test("need more rows than lags", () => {
    expect(() => addLags(table(demo), 4, 1)).toThrow(expect.objectContaining({ code: "TABLE_TOO_SHORT" }));
    expect(addLags(table(demo), 0, 1).columns).toEqual(["a", "b"]);
  });

  test("have names that can be read back", () => {
    expect(parseLagColumn("rb_up_var_lag(-12)")).toEqual({ column: "rb_up_var", n: 12 });
    expect(parseLagColumn("rb_up_var")).toBeUndefined();
  });
});

describe("the grid report", () => {
  test("of a regular table is all zeros", () => {
    expect(reportGrid(table({ a: [1, 2, 3] }))).toEqual({
      stepMs: STEP,
      gaps: 0,
      missingRows: 0,
      duplicates: 0,
      irregularShare: 0,
    });
  });

  test("counts gaps, the rows they lack, duplicates and the share of irregular steps", () => {
    const report = reportGrid(table({ a: [0, 0, 0, 0, 0, 0] }, [0, 10, 20, 50, 50, 55]));
    expect(report).toEqual({ stepMs: 10, gaps: 1, missingRows: 2, duplicates: 1, irregularShare: 3 / 5 });
  });

  test("of one row has no step, and of ties takes the smaller", () => {
    expect(reportGrid(table({ a: [1] }))).toMatchObject({ stepMs: gap, irregularShare: 0 });
    expect(modalStep(Float64Array.of(5, 3, 5, 3))).toBe(3);
    expect(modalStep(Float64Array.of(0, 0, -1))).toBeNaN();
  });
});

import { meanOf } from "@flts/common/scaler/sum";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clipValues, fitClipLimits } from "../../src/preprocess/clip.ts";
import { modalStep, reportGrid } from "../../src/preprocess/grid.ts";
import {
  chooseDenseRows,
  countMissing,
  dropMissing,
  fillMissing,
  interpolateInTime,
} from "../../src/preprocess/impute.ts";
import { lagColumn, lagValues, parseLagColumn, rowsBefore } from "../../src/preprocess/lags.ts";
import { pickRows, sampleRows } from "../../src/preprocess/sample.ts";
import { timeFeatureColumns, timeFeaturesOf } from "../../src/preprocess/time-features.ts";
import { columnsOf } from "../../src/table/columns.ts";
import { createTable } from "../../src/table/table.ts";
import { parseTimestamp } from "../../src/table/timestamp.ts";
import { worst } from "../support/close.ts";
import { datasetDir, fixturesDir, readFixture, readStation, readTwins } from "../support/data.ts";

const STEP = 120_000;
const gap = Number.NaN;
const cells = (...values: number[]) => Float64Array.from(values);
const numbered = (rows: number) => Float64Array.from({ length: rows }, (_, row) => row);

const sample = (total: number, rows: number, strategy: string, seed = 1) =>
  pickRows(numbered(total), sampleRows(total, rows, strategy, seed));

describe("sampling", () => {
  test("0 rows, or more than there are, keeps all", () => {
    expect(sampleRows(100, 0, "head", 1)).toBeNull();
    expect(sampleRows(100, 100, "random", 1)).toBeNull();
    expect(sample(3, 0, "head")).toEqual(cells(0, 1, 2));
  });

  test("head takes the first rows", () => {
    expect(sample(100, 3, "head")).toEqual(cells(0, 1, 2));
    expect(sample(100, 3, "")).toEqual(cells(0, 1, 2));
  });

  test("random takes as many different rows, in order of time, the same for the same seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer(), (count, seed) => {
        const drawn = sample(100, count, "random", seed);
        expect(new Set(drawn).size).toBe(count);
        expect(drawn).toEqual(drawn.toSorted());
        expect(sample(100, count, "random", seed)).toEqual(drawn);
      }),
    );
  });

  test("random draws all rows equally often", () => {
    const counts = new Float64Array(10);
    for (let seed = 0; seed < 3000; seed++) {
      for (const value of sample(10, 3, "random", seed)) counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 900)).toBeLessThan(110);
  });
});

describe("imputing", () => {
  test("counts what is missing, fills it or leaves it out", () => {
    expect(countMissing(cells(1, gap, 3, gap))).toBe(2);
    expect(fillMissing(cells(1, gap, 3), 2)).toEqual(cells(1, 2, 3));
    expect(dropMissing(cells(gap, 1, gap, 3))).toEqual(cells(1, 3));
    expect(dropMissing(cells(gap))).toEqual(cells());
  });

  test("chooses the rows with enough values, at the limit keeping them, among those already chosen", () => {
    const rows = columnsOf(
      createTable(
        numbered(4),
        ["a", "b", "c", "d"],
        [cells(1, gap, gap, 4), cells(1, 2, gap, 4), cells(1, 2, gap, 4), cells(gap, 2, 3, 4)],
      ),
    );
    const choose = (threshold: number, choice: Int32Array | null = null) =>
      chooseDenseRows(rows, rows.columns, choice, threshold);
    expect(choose(0.25)).toEqual(Int32Array.of(0, 1, 3));
    expect(choose(0.2)).toEqual(Int32Array.of(3));
    expect(choose(1)).toBeNull();
    expect(choose(0.25, Int32Array.of(1, 2))).toEqual(Int32Array.of(1));
  });

  test("interpolates by time, not by row, and holds the ends", () => {
    const filled = interpolateInTime(cells(gap, 1, gap, 5, gap, gap), cells(0, 1, 4, 5, 6, 9));
    expect(filled).toEqual(cells(1, 1, 4, 5, 5, 5));
  });

  test("leaves no gap behind where one value is present", () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
      fc.constant(gap),
    );
    fc.assert(
      fc.property(fc.array(cell), fc.array(cell), (before, after) => {
        const values = cells(...before, 7, ...after);
        expect(countMissing(interpolateInTime(values, numbered(values.length)))).toBe(0);
      }),
    );
  });
});

describe("clipping", () => {
  test("by interquartile range and by percentile", () => {
    const values = cells(1, 2, 3, 4, 100);
    expect(fitClipLimits(values.slice(), "IQR", 1.5)).toEqual({ lower: -1, upper: 7 });
    expect(fitClipLimits(values.slice(), "percentile", 0.25)).toEqual({ lower: 2, upper: 4 });
    expect(clipValues(values, { lower: 2, upper: 4 })).toEqual(cells(2, 2, 3, 4, 4));
  });

  test("leaves a missing cell alone", () => {
    expect(clipValues(cells(1, gap), { lower: 2, upper: 3 })).toEqual(cells(2, gap));
  });

  test.skipIf(fixturesDir === "" || datasetDir === "")(
    "has the reference's limits on real columns (needs FLTS_FIXTURES_DIR and FLTS_DATASET_DIR)",
    () => {
      const golden: {
        clip: {
          cases: { method: string; factor: number; columns: Record<string, Record<string, number>> }[];
        };
      } = JSON.parse(readFixture("scaler_cases.json"));
      const station = columnsOf(readStation("PobleSec.csv"));
      for (const { method, factor, columns } of golden.clip.cases) {
        for (const [name, { lower = gap, upper = gap, above, below }] of Object.entries(columns)) {
          const raw = station.column(name);
          const values = fillMissing(raw, meanOf(raw));
          const limits = fitClipLimits(values.slice(), method, factor);
          expect(worst([limits.lower, limits.upper], [lower, upper])).toBeLessThanOrEqual(1);
          expect(values.filter((value) => value > limits.upper).length).toBe(above);
          expect(values.filter((value) => value < limits.lower).length).toBe(below);
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
          timeFeatureColumns.map((name) => Number(row[name])),
        ),
      ).toBeLessThanOrEqual(1);
    }
  });
});

describe("lags", () => {
  test("are found by time: a row that was left out is missing, not replaced by its neighbour", () => {
    const times = cells(0, STEP, 3 * STEP, 4 * STEP);
    expect(rowsBefore(times, STEP)).toEqual(Int32Array.of(-1, 0, -1, 2));
    expect(rowsBefore(times, 3 * STEP)).toEqual(Int32Array.of(-1, -1, 0, 1));
  });

  test("take each value from its source row", () => {
    expect(lagValues(cells(1, 2, 4, 5), Int32Array.of(-1, 0, -1, 2))).toEqual(cells(gap, 1, gap, 4));
  });

  test("have names that can be read back", () => {
    expect(parseLagColumn(lagColumn("rb_up_var", 12))).toEqual({ column: "rb_up_var", n: 12 });
    expect(parseLagColumn("rb_up_var")).toBeUndefined();
  });
});

describe("the grid report", () => {
  test("of regular times is all zeros", () => {
    expect(reportGrid(cells(0, STEP, 2 * STEP))).toEqual({
      stepMs: STEP,
      gaps: 0,
      missingRows: 0,
      duplicates: 0,
      irregularShare: 0,
    });
  });

  test("counts gaps, the rows they lack, duplicates and the share of irregular steps", () => {
    const report = reportGrid(cells(0, 10, 20, 50, 50, 55));
    expect(report).toEqual({ stepMs: 10, gaps: 1, missingRows: 2, duplicates: 1, irregularShare: 3 / 5 });
  });

  test("of one row has no step, and of ties takes the smaller", () => {
    expect(reportGrid(cells(5))).toMatchObject({ stepMs: gap, gaps: 0, irregularShare: 0 });
    expect(modalStep(cells(0, 5, 8, 13, 16))).toBe(3);
    expect(modalStep(cells(3, 3, 3))).toBeNaN();
    expect(modalStep(cells())).toBeNaN();
  });
});

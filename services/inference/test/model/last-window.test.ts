import type { Forecaster } from "@flts/forecasting/forecaster";
import { timeFeatureColumns } from "@flts/forecasting/preprocess/time-features";
import { lastWindow } from "@flts/forecasting/recursive";
import { createTable } from "@flts/forecasting/table/table";
import fc from "fast-check";
import { expect, it } from "vitest";
import { lastWindowMaker, measurementsOf } from "../../src/model/last-window.ts";

const STEP_MS = 120_000;

it("makes the windows that evaluation and the command line make, to the last bit", () => {
  const columns = [
    "down",
    "day_of_year_sin",
    "up",
    ...timeFeatureColumns.filter((name) => name !== "day_of_year_sin"),
  ];
  const times = fc
    .uniqueArray(fc.integer({ min: Date.UTC(1700, 0, 1), max: Date.UTC(2200, 0, 1) }), {
      minLength: 1,
      maxLength: 30,
    })
    .map((list) => Float64Array.from(list).toSorted());
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 30 }), (timesMs, wanted) => {
      const window = Math.min(wanted, timesMs.length);
      const table = createTable(
        timesMs,
        ["down", "up"],
        [timesMs.map((_, row) => row), timesMs.map((_, row) => (row % 3 === 0 ? Number.NaN : -row))],
      );
      const expected = lastWindow({ columns, window } as unknown as Forecaster, table);
      expect(lastWindowMaker({ columns, window, stepMs: STEP_MS })(table)).toEqual(expected);
    }),
  );
});

it("finds a lag's row by its time, wherever it lies in the history", () => {
  const table = createTable(
    Float64Array.of(0, STEP_MS, 2 * STEP_MS, 5 * STEP_MS),
    ["down"],
    [Float64Array.of(1, 2, 3, 6)],
  );
  const make = lastWindowMaker({ columns: ["down_lag(-2)", "down"], window: 2, stepMs: STEP_MS });
  expect([...make(table)]).toEqual([1, 3, Number.NaN, 6]);
});

it("needs the columns that lags are taken of, once each", () => {
  expect(measurementsOf(["down", "min_of_day_cos", "up_lag(-1)", "up_lag(-2)", "down_lag(-1)"])).toEqual([
    "down",
    "up",
  ]);
});

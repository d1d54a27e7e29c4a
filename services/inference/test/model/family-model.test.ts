import type { Manifest } from "@flts/families/manifest";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { createTable, sliceRows } from "@flts/forecasting/table/table";
import { describe, expect, it } from "vitest";
import { servableModel } from "../../src/model/family-model.ts";
import { sharedHere } from "../station.ts";

const STEP_MS = 120_000;

/** A model that answers the sum of each window. */
function sumModel() {
  return recordingModel(["down", "up"], 2, (window) => window.reduce((sum, cell) => sum + cell, 0));
}

/** A model that keeps the windows it was asked about. */
function recordingModel(
  columns: readonly string[],
  window: number,
  answer: (window: Float64Array) => number = () => 7,
) {
  const cells = window * columns.length;
  const windows: Float64Array[] = [];
  const forecaster: Forecaster = {
    columns,
    targets: ["down"],
    window,
    horizon: 1,
    stepMs: STEP_MS,
    async predict(given, { length }) {
      windows.push(given.slice());
      return Float64Array.from({ length }, (_, row) =>
        answer(given.subarray(row * cells, (row + 1) * cells)),
      );
    },
    close: async () => {},
  };
  const intervals = {
    level: 0.9,
    window: 2,
    calibratedOn: 10,
    targets: [{ target: "down", floor: 1, typical: 1, minimum: null, lower: [-1], upper: [1] }],
  };
  const manifest = {
    columns,
    targets: ["down"],
    window,
    horizon: 1,
    step_ms: STEP_MS,
    intervals,
    files: {},
    data: {},
  };
  return { windows, model: servableModel(manifest as unknown as Manifest, sharedHere(forecaster)) };
}

const history = createTable(
  Float64Array.of(0, STEP_MS, 3 * STEP_MS),
  ["down", "up"],
  [Float64Array.of(1, 2, 4), Float64Array.of(10, 20, 40)],
);

it("wants measurements only: time features and lags are computed from them", () => {
  const { model } = recordingModel(["down", "up", "min_of_day_sin", "down_lag(-1)"], 1);
  expect(model.inputColumns).toEqual(["down", "up"]);
});

it("finds lags by time, and leaves those of absent rows to the model", async () => {
  const { model, windows } = recordingModel(["down", "down_lag(-1)", "up_lag(-2)"], 3);
  await model.forecast(history, 1);
  const none = Number.NaN;
  expect([...(windows[0] ?? [])]).toEqual([1, none, none, 2, 1, none, 4, none, 20]);
});

it("gives values with the interval around them, one model step apart", async () => {
  const { model } = recordingModel(["down"], 2);
  const { timesMs, values, lower, upper } = await model.forecast(history, 2);
  expect([...timesMs]).toEqual([4 * STEP_MS, 5 * STEP_MS]);
  expect([...values]).toEqual([7, 7]);
  expect(lower.every((bound) => bound < 7) && upper.every((bound) => bound > 7)).toBe(true);
});

describe("many windows at once", () => {
  it.each([1, 2, 3])("gives what each history would get alone, for %i steps", async (steps) => {
    const { model } = sumModel();
    const other = createTable(
      Float64Array.of(7, 8, 9, 10),
      ["down", "up"],
      [
        [5, 6, 3, 2],
        [1, 1, 1, 1],
      ].map((column) => Float64Array.from(column)),
    );
    const together = await model.forecastEach([history, other], steps);
    expect(together).toEqual([await model.forecast(history, steps), await model.forecast(other, steps)]);
  });

  it("gives windows made elsewhere the same values and intervals as their histories", async () => {
    const { model } = sumModel();
    const windows = Float64Array.of(2, 20, 4, 40, 1, 10, 2, 20);
    const { values, lower, upper } = await model.forecastWindows(
      windows,
      Float64Array.of(3 * STEP_MS, STEP_MS),
    );
    const alone = [
      await model.forecast(sliceRows(history, 1), 1),
      await model.forecast(sliceRows(history, 0, 2), 1),
    ];
    expect([...values, ...lower, ...upper]).toEqual(
      (["values", "lower", "upper"] as const).flatMap((series) => alone.map((one) => one[series][0])),
    );
  });
});

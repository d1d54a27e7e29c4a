import type { Manifest } from "@flts/families/manifest";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { createTable } from "@flts/forecasting/table/table";
import { expect, it } from "vitest";
import { servableModel } from "../../src/model/family-model.ts";

const STEP_MS = 120_000;

/** A model that keeps the windows it was asked about. */
function recordingModel(columns: readonly string[], window: number) {
  const windows: Float64Array[] = [];
  const forecaster: Forecaster = {
    columns,
    targets: ["down"],
    window,
    horizon: 1,
    stepMs: STEP_MS,
    async predict(given) {
      windows.push(given.slice());
      return Float64Array.of(7);
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
  return { windows, model: servableModel(manifest as unknown as Manifest, forecaster) };
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

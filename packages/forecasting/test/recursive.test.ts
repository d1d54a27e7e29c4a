import { describe, expect, test } from "vitest";
import type { Intervals } from "../src/evaluation/intervals.ts";
import { timeFeaturesOf } from "../src/preprocess/time-features.ts";
import { forecastAfter, lastWindow, rollForward, rollOn, withTimeFeatures } from "../src/recursive.ts";
import { createTable } from "../src/table/table.ts";
import { repeatLast } from "./support/forecasters.ts";

const STEP = 120_000;
const startMs = Date.UTC(2018, 1, 5, 23, 54);
const history = createTable(
  Float64Array.of(0, 1, 2, 3).map((row) => startMs + row * STEP),
  ["down", "up"],
  [Float64Array.of(1, 2, 3, 4), Float64Array.of(10, 20, 30, Number.NaN)],
);
const intervals: Intervals = {
  level: 0.9,
  window: 10,
  calibratedOn: 100,
  targets: [{ target: "down", floor: 0.1, typical: 1, minimum: 0, lower: [-2, -3], upper: [2, 4] }],
};

describe("rolling forward", () => {
  test("beyond the horizon feeds forecasts back and holds what is not forecast", async () => {
    const forecaster = repeatLast(["down", "up"], ["down"], { window: 2 });
    const grow = {
      ...forecaster,
      predict: async (windows: Float64Array, ends: Float64Array) =>
        (await forecaster.predict(windows, ends)).map((value) => value + 1),
    };
    const windows = Float64Array.of(3, 30, 4, 40);
    expect([...(await rollForward(grow, windows, Float64Array.of(startMs), 3))]).toEqual([5, 6, 7]);
    expect(forecaster.seen.map((call) => [...call.windows])).toEqual([
      [3, 30, 4, 40],
      [4, 40, 5, 40],
      [5, 40, 6, 40],
    ]);
    expect(forecaster.seen.map((call) => call.endTimesMs[0])).toEqual([
      startMs,
      startMs + STEP,
      startMs + 2 * STEP,
    ]);
    expect([...windows]).toEqual([3, 30, 4, 40]);
  });

  test("a horizon of several steps is used whole, and cut where fewer are asked for", async () => {
    const forecaster = repeatLast(["down"], ["down"], { window: 1, horizon: 4 });
    expect([...(await rollForward(forecaster, Float64Array.of(7), Float64Array.of(0), 3))]).toEqual([
      7, 7, 7,
    ]);
    expect(forecaster.seen.length).toBe(1);
    expect((await rollForward(forecaster, Float64Array.of(7), Float64Array.of(0), 9)).length).toBe(9);
    expect(forecaster.seen.length).toBe(4);
  });

  test("many windows keep apart, and several targets keep their order", async () => {
    const forecaster = repeatLast(["a", "b", "c"], ["c", "a"], { window: 1 });
    const answers = await rollForward(
      forecaster,
      Float64Array.of(1, 2, 3, 4, 5, 6),
      Float64Array.of(0, STEP),
      2,
    );
    expect([...answers]).toEqual([3, 1, 3, 1, 6, 4, 6, 4]);
  });

  test("in parts is the same as at once", async () => {
    const columns = ["down", "up", "min_of_day_sin", "down_lag(-1)"];
    const plain = repeatLast(columns, ["down"], { window: 2, horizon: 2 });
    const forecaster = {
      ...plain,
      predict: async (windows: Float64Array, ends: Float64Array) =>
        (await plain.predict(windows, ends)).map((value, step) => value * 1.1 + step),
    };
    const windows = Float64Array.from({ length: 16 }, (_, cell) => cell);
    const ends = Float64Array.of(startMs, startMs + 7 * STEP);
    const whole = await rollForward(forecaster, windows, ends, 6);
    const [first, rest] = [
      await rollOn(forecaster, windows, ends, 1, true),
      await rollOn(forecaster, windows, ends, 2, false),
    ];
    for (const index of [0, 1])
      expect([
        ...first.subarray(index * 2, index * 2 + 2),
        ...rest.subarray(index * 4, index * 4 + 4),
      ]).toEqual([...whole.subarray(index * 6, index * 6 + 6)]);
  });

  test("time features are those of the new row, lags come out of the window", async () => {
    const columns = ["down", "min_of_day_sin", "min_of_day_cos", "down_lag(-1)", "down_lag(-5)"];
    const forecaster = repeatLast(columns, ["down"], { window: 2 });
    const windows = Float64Array.of(1, 0, 0, 9, 8, 2, 0, 0, 1, 7);
    await rollForward(forecaster, windows, Float64Array.of(startMs), 2);
    const [sin, cos] = timeFeaturesOf(Float64Array.of(startMs + STEP)).map(([value]) => value);
    expect([...(forecaster.seen[1]?.windows ?? [])]).toEqual([2, 0, 0, 1, 7, 2, sin, cos, 2, 7]);
  });
});

describe("a forecast after a history", () => {
  test("has future times on the grid, and bands around it that grow with the step", async () => {
    const forecast = await forecastAfter(repeatLast(["down", "up"], ["down"]), intervals, history, 3);
    expect([...forecast.timesMs]).toEqual([4, 5, 6].map((row) => startMs + row * STEP));
    expect([...forecast.forecast]).toEqual([4, 4, 4]);
    expect([...forecast.upper]).toEqual([6, 8, 4 + 4 * Math.sqrt(3 / 2)]);
    expect([...forecast.lower]).toEqual([2, 1, 4 - 3 * Math.sqrt(3 / 2)]);
  });

  test("of a load that is never negative is not negative either, whatever the model says", async () => {
    const plain = repeatLast(["down", "up"], ["down"]);
    const stray = {
      ...plain,
      predict: async (windows: Float64Array, ends: Float64Array) =>
        (await plain.predict(windows, ends)).map((value) => value - 10),
    };
    const forecast = await forecastAfter(stray, intervals, history, 2);
    expect([...forecast.forecast]).toEqual([0, 0]);
    expect([...forecast.lower]).toEqual([0, 0]);
    const [target] = intervals.targets;
    const signed = { ...intervals, targets: [{ ...target!, minimum: null }] };
    expect([...(await forecastAfter(stray, signed, history, 1)).forecast]).toEqual([-6]);
  });

  test("looks at the last rows only, and computes the time features that are lacking", () => {
    const columns = ["up", "day_of_week_cos", "down"];
    const window = lastWindow(repeatLast(columns, ["down"], { window: 2 }), history);
    const days = timeFeaturesOf(history.timesMs)[3] ?? new Float64Array();
    expect([...window]).toEqual([30, days[2], 3, Number.NaN, days[3], 4]);
    expect(withTimeFeatures(history, ["down"])).toBe(history);
  });

  test("needs as many rows as the window, and all columns", () => {
    expect(() => lastWindow(repeatLast(["down"], ["down"], { window: 5 }), history)).toThrow(
      "Not enough rows (4) for input_len=5",
    );
    expect(() => lastWindow(repeatLast(["rb_up"], ["rb_up"]), history)).toThrow(
      expect.objectContaining({ code: "COLUMN_MISSING" }),
    );
  });
});

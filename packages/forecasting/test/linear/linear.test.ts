import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { persistence } from "../../src/evaluation/baselines.ts";
import { seriesOf } from "../../src/evaluation/forecasts.ts";
import { measure } from "../../src/evaluation/metrics.ts";
import { rollForecasts } from "../../src/evaluation/rolling.ts";
import { splitRows } from "../../src/evaluation/split.ts";
import { fitLinear } from "../../src/linear/fit.ts";
import { type LinearModel, linearForecaster, predictLinear } from "../../src/linear/model.ts";
import { addTimeFeatures } from "../../src/preprocess/time-features.ts";
import { seededUniform } from "../../src/random.ts";
import { synthesizeStation } from "../../src/synthetic/station.ts";
import {
  columnOf,
  createTable,
  mapColumns,
  rowCount,
  sliceRows,
  type Table,
  takeRows,
  toMatrix,
} from "../../src/table/table.ts";
import { datasetDir, readStation } from "../support/data.ts";

const WINDOW = 10;
const station = addTimeFeatures(synthesizeStation({ seed: 11, rows: 4000, startMs: Date.UTC(2018, 1, 5) }));

function fitOn(table: Table, targets = ["down"]): LinearModel {
  const { fit, stop } = splitRows(rowCount(table), { window: WINDOW, horizon: 1 });
  return fitLinear(table, { targets, window: WINDOW, rows: [fit[0], stop[1]] });
}

/** rmse of the model and of persistence on the score rows. */
async function scoreOf(table: Table, model: LinearModel, target = 0) {
  const { score } = splitRows(rowCount(table), { window: WINDOW, horizon: 1 });
  const rolled = await rollForecasts(linearForecaster(model, 120_000), table, { rows: score });
  const { actual, forecast } = seriesOf(rolled, target);
  const series = columnOf(table, model.targets[target] ?? "");
  const first = rolled.origins[0] ?? 0;
  const last = rolled.origins.at(-1) ?? 0;
  return {
    model: measure(actual, forecast).rmse,
    persistence: measure(actual, persistence.forecast(series, first, last, 1)).rmse,
  };
}

const model = fitOn(station, ["down", "up"]);

test("a model beats persistence on score rows of synthetic traffic", async () => {
  const score = await scoreOf(station, model);
  expect(score.model).toBeLessThan(0.9 * score.persistence);
});

test.skipIf(datasetDir === "")(
  "a model beats persistence on the score rows of real stations by a tenth (needs FLTS_DATASET_DIR)",
  async () => {
    for (const name of ["PobleSec", "ElBorn"]) {
      const table = addTimeFeatures(readStation(`${name}.csv`));
      const score = await scoreOf(table, fitOn(table));
      expect(score.model).toBeLessThan(0.91 * score.persistence);
    }
  },
);

test("a model is plain JSON that forecasts the same after a round trip", () => {
  const windows = toMatrix(sliceRows(station, 0, WINDOW));
  const copy: LinearModel = JSON.parse(JSON.stringify(model));
  expect(predictLinear(copy, windows)).toEqual(predictLinear(model, windows));
});

test("the answer is the formula of the model's header, worked by hand", () => {
  const tiny: LinearModel = {
    columns: ["x", "y"],
    targets: ["x", "y"],
    window: 2,
    inputs: [
      { fill: 3, unit: 2 },
      { fill: 5, unit: 0 },
    ],
    outputs: [
      {
        last: 0.3,
        minimum: 0,
        parts: [
          {
            link: "log",
            share: 0.6,
            intercept: 0.2,
            ceiling: 2,
            weights: [
              [0.25, 0.1],
              [0.5, 0],
            ],
          },
          {
            link: "cube-root",
            share: 0.1,
            intercept: -1,
            ceiling: 3,
            weights: [
              [2, 0],
              [0.5, 0.75],
            ],
          },
        ],
      },
      {
        last: 0,
        minimum: null,
        parts: [
          {
            link: "identity",
            share: 1,
            intercept: 1,
            ceiling: 20,
            weights: [
              [0, 2],
              [0, -3],
            ],
          },
        ],
      },
    ],
  };
  const logarithm = 0.2 + 0.25 * Math.log1p(14) + 0.1 * 5 + 0.5 * Math.log1p(6);
  const root = Math.min(-1 + 2 * Math.cbrt(7) + 0.5 * Math.cbrt(3) + 0.75 * Math.cbrt(9), 3);
  const answer = predictLinear(tiny, Float64Array.of(7, Number.NaN, Number.NaN, 9));
  expect(answer[0]).toBeCloseTo(0.3 * 3 + 0.6 * Math.exp(Math.min(logarithm, 2)) + 0.1 * root ** 3, 12);
  expect(answer[1]).toBe(1 + 2 * 5 - 3 * 9);
  const low = predictLinear(tiny, Float64Array.of(0, -8, 0, -8));
  expect(low[0]).toBeCloseTo(0.6 * Math.exp(0.2 - 0.8), 12);
  expect(low[1]).toBe(1 - 16 + 24);
  const capped = predictLinear(tiny, Float64Array.of(1e9, 0, 1e9, -9));
  expect(capped[0]).toBeCloseTo(0.3 * 1e9 + 0.6 * Math.exp(2) + 0.1 * 27, 3);
  expect(capped[1]).toBe(20);
});

describe("forecasts are finite and no traffic is negative", () => {
  test.each([
    ["nothing but missing cells", Number.NaN],
    ["zeros", 0],
    ["huge values", 1e15],
    ["impossible negative values", -1e9],
  ])("for %s", (_, value) => {
    const answers = predictLinear(model, new Float64Array(WINDOW * station.columns.length).fill(value));
    expect(answers.every((answer) => Number.isFinite(answer) && answer >= 0)).toBe(true);
  });

  test("for a table of constants, of one value per column", () => {
    const flat = mapColumns(station, (values) => values.map(() => 4));
    const [answer] = predictLinear(fitOn(flat), toMatrix(sliceRows(flat, 0, WINDOW)));
    expect(answer).toBeCloseTo(4, 6);
  });

  test("for a table as short as it may be, and for columns without values", () => {
    const short = fitOn(sliceRows(station, 0, 4 * (WINDOW + 1)));
    expect(predictLinear(short, toMatrix(sliceRows(station, 0, WINDOW))).every(Number.isFinite)).toBe(true);
    const holed = mapColumns(station, (values, column) =>
      column === "up" ? values.map(() => Number.NaN) : values,
    );
    expect(predictLinear(fitOn(holed), toMatrix(sliceRows(holed, 0, WINDOW))).every(Number.isFinite)).toBe(
      true,
    );
  });
});

test("a signed target is forecast without logarithms", async () => {
  const signed = createTable(
    station.timesMs,
    ["x"],
    [columnOf(station, "down").map((value) => Math.log(value) - 18)],
  );
  const fitted = fitOn(signed, ["x"]);
  expect(fitted.outputs[0]).toMatchObject({ minimum: null, parts: [{ link: "identity" }] });
  const score = await scoreOf(signed, fitted);
  expect(score.model).toBeLessThan(score.persistence);
});

test("nothing after the stop rows changes a model", () => {
  const { stop } = splitRows(rowCount(station), { window: WINDOW, horizon: 1 });
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e3, noNaN: true }), (factor) => {
      const altered = mapColumns(station, (values) =>
        values.map((value, row) => (row < stop[1] ? value : value * factor)),
      );
      expect(fitOn(altered, ["down", "up"])).toEqual(model);
    }),
    { numRuns: 3 },
  );
});

test("shuffled rows leave nothing to learn: no better than the mean", async () => {
  const uniform = seededUniform(5);
  const order = Array.from({ length: rowCount(station) }, (_, row) => ({ row, key: uniform() }));
  const rows = order.toSorted((a, b) => a.key - b.key).map(({ row }) => row);
  const shuffled = { ...takeRows(station, rows), timesMs: station.timesMs };
  const { fit, score } = splitRows(rowCount(shuffled), { window: WINDOW, horizon: 1 });
  const rolled = await rollForecasts(linearForecaster(fitOn(shuffled), 120_000), shuffled, { rows: score });
  const known = columnOf(shuffled, "down").subarray(...fit);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const best = measure(
    rolled.actual,
    rolled.actual.map(() => mean),
  ).rmse;
  expect(measure(rolled.actual, rolled.forecast).rmse).toBeGreaterThan(0.99 * best);
});

test("an unknown target, and rows without a window, are refused", () => {
  expect(() => fitOn(station, ["traffic"])).toThrow(expect.objectContaining({ code: "COLUMN_MISSING" }));
  expect(() => fitLinear(station, { targets: ["down"], window: 10, rows: [0, 10] })).toThrow(
    expect.objectContaining({ code: "TABLE_TOO_SHORT" }),
  );
});

test("the time of day has a say only where two days were seen", () => {
  const cell = station.columns.indexOf("min_of_day_sin");
  const weightIn = (rows: number) =>
    fitLinear(station, { targets: ["down"], window: WINDOW, rows: [0, rows] }).outputs[0]?.parts[0]?.weights[
      WINDOW - 1
    ]?.[cell];
  expect(weightIn(1_400)).toBe(0);
  expect(weightIn(1_500)).not.toBe(0);
});

import { describe, expect, test } from "vitest";
import {
  ewma,
  fitBaselines,
  fitEwma,
  fitLogAr,
  persistence,
  seasonalNaive,
} from "../../src/evaluation/baselines.ts";
import { measure } from "../../src/evaluation/metrics.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";
import { synthesizeStation } from "../../src/synthetic/station.ts";
import { columnOf } from "../../src/table/table.ts";
import { datasetDir, fixturesDir, readFixture, readStation } from "../support/data.ts";

const series = Float64Array.of(1, 2, 3, 4, 5, 6);

test("persistence repeats the last value", () => {
  expect([...persistence.forecast(series, 1, 3, 2)]).toEqual([2, 2, 3, 3, 4, 4]);
});

test("the seasonal rule repeats the last period, and the last value where there is none", () => {
  expect([...seasonalNaive(3).forecast(series, 4, 4, 5)]).toEqual([3, 4, 5, 3, 4]);
  expect([...seasonalNaive(3).forecast(series, 1, 2, 2)]).toEqual([2, 1, 1, 2]);
});

test("the EWMA is a running mean, the same from whichever origin one starts", () => {
  expect([...ewma(0.5).forecast(series, 0, 2, 1)]).toEqual([1, 1.5, 2.25]);
  expect([...ewma(0.5).forecast(series, 2, 2, 2)]).toEqual([2.25, 2.25]);
  expect([...ewma(1).forecast(series, 0, 5, 1)]).toEqual([...series]);
});

test("a fitted EWMA follows a walk at once and averages noise", () => {
  const normal = normalFrom(seededUniform(3));
  let level = 0;
  const walk = Float64Array.from({ length: 500 }, () => (level += normal()));
  const noise = Float64Array.from({ length: 500 }, () => normal());
  expect(fitEwma(walk, [0, 500]).forecast(walk, 400, 499, 1)).toEqual(walk.slice(400));
  expect(fitEwma(noise, [0, 500]).forecast(noise, 499, 499, 1)).toEqual(
    ewma(0.1).forecast(noise, 499, 499, 1),
  );
});

describe("the log autoregression", () => {
  test("finds the coefficients of a series made by them, and iterates", () => {
    const logs = [1, 1.2];
    for (let row = 2; row < 200; row++) {
      logs.push(0.5 + 0.9 * (logs[row - 1] ?? 0) - 0.3 * (logs[row - 2] ?? 0) + 0.3 * Math.sin(row ** 2));
    }
    const values = Float64Array.from(logs, Math.expm1);
    const model = fitLogAr(values, [0, 200], 2);
    const [first = 0, second = 0] = model.forecast(values, 199, 199, 2);
    const expected = 0.5 + 0.9 * (logs[199] ?? 0) - 0.3 * (logs[198] ?? 0);
    expect(Math.log1p(first)).toBeCloseTo(expected, 1);
    expect(Math.log1p(second)).toBeCloseTo(0.5 + 0.9 * expected - 0.3 * (logs[199] ?? 0), 1);
  });

  test("clearly beats persistence on synthetic traffic, fitted on earlier rows only", () => {
    const down = columnOf(synthesizeStation({ seed: 4, rows: 6000, startMs: 0 }), "down");
    const actual = down.subarray(4501);
    const errorOf = (forecast: Float64Array) => measure(actual, forecast).rmse;
    const own = errorOf(fitLogAr(down, [0, 4000]).forecast(down, 4500, 5998, 1));
    expect(own).toBeLessThan(0.92 * errorOf(persistence.forecast(down, 4500, 5998, 1)));
  });

  test("forecasts a constant and a series of zeros", () => {
    const constant = new Float64Array(50).fill(7);
    expect(fitLogAr(constant, [0, 50]).forecast(constant, 49, 49, 1)[0]).toBeCloseTo(7, 9);
    const zeros = new Float64Array(50);
    expect([...fitLogAr(zeros, [0, 50]).forecast(zeros, 49, 49, 2)]).toEqual([0, 0]);
  });
});

const fitted = (values: Float64Array) => [
  persistence,
  seasonalNaive(3),
  fitEwma(values, [0, 12]),
  fitLogAr(values, [0, 12], 3),
  fitLogAr(values, [0, 2]),
];

describe("every baseline", () => {
  const holed = Float64Array.of(
    Number.NaN,
    2,
    4,
    Number.NaN,
    5,
    3,
    Number.NaN,
    4,
    2,
    3,
    5,
    4,
    3,
    Number.NaN,
    4,
    5,
  );
  test.each(fitted(holed).map((baseline) => [baseline.name, baseline] as const))(
    "%s bridges gaps",
    (_, baseline) => {
      expect(baseline.forecast(holed, 0, 15, 4).every(Number.isFinite)).toBe(true);
    },
  );

  test("forecasts a series of gaps alone, and one with negative values", () => {
    const signed = Float64Array.of(-3, 2, -4, 1, -5, 3, -2, 2, -1, 3, -5, 4, -3);
    for (const values of [new Float64Array(13).fill(Number.NaN), signed]) {
      for (const baseline of fitted(values)) {
        expect(baseline.forecast(values, 0, 12, 2).every(Number.isFinite)).toBe(true);
      }
    }
  });

  test("knows nothing of what comes after an origin", () => {
    const altered = holed.map((value, row) => (row > 13 ? 1000 : value));
    for (const [index, baseline] of fitted(holed).entries()) {
      const after = fitted(altered)[index];
      expect(after?.forecast(altered, 12, 13, 2)).toEqual(baseline.forecast(holed, 12, 13, 2));
    }
  });
});

test.skipIf(fixturesDir === "" || datasetDir === "")(
  "persistence and yesterday's value have the reference's errors on real rows (needs FLTS_FIXTURES_DIR and FLTS_DATASET_DIR)",
  () => {
    const golden: {
      baselines: { rows: { predictor: string; data: string; rmse: number; mae: number; r2: number }[] };
    } = JSON.parse(readFixture("metrics_cases.json"));
    const [train, later] = ["PobleSec.csv", "PobleSec_test.csv"].map((file) =>
      columnOf(readStation(file), "down"),
    );
    const scale = 2_277_457_856;
    const scaled = (values: Float64Array = new Float64Array()) =>
      values.map((value) => (value - 8_607_664) / scale);
    const [down, after] = [scaled(train), scaled(later)];
    const both = Float64Array.of(...down, ...after);
    const yesterday = seasonalNaive(720).forecast(both, down.length + 9, both.length - 2, 1);
    const rowOf = (predictor: string, data: string) =>
      golden.baselines.rows.find((row) => row.predictor === predictor && row.data === data);
    const cases = [
      [
        measure(down.subarray(10), persistence.forecast(down, 9, down.length - 2, 1)),
        rowOf("persistence", "train, in-sample"),
      ],
      [
        measure(after.subarray(10), persistence.forecast(after, 9, after.length - 2, 1)),
        rowOf("persistence", "test, train scaler"),
      ],
      [measure(after.subarray(10), yesterday), rowOf("same time yesterday, lag 720", "test, train scaler")],
    ] as const;
    for (const [metrics, expected] of cases) {
      // The fixture's windows are float32.
      expect(metrics.rmse / (expected?.rmse ?? 0)).toBeCloseTo(1, 6);
      expect(metrics.mae / (expected?.mae ?? 0)).toBeCloseTo(1, 6);
      expect((metrics.r2 ?? 0) / (expected?.r2 ?? 0)).toBeCloseTo(1, 6);
    }
  },
);

test("every evaluation shows the same four, seasonal-naive only where a day is a whole number of steps", () => {
  const long = columnOf(synthesizeStation({ seed: 1, rows: 1_500, startMs: 0 }), "down");
  const namesAt = (stepMs: number) => fitBaselines(long, [0, 1_000], stepMs).map(({ name }) => name);
  expect(namesAt(120_000)).toEqual(["persistence", "ewma", "seasonal-naive", "log-ar"]);
  expect(namesAt(7 * 60_000)).toEqual(["persistence", "ewma", "log-ar"]);
  const [, , seasonal] = fitBaselines(long, [0, 1_000], 120_000);
  expect(seasonal?.forecast(long, 1_200, 1_200, 1)[0]).toBe(long[1_201 - 720]);
});

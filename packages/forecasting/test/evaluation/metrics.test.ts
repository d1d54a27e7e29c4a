import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  coverage,
  intervalScore,
  meanWidth,
  measure,
  pinball,
  rowLosses,
} from "../../src/evaluation/metrics.ts";
import { worst } from "../support/close.ts";
import { fixturesDir, readFixture, readTwins } from "../support/data.ts";

type Expected = Record<string, number | null>;
const twins: {
  cases: { name: string; targets: number; actual: number[]; forecast: number[]; expect: Expected }[];
} = JSON.parse(readTwins("metrics-twins.json"));
const names = ["mse", "rmse", "mae", "r2", "mape", "smape", "nrmse", "score"] as const;

test.each(twins.cases)(
  "$name: every metric is scikit-learn's",
  ({ targets, actual, forecast, expect: expected }) => {
    const metrics = measure(Float64Array.from(actual), Float64Array.from(forecast), targets);
    const got = names.map((name) => metrics[name] ?? Number.NaN);
    expect(
      worst(
        got,
        names.map((name) => expected[name] ?? null),
      ),
    ).toBeLessThanOrEqual(1);
  },
);

const reason = "(needs FLTS_FIXTURES_DIR)";
describe.skipIf(fixturesDir === "")(`metrics_cases.json of the reference ${reason}`, () => {
  interface Case {
    y_true: (number | string | (number | string)[])[];
    y_pred: (number | string | (number | string)[])[];
    expect: Expected;
  }
  const golden: { cases: Case[]; errors: Case[] } = JSON.parse(
    fixturesDir === "" ? "{}" : readFixture("metrics_cases.json"),
  );
  const values = (list: Case["y_true"]) => Float64Array.from(list.flat(), Number);
  const targetsOf = ({ y_true: [first] }: Case) => (Array.isArray(first) ? first.length : 1);

  test("every case has its values", () => {
    for (const each of golden.cases) {
      const metrics = measure(values(each.y_true), values(each.y_pred), targetsOf(each));
      const expected = names.map((name) => each.expect[name === "nrmse" ? "nrmse_mean" : name] ?? null);
      expect(
        worst(
          names.map((name) => metrics[name] ?? Number.NaN),
          expected,
        ),
      ).toBeLessThanOrEqual(1);
    }
  });

  test("every wrong input is rejected", () => {
    for (const { y_true, y_pred } of golden.errors) {
      expect(() => measure(values(y_true), values(y_pred))).toThrow(
        expect.objectContaining({ code: "TABLE_INVALID" }),
      );
    }
  });
});

test.each<[string, number[], number[], number]>([
  ["nothing", [], [], 1],
  ["unequal lengths", [1, 2], [1], 1],
  ["a row that lacks a target", [1, 2, 3], [1, 2, 3], 2],
  ["NaN in the actual values", [Number.NaN], [1], 1],
  ["NaN in the forecast", [1], [Number.NaN], 1],
  ["infinity", [1], [Number.POSITIVE_INFINITY], 1],
])("%s cannot be measured", (_, actual, forecast, targets) => {
  const [a, f] = [Float64Array.from(actual), Float64Array.from(forecast)];
  for (const metric of [measure, rowLosses]) {
    expect(() => metric(a, f, targets)).toThrow(expect.objectContaining({ code: "TABLE_INVALID" }));
  }
});

test("pinball loss punishes the two sides by the quantile", () => {
  const actual = Float64Array.of(10, 10);
  expect(pinball(actual, Float64Array.of(8, 13), 0.9)).toBeCloseTo((0.9 * 2 + 0.1 * 3) / 2, 12);
  expect(pinball(actual, actual, 0.3)).toBe(0);
});

test("the median minimises the pinball loss of one half", () => {
  const list = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 31 });
  fc.assert(
    fc.property(list, fc.double({ min: -100, max: 100, noNaN: true }), (values, other) => {
      const actual = Float64Array.from(values);
      const median = actual.toSorted()[actual.length >> 1] ?? 0;
      const loss = (level: number) =>
        pinball(
          actual,
          actual.map(() => level),
          0.5,
        );
      expect(loss(median)).toBeLessThanOrEqual(loss(other) + 1e-9);
    }),
  );
});

test("the interval score is the width, and twenty times what lies outside nine tenths", () => {
  const [lower, upper] = [Float64Array.of(1, 1, 1), Float64Array.of(3, 3, 3)];
  expect(intervalScore(Float64Array.of(1, 2, 3), lower, upper, 0.9)).toBe(2);
  expect(intervalScore(Float64Array.of(0.5, 2, 2), lower, upper, 0.9)).toBeCloseTo(2 + (20 * 0.5) / 3, 9);
  expect(intervalScore(Float64Array.of(2, 2, 4), lower, upper, 0.5)).toBeCloseTo(2 + 4 / 3, 12);
  expect(() => intervalScore(Float64Array.of(1), lower, Float64Array.of(3), 0.9)).toThrow(/3 forecasts/);
  expect(() => intervalScore(Float64Array.of(1), Float64Array.of(0), upper, 0.9)).toThrow(/3 forecasts/);
});

test("coverage counts the borders in, and width is a mean", () => {
  const lower = Float64Array.of(1, 1, 1, 1);
  const upper = Float64Array.of(2, 3, 4, 5);
  expect(coverage(Float64Array.of(1, 3, 4.5, 0), lower, upper)).toBe(0.5);
  expect(meanWidth(lower, upper)).toBe(2.5);
});

test("one row of several targets has no R²", () => {
  expect(measure(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 4), 3).r2).toBeNull();
  expect(measure(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 2, 3, 4), 2).r2).toBe(1);
});

test("row losses average the squared errors of a row's targets, and their mean is the mse", () => {
  const actual = Float64Array.of(1, 2, 3, 4);
  const forecast = Float64Array.of(2, 4, 3, 1);
  expect([...rowLosses(actual, forecast, 2)]).toEqual([2.5, 4.5]);
  expect(measure(actual, forecast, 2).mse).toBe(3.5);
});

test("targets of mean 0 have no nrmse; when all are such there is none", () => {
  const silent = Float64Array.of(0, 2, 0, 4);
  expect(measure(silent, Float64Array.of(1, 2, 1, 4), 2).nrmse).toBe(0);
  expect(measure(Float64Array.of(0, 0), Float64Array.of(1, 1)).nrmse).toBeNull();
});

test("what cannot be compared is refused by every measure, with the reason", () => {
  const [two, three] = [Float64Array.of(1, 2), Float64Array.of(1, 2, 3)];
  const unlike = /2 actual values cannot be compared with 3 forecasts of 1 targets/;
  expect(() => measure(two, three)).toThrow(unlike);
  expect(() => pinball(two, three, 0.5)).toThrow(unlike);
  expect(() => coverage(two, three, two)).toThrow(unlike);
  expect(() => coverage(two, two, three)).toThrow(unlike);
  expect(() => meanWidth(two, three)).toThrow(unlike);
  expect(() => rowLosses(two, three)).toThrow(unlike);
  expect(() => measure(Float64Array.of(), Float64Array.of())).toThrow("there is nothing to measure");
  expect(() => measure(two, Float64Array.of(1, Number.NaN))).toThrow(
    "value 1 cannot be measured: actual 2, forecast NaN",
  );
});

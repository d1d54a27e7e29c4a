import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitColumn, fitScaling, scalerKind } from "../../src/scaler/fit.ts";
import { quantileOfSorted, sortedPresent } from "../../src/scaler/quantile.ts";
import {
  affineOf,
  applyScaling,
  invertScaling,
  scalerKinds,
  scaleValues,
  scalingOf,
  scalingSchema,
} from "../../src/scaler/scaling.ts";
import { meanOf, pairwiseSum, sumOf } from "../../src/scaler/sum.ts";

const cell = fc.double({ min: -1e12, max: 1e12, noNaN: true });
const column = fc.array(cell, { minLength: 1, maxLength: 60 }).map((values) => Float64Array.from(values));

describe.each(scalerKinds)("%s", (kind) => {
  test("gives raw values back", () => {
    fc.assert(
      fc.property(column, (values) => {
        const scaling = fitScaling(kind, ["x"], [values]);
        const [back] = invertScaling(scaling, ["x"], applyScaling(scaling, ["x"], [values]));
        const size = Math.max(1, ...values.map(Math.abs));
        values.forEach((value, row) =>
          expect(Math.abs((back?.[row] ?? 0) - value)).toBeLessThanOrEqual(1e-9 * size),
        );
      }),
    );
  });

  test("keeps a missing cell missing and fits what is present", () => {
    const holed = fitColumn(kind, "x", Float64Array.of(1, Number.NaN, 5, 3));
    expect(holed).toEqual(fitColumn(kind, "x", Float64Array.of(1, 5, 3)));
    expect(scaleValues(holed, Float64Array.of(Number.NaN))).toEqual(Float64Array.of(Number.NaN));
  });

  test("leaves a column without values as it is, and never divides by zero", () => {
    const identity = { column: "x", center: 0, divisor: 1, scale: 1, shift: 0 };
    expect(fitColumn(kind, "x", Float64Array.of(Number.NaN))).toEqual(identity);
    const constant = fitColumn(kind, "x", new Float64Array(4).fill(0));
    expect(scaleValues(constant, Float64Array.of(0))).toEqual(Float64Array.of(0));
  });

  test("is plain JSON that reads back", () => {
    const scaling = fitScaling(kind, ["a", "b"], [Float64Array.of(1, 2, 4), Float64Array.of(5, 5, 5)]);
    expect(scalingSchema.parse(JSON.parse(JSON.stringify(scaling)))).toEqual(scaling);
  });

  test("agrees with its two-operation form up to rounding", () => {
    const scaling = fitColumn(kind, "x", Float64Array.of(1, 2, 4, 9));
    const { scale, shift } = affineOf(scaling);
    const raw = Float64Array.of(-3, 0, 7);
    scaleValues(scaling, raw).forEach((value, row) =>
      expect(value).toBeCloseTo((raw[row] ?? 0) * scale + shift, 12),
    );
  });
});

test("the limits of each kind are those of its definition", () => {
  const values = Float64Array.of(1, 2, 3, 4, 10);
  expect(fitColumn("MinMaxScaler", "x", values)).toMatchObject({ scale: 1 / 9, shift: -1 / 9 });
  expect(fitColumn("StandardScaler", "x", values)).toMatchObject({ center: 4, divisor: Math.sqrt(10) });
  expect(fitColumn("RobustScaler", "x", values)).toMatchObject({ center: 3, divisor: 2 });
  expect(fitColumn("MaxAbsScaler", "x", Float64Array.of(-12, 3))).toMatchObject({ divisor: 12 });
  expect(fitColumn("RobustScaler", "x", Float64Array.of(1, 2, 3, 10))).toMatchObject({ center: 2.5 });
});

test("columns are scaled by name, whatever their order, and an unknown one is named", () => {
  const scaling = fitScaling("MaxAbsScaler", ["a", "b"], [Float64Array.of(2), Float64Array.of(8)]);
  expect(applyScaling(scaling, ["b", "a"], [Float64Array.of(4), Float64Array.of(1)])).toEqual([
    Float64Array.of(0.5),
    Float64Array.of(0.5),
  ]);
  expect(scalingOf(scaling, "b").divisor).toBe(8);
  expect(() => scalingOf(scaling, "c")).toThrow(
    "no scaling was fitted for column 'c'; there is one for a, b",
  );
});

test("a setting names a scaler, blanks around it ignored; none is empty; another is refused", () => {
  expect(scalerKind(" MinMaxScaler ")).toBe("MinMaxScaler");
  expect(scalerKind("")).toBe("none");
  expect(() => scalerKind("Minmax")).toThrow(expect.objectContaining({ code: "SETTINGS_INVALID" }));
});

test("a sum keeps what plain addition loses, in any order", () => {
  expect(sumOf(Float64Array.of(1, 1e100, 1, -1e100)).sum).toBe(2);
  expect(sumOf(Float64Array.of(1e100, 1, -1e100, 1)).sum).toBe(2);
  expect(sumOf(new Float64Array(1e6).fill(0.1)).sum).toBe(100_000);
  expect(sumOf(Float64Array.of(1, Number.NaN, 2))).toEqual({ sum: 3, count: 2 });
  expect(meanOf(Float64Array.of(1, Number.NaN, 2))).toBe(1.5);
  expect(meanOf(new Float64Array())).toBeNaN();
});

test("a pairwise sum is close to the compensated one at every length", () => {
  for (const length of [0, 1, 7, 8, 9, 127, 128, 129, 1000, 15_927]) {
    const values = Float64Array.from({ length }, (_, row) => Math.sin(row) + 2);
    expect(Math.abs(pairwiseSum(values) - sumOf(values).sum)).toBeLessThanOrEqual(1e-14 * length * 3);
  }
});

test("quantiles stay between their neighbours and reach both ends", () => {
  fc.assert(
    fc.property(column, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const sorted = sortedPresent(values);
      const quantile = quantileOfSorted(sorted, q);
      expect(quantile).toBeGreaterThanOrEqual(quantileOfSorted(sorted, 0));
      expect(quantile).toBeLessThanOrEqual(quantileOfSorted(sorted, 1));
    }),
  );
  expect(quantileOfSorted(new Float64Array(), 0.5)).toBeNaN();
  expect(sortedPresent(Float64Array.of(3, Number.NaN, 1))).toEqual(Float64Array.of(1, 3));
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measure } from "../../src/evaluation/metrics.ts";
import { compareNrmse, standingOf } from "../../src/evaluation/standing.ts";

const targets = ["down", "up"];
const actual = Float64Array.of(10, 1, 20, 3, 30, 5);
const forecast = Float64Array.of(13, 1, 20, 3, 26, 5);

describe("a standing", () => {
  test("has errors of each target in its units, and means over them", () => {
    const standing = standingOf(actual, { name: "LINEAR", forecast }, targets);
    expect(standing.perTarget["down"]?.rmse).toBeCloseTo(Math.sqrt(25 / 3), 12);
    expect(standing.perTarget["down"]?.nrmse).toBeCloseTo(Math.sqrt(25 / 3) / 20, 12);
    expect(standing.perTarget["down"]?.mae).toBeCloseTo(7 / 3, 12);
    expect(standing.perTarget["down"]?.r2).toBeCloseTo(1 - 25 / 200, 12);
    expect(standing.perTarget["up"]).toMatchObject({ nrmse: 0, rmse: 0, mae: 0, r2: 1 });
    expect(standing.nrmse).toBeCloseTo(Math.sqrt(25 / 3) / 40, 12);
    expect(standing).toMatchObject({ name: "LINEAR", coverage: null, width: null });
  });

  test("has the coverage of its intervals, and their width in units of the mean", () => {
    const bands = {
      lower: Float64Array.of(9, 0, 22, 2, 29, 4),
      upper: Float64Array.of(11, 2, 24, 4, 31, 6),
    };
    const standing = standingOf(actual, { name: "A", forecast, bands }, targets);
    expect(standing.perTarget["down"]?.coverage).toBeCloseTo(2 / 3, 12);
    expect(standing.perTarget["up"]?.coverage).toBe(1);
    expect(standing.coverage).toBeCloseTo(5 / 6, 12);
    expect(standing.perTarget["down"]?.width).toBeCloseTo(2 / 20, 12);
    expect(standing.width).toBeCloseTo((0.1 + 2 / 3) / 2, 12);
  });

  test("of a silent target has no nrmse and no width, and the other target's remain", () => {
    const silent = actual.map((value, index) => (index % 2 === 1 ? 0 : value));
    const bands = { lower: forecast, upper: forecast };
    const standing = standingOf(silent, { name: "A", forecast: silent, bands }, targets);
    expect(standing.perTarget["up"]).toMatchObject({ nrmse: null, width: null });
    expect(standing.nrmse).toBe(0);
    expect(standing.width).toBe(0);
  });
});

describe("the difference of two nrmse", () => {
  const values = fc
    .array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 12, maxLength: 60 })
    .map((all) => Float64Array.from(all.slice(0, all.length - (all.length % 3))));

  test("is exactly that, inside its interval, and changes its sign with the sides", () => {
    fc.assert(
      fc.property(values, fc.integer(), (all, seed) => {
        const size = (all.length / 3) & ~1;
        const [known, a, b] = [0, 1, 2].map((part) => all.slice(part * size, (part + 1) * size));
        if (known === undefined || a === undefined || b === undefined) return;
        const compared = compareNrmse(known, a, b, 2, seed);
        const direct = (measure(known, a, 2).nrmse ?? 0) - (measure(known, b, 2).nrmse ?? 0);
        const scale = 1e-9 * (1 + Math.abs(direct));
        expect(Math.abs(compared.difference - direct)).toBeLessThan(scale);
        expect(compared.low).toBeLessThanOrEqual(compared.high);
        expect(Math.abs(compareNrmse(known, b, a, 2, seed).difference + direct)).toBeLessThan(scale);
      }),
      { numRuns: 50 },
    );
  });

  test("of the same forecasts is nought, for certain, even where they are perfect", () => {
    for (const same of [forecast, actual])
      expect(compareNrmse(actual, same, same, 2, 1)).toEqual({ difference: 0, low: 0, high: 0 });
  });

  test("leaves out a silent target", () => {
    const silent = Float64Array.of(10, 0, 20, 0, 30, 0);
    const wrong = Float64Array.of(11, 5, 21, 5, 31, 5);
    expect(compareNrmse(silent, wrong, silent, 2, 1).difference).toBeCloseTo(1 / 20, 12);
  });

  test("of two forecasts of which one is better in every row has an interval that says so", () => {
    const rows = Float64Array.from({ length: 400 }, (_, row) => 100 + (row % 7));
    const close = rows.map((value, row) => value + (row % 3));
    const far = rows.map((value, row) => value + 5 + (row % 5));
    expect(compareNrmse(rows, close, far, 1, 1).high).toBeLessThan(0);
  });
});

import { normalFrom, seededUniform } from "@flts/forecasting/random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leastErrorWeights } from "../../src/ensemble/weights.ts";

const normal = normalFrom(seededUniform(3));
const noise = (deviation: number, rows = 4_000) =>
  Float64Array.from({ length: rows }, () => deviation * normal());

const squaredError = (errors: readonly Float64Array[], weights: readonly number[]): number =>
  errors[0]!.reduce(
    (sum, _, row) =>
      sum + weights.reduce((mean, weight, index) => mean + weight * errors[index]![row]!, 0) ** 2,
    0,
  );

describe("the weights of least squared error", () => {
  test("are as one over the variances where errors have nothing to do with each other", () => {
    const [exact, loose] = leastErrorWeights([noise(1), noise(2)]);
    expect(exact).toBeCloseTo(0.8, 1);
    expect(loose).toBeCloseTo(0.2, 1);
  });

  test("find the exact mean of two whose errors cancel", () => {
    const error = noise(1);
    const weights = leastErrorWeights([error, error.map((value) => -3 * value)]);
    expect(weights[0]).toBeCloseTo(0.75, 9);
    expect(weights[1]).toBeCloseTo(0.25, 9);
  });

  test("are 0 for a member that makes the others' errors larger", () => {
    const error = noise(1);
    expect(leastErrorWeights([error, error.map((value) => 2 * value)])).toEqual([1, 0]);
  });

  test("are equal for members that are equal, and for perfect ones", () => {
    const error = noise(1);
    expect(leastErrorWeights([error, error, error, error])).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(leastErrorWeights([new Float64Array(5), new Float64Array(5)])).toEqual([0.5, 0.5]);
  });

  test("of a single member are 1", () => {
    expect(leastErrorWeights([noise(1, 10)])).toEqual([1]);
  });

  test("are a mean's, and no mean of other weights has a clearly smaller error", () => {
    const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    const member = fc.array(value, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(member, { minLength: 1, maxLength: 5 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
        (rows, others) => {
          const errors = rows.map((row) => Float64Array.from(row));
          const weights = leastErrorWeights(errors);
          expect(weights.every((weight) => weight >= 0)).toBe(true);
          expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
          const rival = others.slice(0, errors.length);
          const sum = rival.reduce((total, weight) => total + weight, 0);
          fc.pre(sum > 0);
          const scale = Math.max(
            ...errors.map((_, index) =>
              squaredError(
                errors,
                errors.map((__, at) => Number(at === index)),
              ),
            ),
          );
          expect(squaredError(errors, weights)).toBeLessThanOrEqual(
            squaredError(
              errors,
              rival.map((weight) => weight / sum),
            ) +
              5e-3 * scale,
          );
        },
      ),
    );
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { fitTweedie } from "../../src/linear/tweedie.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";

const ROWS = 4_000;
const normal = normalFrom(seededUniform(3));
/** Two features of very different size, and answers whose mean is exactly exp(2 + 0.5 a + 3 b). */
const features = Float64Array.from({ length: ROWS * 2 }, (_, index) =>
  index % 2 === 0 ? 40 + 2 * normal() : 0.1 * normal(),
);
const means = Float64Array.from({ length: ROWS }, (_, row) =>
  Math.exp(-18 + 0.5 * (features[row * 2] ?? 0) + 3 * (features[row * 2 + 1] ?? 0)),
);

test("without noise, and without a penalty to speak of, the weights are found in the units of the data", () => {
  const { weights, intercept } = fitTweedie(features, means, 2, 1e-12);
  expect(weights[0]).toBeCloseTo(0.5, 6);
  expect(weights[1]).toBeCloseTo(3, 5);
  expect(intercept[0]).toBeCloseTo(-18, 4);
});

test("it estimates the mean of a skewed answer, where least squares on logarithms find the median", () => {
  const uniform = seededUniform(4);
  // Zero two times out of three, three times the mean otherwise.
  const bursts = means.map((mean) => (uniform() < 1 / 3 ? 3 * mean : 0));
  const { weights, intercept } = fitTweedie(features, bursts, 2, 1e-9);
  const total = means.reduce((sum, mean) => sum + mean, 0);
  const fitted = means.reduce((sum, _, row) => {
    const exponent =
      (intercept[0] ?? 0) +
      (weights[0] ?? 0) * (features[row * 2] ?? 0) +
      (weights[1] ?? 0) * (features[row * 2 + 1] ?? 0);
    return sum + Math.exp(exponent);
  }, 0);
  expect(fitted / total).toBeCloseTo(1, 1);
  expect(weights[0]).toBeCloseTo(0.5, 1);
});

test("the gradient of the penalised deviance is 0 at the solution", () => {
  const answers = means.map((mean) => mean * Math.exp(0.5 * normal()));
  const lambda = 0.3;
  const { weights, intercept } = fitTweedie(features, answers, 2, lambda);
  const unit = answers.reduce((sum, answer) => sum + answer, 0) / ROWS;
  for (const column of [0, 1]) {
    const values = Array.from({ length: ROWS }, (_, row) => features[row * 2 + column] ?? 0);
    const centre = values.reduce((sum, value) => sum + value, 0) / ROWS;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / ROWS);
    let gradient = lambda * (weights[column] ?? 0) * deviation;
    for (let row = 0; row < ROWS; row++) {
      const exponent =
        (intercept[0] ?? 0) +
        (weights[0] ?? 0) * (features[row * 2] ?? 0) +
        (weights[1] ?? 0) * (features[row * 2 + 1] ?? 0);
      const mean = Math.exp(exponent) / unit;
      const residual = (answers[row] ?? 0) / unit - mean;
      gradient -= ((residual / Math.sqrt(mean)) * (((values[row] ?? 0) - centre) / deviation)) / ROWS;
    }
    expect(Math.abs(gradient)).toBeLessThan(1e-4);
  }
});

test("answers of any size, however few and however many of them 0, have finite weights that shrink with the penalty", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e12, noNaN: true })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.integer(),
      (answers, seed) => {
        fc.pre(answers.some((answer) => answer > 0));
        const draw = normalFrom(seededUniform(seed));
        const few = Float64Array.from({ length: answers.length * 3 }, () => draw());
        const size = (lambda: number) => {
          const { weights, intercept } = fitTweedie(few, Float64Array.from(answers), 3, lambda);
          expect([...weights, ...intercept].every(Number.isFinite)).toBe(true);
          return Math.hypot(...weights);
        };
        expect(size(100)).toBeLessThanOrEqual(size(0.01) + 1e-6);
      },
    ),
    { numRuns: 50 },
  );
});

test.each([[[]], [[0, 0, 0]]])("answers %j, without one above 0, are refused", (answers) => {
  expect(() => fitTweedie(new Float64Array(answers.length), Float64Array.from(answers), 1, 1)).toThrow(
    expect.objectContaining({ code: "TABLE_TOO_SHORT" }),
  );
});

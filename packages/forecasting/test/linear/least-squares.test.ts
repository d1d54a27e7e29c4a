import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { momentsOf, solveRidge } from "../../src/linear/least-squares.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";

const normal = normalFrom(seededUniform(1));
const features = Float64Array.from(
  { length: 300 * 3 },
  (_, index) => normal() * ([1, 100, 0.01][index % 3] ?? 1) + 5,
);
const answers = (weights: readonly number[], intercept: number) =>
  Float64Array.from({ length: 300 }, (_, row) =>
    weights.reduce((sum, weight, column) => sum + weight * (features[row * 3 + column] ?? 0), intercept),
  );

test("without a penalty to speak of, the weights of an exact line are found, in the units of the data", () => {
  const { weights, intercept } = solveRidge(momentsOf(features, answers([2, -0.5, 30], 7), 3, 1), 1e-12);
  [2, -0.5, 30].forEach((weight, column) => expect((weights[column] ?? 0) / weight).toBeCloseTo(1, 9));
  expect(intercept[0]).toBeCloseTo(7, 6);
});

test("several outputs are solved as if each were alone", () => {
  const [a, b] = [answers([1, 2, 3], 0), answers([-1, 0, 9], 4)];
  const both = Float64Array.from({ length: 600 }, (_, index) => (index % 2 === 0 ? a : b)[index >> 1] ?? 0);
  const joint = solveRidge(momentsOf(features, both, 3, 2), 0.1);
  for (const [output, alone] of [a, b].entries()) {
    const single = solveRidge(momentsOf(features, alone, 3, 1), 0.1);
    single.weights.forEach((weight, column) =>
      expect(joint.weights[column * 2 + output]).toBeCloseTo(weight, 9),
    );
    expect(joint.intercept[output]).toBeCloseTo(single.intercept[0] ?? 0, 9);
  }
});

test("the penalty is in standardised units: one feature's weight is divided by 1 + lambda", () => {
  const column = features.filter((_, index) => index % 3 === 1);
  const moments = momentsOf(
    column,
    column.map((value) => 4 * value),
    1,
    1,
  );
  expect(solveRidge(moments, 1).weights[0]).toBeCloseTo(2, 9);
  expect(solveRidge(moments, 3).weights[0]).toBeCloseTo(1, 9);
});

test("the gradient of the penalised error is 0 at the solution", () => {
  const y = answers([1, 0.02, 50], 3).map((value) => value + normal());
  const moments = momentsOf(features, y, 3, 1);
  const lambda = 0.2;
  const { weights, intercept } = solveRidge(moments, lambda);
  for (let column = 0; column < 3; column++) {
    const deviation = moments.deviation[column] ?? 0;
    let gradient = lambda * (weights[column] ?? 0) * deviation;
    for (let row = 0; row < 300; row++) {
      const x = features.subarray(row * 3, row * 3 + 3);
      const fitted = x.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), intercept[0] ?? 0);
      gradient +=
        (((fitted - (y[row] ?? 0)) / 300) * ((x[column] ?? 0) - (moments.mean[column] ?? 0))) / deviation;
    }
    expect(gradient).toBeCloseTo(0, 9);
  }
});

describe("degenerate data", () => {
  test("a constant feature has no weight, and twins share theirs", () => {
    const doubled = Float64Array.from({ length: 90 }, (_, index) =>
      index % 3 === 2 ? 5 : Math.floor(index / 3),
    );
    const y = Float64Array.from({ length: 30 }, (_, row) => 2 * row);
    const { weights } = solveRidge(momentsOf(doubled, y, 3, 1), 1e-6);
    expect(weights[0]).toBeCloseTo(1, 4);
    expect(weights[1]).toBeCloseTo(1, 4);
    expect(weights[2]).toBe(0);
  });

  test("fewer rows than features, even one, has a finite solution", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer(), (rows, seed) => {
        const draw = normalFrom(seededUniform(seed));
        const few = Float64Array.from({ length: rows * 8 }, () => draw());
        const { weights, intercept } = solveRidge(momentsOf(few, few.subarray(0, rows), 8, 1), 1e-4);
        expect([...weights, ...intercept].every(Number.isFinite)).toBe(true);
      }),
    );
  });

  test("no rows are refused", () => {
    expect(() => momentsOf(new Float64Array(), new Float64Array(), 3, 1)).toThrow(
      expect.objectContaining({ code: "TABLE_TOO_SHORT" }),
    );
  });
});

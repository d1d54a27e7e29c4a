import { expect, test } from "vitest";
import type { Real } from "../../src/nodes/arithmetic.ts";
import { relu, sigmoid, tanh } from "../../src/operators/activation.ts";
import { add, multiply, subtract } from "../../src/operators/arithmetic.ts";
import { causalConvolution } from "../../src/operators/convolution.ts";
import { concat, reshape, split } from "../../src/operators/layout.ts";
import { squaredError } from "../../src/operators/loss.ts";
import { linear, multiplyMatrices, transpose } from "../../src/operators/matrix.ts";
import type { Tape } from "../../src/operators/tape.ts";
import { gradientError } from "../support/gradients.ts";

type Shape = readonly number[];

async function errorOfOne(shape: Shape, compute: (tape: Tape, x: Real) => Real): Promise<number> {
  return gradientError([shape], (tape, inputs) => inputs.map((x) => compute(tape, x)));
}

async function errorOfTwo(
  left: Shape,
  right: Shape,
  compute: (tape: Tape, a: Real, b: Real) => Real,
): Promise<number> {
  return gradientError([left, right], (tape, [a, b]) => (a && b ? [compute(tape, a, b)] : []));
}

async function errorOfThree(
  shapes: readonly [Shape, Shape, Shape],
  compute: (tape: Tape, a: Real, b: Real, c: Real) => Real,
): Promise<number> {
  return gradientError(shapes, (tape, [a, b, c]) => (a && b && c ? [compute(tape, a, b, c)] : []));
}

const tolerance = 1e-3;

test.each([
  { name: "add", operator: add },
  { name: "subtract", operator: subtract },
  { name: "multiply", operator: multiply },
])("$name sends gradients back, summed over axes that were stretched", async ({ operator }) => {
  expect(await errorOfTwo([2, 3], [2, 3], operator)).toBeLessThan(tolerance);
  expect(await errorOfTwo([2, 3], [3], operator)).toBeLessThan(tolerance);
  expect(await errorOfTwo([2, 1], [4, 1, 3], operator)).toBeLessThan(tolerance);
});

test.each([
  { name: "sigmoid", operator: sigmoid },
  { name: "tanh", operator: tanh },
])("$name sends gradients back through its derivative", async ({ operator }) => {
  expect(await errorOfOne([3, 4], operator)).toBeLessThan(tolerance);
});

test("relu sends gradients back where its input is positive", async () => {
  // Away from the kink, where a finite difference means something.
  expect(await errorOfOne([3, 4], (tape, x) => relu(tape, multiply(tape, x, x)))).toBeLessThan(tolerance);
});

test("linear sends gradients back to input, weight and bias", async () => {
  expect(await errorOfThree([[4, 3], [2, 3], [2]], linear)).toBeLessThan(tolerance);
});

test("a matrix product sends gradients back to both factors", async () => {
  expect(await errorOfTwo([2, 3], [3, 4], multiplyMatrices)).toBeLessThan(tolerance);
});

test("operators that only move values send gradients back to where the values came from", async () => {
  expect(await errorOfOne([2, 3, 4], (tape, x) => transpose(tape, x, [2, 0, 1]))).toBeLessThan(tolerance);
  expect(await errorOfOne([2, 6], (tape, x) => reshape(tape, x, [3, 4]))).toBeLessThan(tolerance);
  expect(await errorOfTwo([2, 3], [2, 1], (tape, a, b) => concat(tape, [a, b], 1))).toBeLessThan(tolerance);
});

test("a part that nobody reads sends zeros back", async () => {
  expect(await errorOfOne([3, 4], (tape, x) => split(tape, x, [1, 2, 1], 1)[1] ?? x)).toBeLessThan(tolerance);
});

test("a value that is used twice gets the sum of both gradients", async () => {
  expect(await errorOfOne([3], (tape, x) => multiply(tape, tanh(tape, x), x))).toBeLessThan(tolerance);
});

test.each([1, 2, 3])(
  "a causal convolution with dilation %i sends gradients back to input, weight and bias",
  async (dilation) => {
    const convolve = (tape: Tape, x: Real, weight: Real, bias: Real): Real =>
      causalConvolution(tape, x, weight, bias, dilation);
    expect(await errorOfThree([[2, 3, 7], [4, 3, 2], [4]], convolve)).toBeLessThan(tolerance);
    expect(await errorOfThree([[2, 1, 9], [1, 1, 3], [1]], convolve)).toBeLessThan(tolerance);
  },
);

test("the squared error sends gradients back by its row weights", async () => {
  const error = await gradientError([[3, 2]], (tape, [forecast]) => {
    const { graph } = tape;
    const targets = graph.constant({
      type: "float32",
      shape: [3, 2],
      data: Float32Array.of(1, 0, -1, 0.5, 2, 0),
    });
    const rowWeights = graph.constant({
      type: "float32",
      shape: [3, 1],
      data: Float32Array.of(0.25, 0.5, 0),
    });
    return forecast ? [squaredError(tape, forecast, targets, rowWeights)] : [];
  });
  expect(error).toBeLessThan(tolerance);
});

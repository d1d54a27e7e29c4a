import { describe, expect, test } from "vitest";
import { fixed } from "../../src/graph/shape.ts";
import type { Network, ParameterSpec } from "../../src/networks/network.ts";
import { relu } from "../../src/operators/activation.ts";
import { causalConvolution } from "../../src/operators/convolution.ts";
import { reshape, split } from "../../src/operators/layout.ts";
import { linear, transpose } from "../../src/operators/matrix.ts";
import { train } from "../../src/training/train.ts";
import { exportError } from "../support/export.ts";
import { waves } from "../support/synthetic.ts";

const [channels, taps] = [8, 3];

const parameter = (name: string, shape: readonly number[], fanIn: number): ParameterSpec => ({
  name,
  shape,
  bound: 1 / Math.sqrt(fanIn),
});

/**
 * Two dilated causal convolutions and a linear head on the last step: an architecture that the engine has never heard of, made
 * of operators alone.
 */
function convolutionalNetwork(features: number): Network {
  return {
    parameters: [
      parameter("first.weight", [channels, features, taps], features * taps),
      parameter("first.bias", [channels], features * taps),
      parameter("second.weight", [channels, channels, taps], channels * taps),
      parameter("second.bias", [channels], channels * taps),
      parameter("head.weight", [1, channels], channels),
      parameter("head.bias", [1], channels),
    ],
    forward(tape, [firstWeight, firstBias, secondWeight, secondBias, headWeight, headBias], windows) {
      if (!firstWeight || !firstBias || !secondWeight || !secondBias || !headWeight || !headBias)
        throw new Error("Six parameters");
      const signals = transpose(tape, windows, [0, 2, 1]);
      const first = relu(tape, causalConvolution(tape, signals, firstWeight, firstBias));
      const second = relu(tape, causalConvolution(tape, first, secondWeight, secondBias, 2));
      const [, last] = split(tape, second, [fixed(second.shape, 2) - 1, 1], 2);
      if (!last) throw new Error("No last step");
      return linear(tape, reshape(tape, last, [windows.shape[0] ?? 1, channels]), headWeight, headBias);
    },
  };
}

describe("a network of operators that is no recurrent one", () => {
  const table = waves();
  const network = convolutionalNetwork(table.columns);
  const settings = {
    batchSize: 32,
    epochs: 15,
    learningRate: 0.01,
    learningRateSchedule: "constant",
    inputLength: 8,
    outputLength: 1,
    patience: 30,
    clipNorm: 1,
    seed: "convolution",
  } as const;

  test("trains, and its exported file forecasts as it did in training", async () => {
    const { weights, history } = await train({ network, table, settings });
    expect(history.at(-1)?.testMse).toBeLessThan(0.002);
    expect(await exportError({ network, weights, window: 8, horizon: 1 }, table, 50)).toBeLessThan(1e-6);
  });
});

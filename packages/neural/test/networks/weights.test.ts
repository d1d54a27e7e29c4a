import { expect, test } from "vitest";
import { recurrentNetwork } from "../../src/networks/recurrent.ts";
import { flatWeights, initialWeights, namedWeights } from "../../src/networks/weights.ts";
import { randomStream } from "../../src/random.ts";

const { parameters } = recurrentNetwork({
  cell: "lstm",
  features: 3,
  hiddenSize: 4,
  numLayers: 2,
  outputs: 2,
});

test("parameters are named, shaped and ordered as PyTorch's", () => {
  expect(parameters.map(({ name, shape }) => `${name} ${shape.join("x")}`)).toEqual([
    "lstm.weight_ih_l0 16x3",
    "lstm.weight_hh_l0 16x4",
    "lstm.bias_ih_l0 16",
    "lstm.bias_hh_l0 16",
    "lstm.weight_ih_l1 16x4",
    "lstm.weight_hh_l1 16x4",
    "lstm.bias_ih_l1 16",
    "lstm.bias_hh_l1 16",
    "fc.weight 2x4",
    "fc.bias 2",
  ]);
});

test("fresh weights fill ±1/√hidden evenly, and depend on the seed alone", () => {
  const values = flatWeights(initialWeights(parameters, randomStream("weights")));
  expect(Math.max(...values)).toBeLessThanOrEqual(0.5);
  expect(Math.max(...values)).toBeGreaterThan(0.45);
  expect(Math.min(...values)).toBeLessThan(-0.45);
  expect(flatWeights(initialWeights(parameters, randomStream("weights")))).toEqual(values);
});

test("naming weights undoes laying them flat", () => {
  const weights = initialWeights(parameters, randomStream("inverse"));
  expect(namedWeights(parameters, flatWeights(weights))).toEqual(weights);
});

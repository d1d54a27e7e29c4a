import type { LayerWeights, RecurrentLayer, Sequence } from "../cells/cell.ts";
import { gruLayer } from "../cells/gru.ts";
import { lstmLayer } from "../cells/lstm.ts";
import { fixed } from "../graph/shape.ts";
import type { Real } from "../nodes/arithmetic.ts";
import { reshape, split } from "../operators/layout.ts";
import { linear, transpose } from "../operators/matrix.ts";
import type { Tape } from "../operators/tape.ts";
import type { Network, ParameterSpec } from "./network.ts";
import { inferRecurrent } from "./recurrent-inference.ts";

export type CellName = "lstm" | "gru";

export interface RecurrentArchitecture {
  readonly cell: CellName;
  readonly features: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  /** Numbers forecast from one window: horizon × targets. */
  readonly outputs: number;
}

interface Cell {
  readonly gates: number;
  readonly layer: RecurrentLayer;
}

const cells: Readonly<Record<CellName, Cell>> = {
  lstm: { gates: 4, layer: lstmLayer },
  gru: { gates: 3, layer: gruLayer },
};

/**
 * Stacked recurrent layers and a linear head on the last hidden state (reference behaviour §5.4). Parameters are named,
 * shaped, ordered and initialised as those of a PyTorch module with `lstm` or `gru` and `fc`: uniform in ±1/√hidden.
 */
export function recurrentNetwork(architecture: RecurrentArchitecture): Network {
  const { layer } = cells[architecture.cell];
  return {
    parameters: recurrentParameters(architecture),
    forward(tape, parameters, windows) {
      const [layers, head] = [parameters.slice(0, -2), parameters.slice(-2)];
      let sequence = stepsOf(tape, windows);
      for (let first = 0; first < layers.length; first += 4) {
        sequence = layer(tape, sequence, layerWeights(layers.slice(first, first + 4)));
      }
      const last = sequence.at(-1);
      const [weight, bias] = head;
      if (!last || !weight || !bias) throw new Error("A recurrent network needs a layer, a step and a head");
      return linear(tape, transpose(tape, last, [1, 0]), weight, bias);
    },
    infer: (graph, weights, windows) => inferRecurrent(graph, architecture.cell, weights, windows),
  };
}

export function recurrentParameters(architecture: RecurrentArchitecture): readonly ParameterSpec[] {
  const { cell, features, hiddenSize, numLayers, outputs } = architecture;
  const rows = cells[cell].gates * hiddenSize;
  const bound = 1 / Math.sqrt(hiddenSize);
  const layers = Array.from({ length: numLayers }, (_, layer) => [
    { name: `${cell}.weight_ih_l${layer}`, shape: [rows, layer === 0 ? features : hiddenSize], bound },
    { name: `${cell}.weight_hh_l${layer}`, shape: [rows, hiddenSize], bound },
    { name: `${cell}.bias_ih_l${layer}`, shape: [rows], bound },
    { name: `${cell}.bias_hh_l${layer}`, shape: [rows], bound },
  ]);
  return [
    ...layers.flat(),
    { name: "fc.weight", shape: [outputs, hiddenSize], bound },
    { name: "fc.bias", shape: [outputs], bound },
  ];
}

/** Windows [n, steps, features] as a sequence of [features, n]. */
function stepsOf(tape: Tape, windows: Real): Sequence {
  const [n, steps, features] = [0, 1, 2].map((axis) => fixed(windows.shape, axis));
  if (!n || !steps || !features) throw new Error(`${windows.name} holds no windows`);
  const sideBySide = reshape(tape, transpose(tape, windows, [2, 1, 0]), [features, steps * n]);
  return split(
    tape,
    sideBySide,
    Array.from({ length: steps }, () => n),
    1,
  );
}

function layerWeights([input, recurrent, inputBias, recurrentBias]: readonly Real[]): LayerWeights {
  if (!input || !recurrent || !inputBias || !recurrentBias)
    throw new Error("A recurrent layer has four parameters");
  return { input, recurrent, inputBias, recurrentBias };
}

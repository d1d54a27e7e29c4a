import type { GraphBuilder } from "../graph/graph.ts";
import { float32 } from "../graph/tensor.ts";
import type { Real } from "../nodes/arithmetic.ts";
import { matrix } from "../nodes/matrix.ts";
import { type OnnxLayer, recurrent } from "../nodes/recurrent.ts";
import type { Weight, Weights } from "./weights.ts";

/** How a cell is called in ONNX, and where PyTorch keeps each of ONNX's gates: i, o, f, c of i, f, g, o; z, r, h of r, z, n. */
export const onnxCells = {
  lstm: { operator: "LSTM", gateOrder: [0, 3, 1, 2] },
  gru: { operator: "GRU", gateOrder: [1, 0, 2] },
} as const;

/**
 * A recurrent forecaster in ONNX's standard operators.
 *
 * @param weights  as trained: four for each layer, then the head's two
 * @param windows  [n, steps, features], n free
 * @returns [n, outputs]
 */
export function inferRecurrent(
  graph: GraphBuilder,
  cell: keyof typeof onnxCells,
  weights: Weights,
  windows: Real,
): Real {
  const { everyState, lastState } = recurrent(graph);
  const { product, transpose } = matrix(graph);
  const layers = layersOf(cell, weights.slice(0, -2));
  const [headWeight, headBias] = weights
    .slice(-2)
    .map(({ name, shape, data }) => graph.constant(float32(shape, data), name));
  const top = layers.at(-1);
  if (!top || !headWeight || !headBias) throw new Error("A recurrent network needs a layer and a head");
  let states = transpose(windows, [1, 0, 2]);
  for (const layer of layers.slice(0, -1)) states = everyState(states, layer);
  return product(lastState(states, top), headWeight, headBias, { right: true });
}

function layersOf(cell: keyof typeof onnxCells, weights: Weights): readonly OnnxLayer[] {
  const { operator, gateOrder } = onnxCells[cell];
  const layers: OnnxLayer[] = [];
  for (let first = 0; first < weights.length; first += 4) {
    const [input, hidden, inputBias, hiddenBias] = weights.slice(first, first + 4);
    const hiddenSize = hidden?.shape[1];
    if (!input || !hidden || !inputBias || !hiddenBias || !hiddenSize)
      throw new Error("A recurrent layer has four weights");
    const [w, u, b, b2] = [input, hidden, inputBias, hiddenBias].map((weight) =>
      reordered(weight, gateOrder),
    );
    if (!w || !u || !b || !b2) throw new Error("unreachable");
    layers.push({ operator, hiddenSize, input: w, recurrent: u, bias: Float32Array.of(...b, ...b2) });
  }
  return layers;
}

/** A weight's gate blocks in another order. */
function reordered({ data }: Weight, order: readonly number[]): Float32Array {
  const size = data.length / order.length;
  const values = new Float32Array(data.length);
  for (const [to, from] of order.entries())
    values.set(data.subarray(from * size, (from + 1) * size), to * size);
  return values;
}

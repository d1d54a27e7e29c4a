import type { GraphBuilder } from "../graph/graph.ts";
import { fixed, type Shape } from "../graph/shape.ts";
import { float32 } from "../graph/tensor.ts";
import type { Real } from "./arithmetic.ts";
import { layout } from "./layout.ts";

/** The weights of one layer as ONNX's operators want them: gates in ONNX's order, one block of rows each. */
export interface OnnxLayer {
  readonly operator: "LSTM" | "GRU";
  readonly hiddenSize: number;
  /** [gates · hidden, in] */
  readonly input: Float32Array;
  /** [gates · hidden, hidden] */
  readonly recurrent: Float32Array;
  /** Input biases, then recurrent biases: [2 · gates · hidden]. */
  readonly bias: Float32Array;
}

/** ONNX's standard recurrent operators over x [steps, n, in], from a state of zero. */
export interface Recurrent {
  /** The hidden states after all steps, [steps, n, hidden]. */
  everyState(x: Real, layer: OnnxLayer): Real;
  /** The hidden state after the last step, [n, hidden]. */
  lastState(x: Real, layer: OnnxLayer): Real;
}

export function recurrent(graph: GraphBuilder): Recurrent {
  // `Y` is [steps, directions, n, hidden] and `Y_h`, the second output, [directions, n, hidden]; there is one direction.
  const run = (x: Real, layer: OnnxLayer, shape: Shape, position: number): Real => {
    const { operator, hiddenSize } = layer;
    const [inWidth, rows] = [fixed(x.shape, 2), layer.recurrent.length / hiddenSize];
    const inputs = [
      x,
      graph.constant(float32([1, rows, inWidth], layer.input)),
      graph.constant(float32([1, rows, hiddenSize], layer.recurrent)),
      graph.constant(float32([1, 2 * rows], layer.bias)),
    ];
    // PyTorch's GRU resets after the recurrent product.
    const reset = operator === "GRU" ? { linear_before_reset: { int: 1 } } : {};
    const attributes = { hidden_size: { int: hiddenSize }, ...reset };
    return graph.node({ operator, inputs, attributes }, { type: "float32", shape }, position);
  };
  const { reshape } = layout(graph);
  return {
    everyState(x, layer) {
      const [steps = 1, n = 1] = x.shape;
      const states = run(x, layer, [steps, 1, n, layer.hiddenSize], 0);
      return reshape(states, [steps, n, layer.hiddenSize]);
    },
    lastState(x, layer) {
      const n = x.shape[1] ?? 1;
      return reshape(run(x, layer, [1, n, layer.hiddenSize], 1), [n, layer.hiddenSize]);
    },
  };
}

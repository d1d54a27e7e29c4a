import type { GraphBuilder } from "../graph/graph.ts";
import { fixed } from "../graph/shape.ts";
import { float32, zeros } from "../graph/tensor.ts";
import type { Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { matrix } from "../nodes/matrix.ts";
import type { LayerWeights, Sequence } from "./cell.ts";

/** What the gradients of a layer's weights and inputs are made of, once those of its gates' sums are known at every step. */
export interface UnrolledLayer {
  readonly inputs: Sequence;
  /** Hidden states after each step. */
  readonly hidden: Sequence;
  readonly weights: LayerWeights;
  /** Gradients by W·x + b, [gates · hidden, batch] for each step. */
  readonly byInputSum: Sequence;
  /** Gradients by U·h₋₁ + b; the very same sequence where the two sums are only ever added, as in an LSTM. */
  readonly byRecurrentSum: Sequence;
}

/**
 * Gradients by the weights, in the order of `weightList`, then by the inputs where they are wanted. Each is one product
 * over all steps: the steps stand side by side as columns, so that the product sums over time as well.
 */
export function layerGradients(
  graph: GraphBuilder,
  layer: UnrolledLayer,
  inputsWanted: boolean,
): readonly Real[] {
  const { concat, split, reshape } = layout(graph);
  const { product } = matrix(graph);
  const { inputs, hidden, weights } = layer;
  const [first] = hidden;
  if (!first) throw new Error("A recurrent layer needs at least one step");

  const shared = layer.byRecurrentSum === layer.byInputSum;
  const byInputSum = concat(layer.byInputSum, 1);
  const byRecurrentSum = shared ? byInputSum : concat(layer.byRecurrentSum, 1);
  const before = concat([zeroLike(graph, first), ...hidden.slice(0, -1)], 1);
  const columns = fixed(byInputSum.shape, 1);
  const ones = graph.constant(float32([1, columns], new Float32Array(columns).fill(1)));
  // From the left: as a constant on the right the ones would be packed as if for a large product, at six times the cost.
  const summed = (by: Real): Real =>
    reshape(product(ones, by, undefined, { right: true }), weights.inputBias.shape);
  const byBias = summed(byInputSum);
  return [
    product(byInputSum, concat(inputs, 1), undefined, { right: true }),
    product(byRecurrentSum, before, undefined, { right: true }),
    byBias,
    shared ? byBias : summed(byRecurrentSum),
    ...(inputsWanted
      ? split(product(transposedOnce(graph, weights.input), byInputSum), widths(inputs), 1)
      : []),
  ];
}

const widths = (sequence: Sequence): number[] => sequence.map((step) => fixed(step.shape, 1));

/**
 * The gradient that arrives at a hidden state: from those who read it (`direct`), and from the next step's gates through
 * the transposed recurrent weights.
 */
export function arrivingAt(
  graph: GraphBuilder,
  hidden: Real,
  direct: Real | undefined,
  next: { readonly back: Real; readonly byGates: Real } | undefined,
): Real {
  if (next) return matrix(graph).product(next.back, next.byGates, direct);
  return direct ?? zeroLike(graph, hidden);
}

/**
 * A transposed weight [rows, columns] → [columns, rows], for several products. The detour through three axes keeps
 * onnxruntime from fusing the transposition back into each product, where it costs a quarter of the product.
 */
export function transposedOnce(graph: GraphBuilder, weight: Real): Real {
  const { reshape } = layout(graph);
  const [rows, columns] = [fixed(weight.shape, 0), fixed(weight.shape, 1)];
  const turned = matrix(graph).transpose(reshape(weight, [1, rows, columns]), [2, 0, 1]);
  return reshape(turned, [columns, rows]);
}

/** Zeros of the shape of `value`: a state before the first step, or the gradient of something that nobody read. */
export const zeroLike = (graph: GraphBuilder, value: Real): Real =>
  graph.constant(zeros("float32", value.shape));

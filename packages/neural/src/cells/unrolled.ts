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
  /**
   * Gradients by W·x + b, in blocks of rows that together are [gates · hidden, batch] for each step. A block may be
   * the same sequence in both sums; its steps are then joined once.
   */
  readonly byInputSum: readonly Sequence[];
  /** Gradients by U·h₋₁ + b′, likewise. */
  readonly byRecurrentSum: readonly Sequence[];
}

/**
 * Gradients by the weights, in the order of `weightList`, then by the inputs where they are wanted. Each is one product
 * per block over all steps: the steps stand side by side as columns, so that the product sums over time as well.
 */
export function layerGradients(
  graph: GraphBuilder,
  layer: UnrolledLayer,
  inputsWanted: boolean,
): readonly Real[] {
  const { concat, reshape } = layout(graph);
  const { product } = matrix(graph);
  const { inputs, hidden, weights, byInputSum, byRecurrentSum } = layer;
  const [first] = hidden;
  if (!first) throw new Error("A recurrent layer needs at least one step");

  const sideBySide = once((block: Sequence) => concat(block, 1));
  const columns = fixed(first.shape, 1) * hidden.length;
  const ones = graph.constant(float32([1, columns], new Float32Array(columns).fill(1)));
  // From the left: as a constant on the right the ones would be packed as if for a large product, at six times the cost.
  const summed = once((block: Sequence) => product(ones, sideBySide(block), undefined, { right: true }));
  const byBias = (blocks: readonly Sequence[], bias: Real): Real =>
    reshape(concat(blocks.map(summed), 1), bias.shape);
  const byWeight = (blocks: readonly Sequence[], factor: Real): Real => {
    const rows = blocks.map((block) => product(sideBySide(block), factor, undefined, { right: true }));
    return concat(rows, 0);
  };
  return [
    byWeight(byInputSum, concat(inputs, 1)),
    byWeight(byRecurrentSum, concat([zeroLike(graph, first), ...hidden.slice(0, -1)], 1)),
    byBias(byInputSum, weights.inputBias),
    byBias(byRecurrentSum, weights.recurrentBias),
    ...(inputsWanted ? inputGradients(graph, byInputSum.map(sideBySide), weights.input, inputs) : []),
  ];
}

/** Wᵀ times the blocks' gradients of all steps, cut into steps again. */
function inputGradients(
  graph: GraphBuilder,
  blocks: readonly Real[],
  weight: Real,
  inputs: Sequence,
): readonly Real[] {
  const { split } = layout(graph);
  const { product } = matrix(graph);
  const rows = blocks.map((block) => fixed(block.shape, 0));
  const turned = split(transposedOnce(graph, weight), rows, 1);
  const all = turned.reduce<Real | undefined>(
    (sum, part, index) => product(part, blocks[index] ?? part, sum),
    undefined,
  );
  const columns = inputs.map((x) => fixed(x.shape, 1));
  return all ? split(all, columns, 1) : [];
}

/** A function of a sequence that is worked out once for each. */
function once(emit: (sequence: Sequence) => Real): (sequence: Sequence) => Real {
  const known = new Map<Sequence, Real>();
  return (sequence) => {
    const value = known.get(sequence) ?? emit(sequence);
    known.set(sequence, value);
    return value;
  };
}

/** A product that is still to be emitted, so that an addition can ride on it. */
export type PendingProduct = (addend: Real | undefined) => Real;

/** How gradients by the sums of some gates go back to the hidden state before them: Uᵀ · byGates. */
export function returning(graph: GraphBuilder, recurrent: Real): (byGates: Real) => PendingProduct {
  const { product } = matrix(graph);
  const turned = transposedOnce(graph, recurrent);
  return (byGates) => (addend) => product(turned, byGates, addend);
}

/** The gradient that arrives at a hidden state: from those who read it (`direct`), and from the gates of the next step. */
export function arrivingAt(
  graph: GraphBuilder,
  hidden: Real,
  direct: Real | undefined,
  next: readonly PendingProduct[],
): Real {
  return next.reduce<Real | undefined>((sum, add) => add(sum), direct) ?? zeroLike(graph, hidden);
}

/**
 * A transposed weight [rows, columns] → [columns, rows], for several products. The detour through three axes keeps
 * onnxruntime from fusing the transposition back into each product, where it costs a quarter of the product.
 */
function transposedOnce(graph: GraphBuilder, weight: Real): Real {
  const { reshape } = layout(graph);
  const [rows, columns] = [fixed(weight.shape, 0), fixed(weight.shape, 1)];
  const turned = matrix(graph).transpose(reshape(weight, [1, rows, columns]), [2, 0, 1]);
  return reshape(turned, [columns, rows]);
}

/** Zeros of the shape of `value`: a state before the first step, or the gradient of something that nobody read. */
export const zeroLike = (graph: GraphBuilder, value: Real): Real =>
  graph.constant(zeros("float32", value.shape));

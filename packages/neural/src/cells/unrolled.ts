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
  const { concat, split, reshape } = layout(graph);
  const { product } = matrix(graph);
  const { inputs, hidden, weights } = layer;
  const [first] = hidden;
  if (!first) throw new Error("A recurrent layer needs at least one step");

  const sideBySide = once((block: Sequence) => concat(block, 1));
  const columns = fixed(first.shape, 1) * inputs.length;
  const ones = graph.constant(float32([1, columns], new Float32Array(columns).fill(1)));
  // From the left: as a constant on the right the ones would be packed as if for a large product, at six times the cost.
  const summed = once((block: Sequence) => product(ones, sideBySide(block), undefined, { right: true }));
  const byWeight = (blocks: readonly Sequence[], factor: Real): Real =>
    concat(
      blocks.map((block) => product(sideBySide(block), factor, undefined, { right: true })),
      0,
    );
  const byBias = (blocks: readonly Sequence[], like: Real): Real =>
    reshape(concat(blocks.map(summed), 1), like.shape);

  const byInputs = (): readonly Real[] => {
    const rows = layer.byInputSum.map((block) => fixed(block[0]?.shape ?? [], 0));
    const turned = split(transposedOnce(graph, weights.input), rows, 1);
    const all = layer.byInputSum.reduce<Real | undefined>(
      (sum, block, index) => product(turned[index] ?? weights.input, sideBySide(block), sum),
      undefined,
    );
    return all
      ? split(
          all,
          inputs.map((x) => fixed(x.shape, 1)),
          1,
        )
      : [];
  };
  return [
    byWeight(layer.byInputSum, concat(inputs, 1)),
    byWeight(layer.byRecurrentSum, concat([zeroLike(graph, first), ...hidden.slice(0, -1)], 1)),
    byBias(layer.byInputSum, weights.inputBias),
    byBias(layer.byRecurrentSum, weights.recurrentBias),
    ...(inputsWanted ? byInputs() : []),
  ];
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

/** Part of what a step's gates send back to the hidden state before it: weight · byGates. */
export interface Returning {
  /** Transposed recurrent weights of some gates, [hidden, rows]. */
  readonly back: Real;
  /** Gradients by those gates' sums, [rows, batch]. */
  readonly byGates: Real;
}

/**
 * The gradient that arrives at a hidden state: from those who read it (`direct`), and from the gates of the next step. The
 * additions ride on the products.
 */
export function arrivingAt(
  graph: GraphBuilder,
  hidden: Real,
  direct: Real | undefined,
  next: readonly Returning[],
): Real {
  const { product } = matrix(graph);
  const sum = next.reduce((total, { back, byGates }) => product(back, byGates, total), direct);
  return sum ?? zeroLike(graph, hidden);
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

import type { GraphBuilder } from "../graph/graph.ts";
import { fixed } from "../graph/shape.ts";
import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { matrix } from "../nodes/matrix.ts";
import type { Tape } from "../operators/tape.ts";
import { type LayerWeights, type Sequence, weightList } from "./cell.ts";
import { arrivingAt, layerGradients, transposedOnce } from "./unrolled.ts";

/**
 * Gated recurrent unit (Cho et al. 2014), in PyTorch's form: the reset gate acts after the recurrent product.
 *
 *     r, z = σ(W·x + b + U·h₋₁ + b′)    n = tanh(W·x + b + r ⊙ (U·h₋₁ + b′))    h = n + z ⊙ (h₋₁ − n)
 *
 * Implements `RecurrentLayer`; the weights' row blocks are r, z, n.
 */
export function gruLayer(tape: Tape, inputs: Sequence, weights: LayerWeights): Sequence {
  const steps = forward(tape.graph, inputs, weights);
  const hidden = steps.map((step) => step.h);
  tape.record({
    inputs: [...weightList(weights), ...inputs],
    outputs: hidden,
    pullback(byHidden, wanted) {
      const sums = backward(tape.graph, steps, weights.recurrent, byHidden);
      return layerGradients(tape.graph, { inputs, hidden, weights, ...sums }, wanted.at(-1) ?? false);
    },
  });
  return hidden;
}

/** What the backward pass needs of a step, [hidden, batch] each. */
interface Step {
  readonly r: Real;
  readonly z: Real;
  readonly n: Real;
  /** U·h₋₁ + b′ for n; at the first step b′ alone, [hidden, 1]. */
  readonly recalled: Real;
  /** r ⊙ recalled */
  readonly admitted: Real;
  /** z ⊙ (h₋₁ − n) */
  readonly kept: Real;
  readonly h: Real;
}

function forward(graph: GraphBuilder, inputs: Sequence, weights: LayerWeights): readonly Step[] {
  const { add, sub, mul, neg, sigmoid, tanh } = arithmetic(graph);
  const { concat } = layout(graph);
  const { product } = matrix(graph);
  const [input, recurrent] = [blocks(graph, weights.input), blocks(graph, weights.recurrent)];
  const [inputBias, recurrentBias] = [blocks(graph, weights.inputBias), blocks(graph, weights.recurrentBias)];
  const [biasR, biasZ] = [add(inputBias.r, recurrentBias.r), add(inputBias.z, recurrentBias.z)];
  const [stackedR, stackedZ] = [concat([input.r, recurrent.r], 1), concat([input.z, recurrent.z], 1)];

  const steps: Step[] = [];
  for (const x of inputs) {
    const before = steps.at(-1)?.h;
    const stacked = before && concat([x, before], 0);
    const r = sigmoid(stacked ? product(stackedR, stacked, biasR) : product(input.r, x, biasR));
    const z = sigmoid(stacked ? product(stackedZ, stacked, biasZ) : product(input.z, x, biasZ));
    const recalled = before ? product(recurrent.n, before, recurrentBias.n) : recurrentBias.n;
    const admitted = mul(r, recalled);
    const n = tanh(add(product(input.n, x, inputBias.n), admitted));
    const kept = mul(z, before ? sub(before, n) : neg(n));
    steps.push({ r, z, n, recalled, admitted, kept, h: add(n, kept) });
  }
  return steps;
}

/** The r, z and n blocks of a weight [3 · hidden, …], or of a bias [3 · hidden] as columns [hidden, 1]. */
function blocks(graph: GraphBuilder, weight: Real): { readonly r: Real; readonly z: Real; readonly n: Real } {
  const { split, reshape } = layout(graph);
  const rows = fixed(weight.shape, 0);
  const matrixShaped = weight.shape.length === 1 ? reshape(weight, [rows, 1]) : weight;
  const [r, z, n] = split(matrixShaped, [rows / 3, rows / 3, rows / 3], 0);
  if (!r || !z || !n) throw new Error("A GRU has three gates");
  return { r, z, n };
}

/**
 * Gradients of the loss by the gates' two sums, [3 · hidden, batch] for each step; they differ in the block of n, which
 * the reset gate scales on the recurrent side. Derivatives come from the activations: σ′ = σ − σ², tanh′ = 1 − tanh².
 */
function backward(
  graph: GraphBuilder,
  steps: readonly Step[],
  recurrent: Real,
  byHidden: readonly (Real | undefined)[],
): { readonly byInputSum: Sequence; readonly byRecurrentSum: Sequence } {
  const { add, sub, mul } = arithmetic(graph);
  const { concat } = layout(graph);
  const back = transposedOnce(graph, recurrent);

  const byInputSum: Real[] = [];
  const byRecurrentSum: Real[] = [];
  let byHz: Real | undefined;
  for (const [t, { r, z, n, recalled, admitted, kept, h }] of [...steps.entries()].toReversed()) {
    const [direct, byGates] = [byHidden[t], byRecurrentSum[0]];
    const addend: Real | undefined = direct && byHz ? add(direct, byHz) : (byHz ?? direct);
    const byH = arrivingAt(graph, h, addend, byGates && { back, byGates });
    byHz = mul(byH, z);
    const byN = sub(byH, byHz);
    const byTanh = sub(byN, mul(mul(byN, n), n));
    const byRecalled = mul(byTanh, r);
    const byR = mul(byRecalled, sub(recalled, admitted));
    const byZ = mul(byN, kept);
    byInputSum.unshift(concat([byR, byZ, byTanh], 0));
    byRecurrentSum.unshift(concat([byR, byZ, byRecalled], 0));
  }
  return { byInputSum, byRecurrentSum };
}

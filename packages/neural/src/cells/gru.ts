import type { GraphBuilder } from "../graph/graph.ts";
import { fixed } from "../graph/shape.ts";
import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { matrix } from "../nodes/matrix.ts";
import type { Tape } from "../operators/tape.ts";
import { type LayerWeights, type Sequence, weightList } from "./cell.ts";
import { gateSums } from "./gate-sums.ts";
import { arrivingAt, layerGradients, returning, type UnrolledLayer } from "./unrolled.ts";

/**
 * Gated recurrent unit (Cho et al. 2014), in PyTorch's form: the reset gate acts after the recurrent product.
 *
 *     r, z = σ(W·x + b + U·h₋₁ + b′)    n = tanh(W·x + b + r ⊙ (U·h₋₁ + b′))    h = n + z ⊙ (h₋₁ − n)
 *
 * Implements `RecurrentLayer`; the weights' row blocks are r, z, n.
 */
export function gruLayer(tape: Tape, inputs: Sequence, weights: LayerWeights): Sequence {
  const { graph } = tape;
  const recurrent = blocks(graph, weights.recurrent);
  const steps = forward(graph, inputs, weights, recurrent);
  const hidden = steps.map((step) => step.h);
  tape.record({
    inputs: [...weightList(weights), ...inputs],
    outputs: hidden,
    pullback(byHidden, wanted) {
      const sums = backward(graph, steps, recurrent, byHidden);
      return layerGradients(graph, { inputs, hidden, weights, ...sums }, wanted.at(-1) ?? false);
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

/** The rows of a weight that belong to the gates r and z, which share everything but their names, and those of n. */
interface Blocks {
  readonly gates: Real;
  readonly candidate: Real;
}

/** Of a weight [3 · hidden, …]; of a bias [3 · hidden] as columns [… , 1]. */
function blocks(graph: GraphBuilder, weight: Real): Blocks {
  const { split, reshape } = layout(graph);
  const rows = fixed(weight.shape, 0);
  const [gates, candidate] = split(
    weight.shape.length === 1 ? reshape(weight, [rows, 1]) : weight,
    [(2 * rows) / 3, rows / 3],
    0,
  );
  if (!gates || !candidate) throw new Error("A GRU has three gates");
  return { gates, candidate };
}

function forward(
  graph: GraphBuilder,
  inputs: Sequence,
  weights: LayerWeights,
  recurrent: Blocks,
): readonly Step[] {
  const { add, sub, mul, neg, sigmoid, tanh } = arithmetic(graph);
  const { product } = matrix(graph);
  const input = blocks(graph, weights.input);
  const inputBias = blocks(graph, weights.inputBias);
  const recurrentBias = blocks(graph, weights.recurrentBias);
  const bias = add(inputBias.gates, recurrentBias.gates);
  const sumsAt = gateSums(graph, { input: input.gates, recurrent: recurrent.gates, bias });

  const steps: Step[] = [];
  for (const x of inputs) {
    const before = steps.at(-1)?.h;
    const [r, z] = sumsAt(x, before).map(sigmoid);
    if (!r || !z) throw new Error("A GRU has two gates beside its candidate");
    const recalled = before
      ? product(recurrent.candidate, before, recurrentBias.candidate)
      : recurrentBias.candidate;
    const admitted = mul(r, recalled);
    const n = tanh(add(product(input.candidate, x, inputBias.candidate), admitted));
    const kept = mul(z, before ? sub(before, n) : neg(n));
    steps.push({ r, z, n, recalled, admitted, kept, h: add(n, kept) });
  }
  return steps;
}

/**
 * Gradients of the loss by the gates' two sums, in the blocks [r; z] and n. Those of n differ: the reset gate scales what
 * goes to the recurrent side. Derivatives come from the activations: σ′ = σ − σ², tanh′ = 1 − tanh².
 */
function backward(
  graph: GraphBuilder,
  steps: readonly Step[],
  recurrent: Blocks,
  byHidden: readonly (Real | undefined)[],
): Pick<UnrolledLayer, "byInputSum" | "byRecurrentSum"> {
  const { add, sub, mul } = arithmetic(graph);
  const { concat } = layout(graph);
  const backGates = returning(graph, recurrent.gates);
  const backCandidate = returning(graph, recurrent.candidate);

  const byGates: Real[] = [];
  const byCandidate: Real[] = [];
  const byRecalled: Real[] = [];
  let byHz: Real | undefined;
  for (const [t, { r, z, n, recalled, admitted, kept, h }] of [...steps.entries()].toReversed()) {
    const [direct, gates, recall] = [byHidden[t], byGates[0], byRecalled[0]];
    const arriving = direct && byHz ? add(direct, byHz) : (byHz ?? direct);
    const next = gates && recall ? [backGates(gates), backCandidate(recall)] : [];
    const byH = arrivingAt(graph, h, arriving, next);
    byHz = mul(byH, z);
    const byN = sub(byH, byHz);
    const byTanh = sub(byN, mul(mul(byN, n), n));
    const toRecalled = mul(byTanh, r);
    byGates.unshift(concat([mul(toRecalled, sub(recalled, admitted)), mul(byN, kept)], 0));
    byCandidate.unshift(byTanh);
    byRecalled.unshift(toRecalled);
  }
  return { byInputSum: [byGates, byCandidate], byRecurrentSum: [byGates, byRecalled] };
}

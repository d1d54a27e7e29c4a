import type { GraphBuilder } from "../graph/graph.ts";
import { fixed } from "../graph/shape.ts";
import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import type { Tape } from "../operators/tape.ts";
import { type LayerWeights, type Sequence, weightList } from "./cell.ts";
import { gateSums } from "./gate-sums.ts";
import { arrivingAt, layerGradients, returning, zeroLike } from "./unrolled.ts";

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997), with PyTorch's gates in PyTorch's order:
 *
 *     i, f, o = σ(W·x + U·h₋₁ + b)    g = tanh(W·x + U·h₋₁ + b)    c = f ⊙ c₋₁ + i ⊙ g    h = o ⊙ tanh c
 *
 * Implements `RecurrentLayer`; the weights' row blocks are i, f, g, o.
 */
export function lstmLayer(tape: Tape, inputs: Sequence, weights: LayerWeights): Sequence {
  const steps = forward(tape.graph, inputs, weights);
  const hidden = steps.map((step) => step.h);
  tape.record({
    inputs: [...weightList(weights), ...inputs],
    outputs: hidden,
    pullback(byHidden, wanted) {
      const byGates = backward(tape.graph, steps, weights.recurrent, byHidden);
      const layer = { inputs, hidden, weights, byInputSum: [byGates], byRecurrentSum: [byGates] };
      return layerGradients(tape.graph, layer, wanted.at(-1) ?? false);
    },
  });
  return hidden;
}

/** What the backward pass needs of a step, [hidden, batch] each. */
interface Step {
  readonly i: Real;
  readonly f: Real;
  readonly g: Real;
  readonly o: Real;
  readonly c: Real;
  readonly tanhC: Real;
  readonly h: Real;
  /** c₋₁ and f ⊙ c₋₁; the first step has none, its c₋₁ being zero. */
  readonly memory?: { readonly c: Real; readonly kept: Real };
}

function forward(graph: GraphBuilder, inputs: Sequence, weights: LayerWeights): readonly Step[] {
  const { add, mul, sigmoid, tanh } = arithmetic(graph);
  const { input, recurrent } = weights;
  const bias = add(weights.inputBias, weights.recurrentBias);
  const column = layout(graph).reshape(bias, [fixed(bias.shape, 0), 1]);
  const sumsAt = gateSums(graph, { input, recurrent, bias: column });
  const steps: Step[] = [];
  for (const x of inputs) {
    const before = steps.at(-1);
    const [sumI, sumF, sumG, sumO] = sumsAt(x, before?.h);
    if (!sumI || !sumF || !sumG || !sumO) throw new Error("An LSTM has four gates");
    const [i, f, g, o] = [sigmoid(sumI), sigmoid(sumF), tanh(sumG), sigmoid(sumO)];
    const entered = mul(i, g);
    const memory = before && { c: before.c, kept: mul(f, before.c) };
    const c = memory ? add(memory.kept, entered) : entered;
    const tanhC = tanh(c);
    steps.push({ i, f, g, o, c, tanhC, h: mul(o, tanhC), ...(memory && { memory }) });
  }
  return steps;
}

/**
 * Gradients of the loss by the gates' sums (what σ and tanh are taken of), [4 · hidden, batch] for each step.
 *
 * σ′ = σ − σ² and tanh′ = 1 − tanh² come from the activations themselves, arranged so that products are shared: beside the
 * matrix products, which cannot be helped, every element-wise pass over [hidden, batch] counts.
 */
function backward(
  graph: GraphBuilder,
  steps: readonly Step[],
  recurrent: Real,
  byHidden: readonly (Real | undefined)[],
): Sequence {
  const { add, sub, mul } = arithmetic(graph);
  const { concat } = layout(graph);
  const back = returning(graph, recurrent);

  const byGates: Real[] = [];
  let byMemory: Real | undefined;
  for (const [t, { i, f, g, o, tanhC, memory, h }] of [...steps.entries()].toReversed()) {
    const byH = arrivingAt(graph, h, byHidden[t], byGates.slice(0, 1).map(back));
    const byHo = mul(byH, o);
    const byO = mul(byHo, tanhC);
    const byTanhC = sub(byHo, mul(byO, tanhC));
    const byC: Real = byMemory ? add(byTanhC, byMemory) : byTanhC;
    const byCi = mul(byC, i);
    const byI = mul(byCi, g);
    byMemory = memory && mul(byC, f);
    const blocks = [
      sub(byI, mul(byI, i)),
      memory && byMemory ? mul(byMemory, sub(memory.c, memory.kept)) : zeroLike(graph, f),
      sub(byCi, mul(byI, g)),
      sub(byO, mul(byO, o)),
    ];
    byGates.unshift(concat(blocks, 0));
  }
  return byGates;
}

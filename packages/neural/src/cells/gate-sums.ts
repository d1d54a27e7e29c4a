import type { GraphBuilder } from "../graph/graph.ts";
import { fixed } from "../graph/shape.ts";
import type { Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { matrix } from "../nodes/matrix.ts";

/** Weights of several gates, one block of `hidden` rows above the other, whose two sums are added. */
export interface GateWeights {
  /** W [gates · hidden, in] */
  readonly input: Real;
  /** U [gates · hidden, hidden] */
  readonly recurrent: Real;
  /** b [gates · hidden, 1] */
  readonly bias: Real;
}

/** Emits W·x + U·h₋₁ + b, gate by gate, [hidden, batch] each; without a state before it, the step is the first. */
export type GateSums = (x: Real, before: Real | undefined) => readonly Real[];

/**
 * Prepares the weights of some gates, once for all steps: [W | U] is cut into gates, so that each gate's sum is one product with
 * input and state stacked. A product per gate costs 3 % more than one for all of them, but splitting that one's result would cost
 * 10 %. The first step has no state, and is not multiplied by zeros.
 */
export function gateSums(graph: GraphBuilder, { input, recurrent, bias }: GateWeights): GateSums {
  const { concat, split } = layout(graph);
  const { product } = matrix(graph);
  const [rows, hidden] = [fixed(recurrent.shape, 0), fixed(recurrent.shape, 1)];
  const perGate = Array.from({ length: rows / hidden }, () => hidden);
  const biasOf = split(bias, perGate, 0);
  const weightOf = split(concat([input, recurrent], 1), perGate, 0);
  return (x, before) => {
    if (!before) return split(product(input, x, bias), perGate, 0);
    const stacked = concat([x, before], 0);
    return weightOf.map((weight, gate) => product(weight, stacked, biasOf[gate]));
  };
}

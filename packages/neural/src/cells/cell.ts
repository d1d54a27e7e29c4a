import type { Real } from "../nodes/arithmetic.ts";
import type { Tape } from "../operators/tape.ts";

/**
 * Activations of one time step each, feature-major: [features, batch]. Weights then stand on the left of every product,
 * and joining features is joining rows: contiguous copies.
 */
export type Sequence = readonly Real[];

/** A recurrent layer's parameters, as PyTorch stores them: one block of `hidden` rows for each gate, one above the other. */
export interface LayerWeights {
  /** W [gates · hidden, in] */
  readonly input: Real;
  /** U [gates · hidden, hidden] */
  readonly recurrent: Real;
  /** [gates · hidden] */
  readonly inputBias: Real;
  /** [gates · hidden] */
  readonly recurrentBias: Real;
}

/**
 * A recurrent layer unrolled over time: one composite operator with a hand-derived backward pass.
 *
 * @param inputs  [in, batch] for each step
 * @returns the hidden state [hidden, batch] after each step; the state before the first is zero
 */
export type RecurrentLayer = (tape: Tape, inputs: Sequence, weights: LayerWeights) => Sequence;

export const weightList = (weights: LayerWeights): readonly Real[] => [
  weights.input,
  weights.recurrent,
  weights.inputBias,
  weights.recurrentBias,
];

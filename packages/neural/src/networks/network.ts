import type { Real } from "../nodes/arithmetic.ts";
import type { Tape } from "../operators/tape.ts";

/** A parameter as PyTorch's state dict would name and lay it out. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** It starts uniformly distributed in ± this bound. */
  readonly bound: number;
}

/**
 * An architecture: which parameters it has, and how it forecasts from a window. Training, evaluation and export need
 * nothing else, and `forward` needs operators only: their gradients come with them.
 */
export interface Network {
  readonly parameters: readonly ParameterSpec[];
  /**
   * @param parameters  in the order of `Network.parameters`
   * @param windows  [n, steps, features]
   * @returns [n, outputs]
   */
  forward(tape: Tape, parameters: readonly Real[], windows: Real): Real;
}

/** Parameters with their values, in the network's order: what PyTorch calls a state dict. */
export type Weights = readonly {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}[];

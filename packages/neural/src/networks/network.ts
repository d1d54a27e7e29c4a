import type { GraphBuilder } from "../graph/graph.ts";
import type { Real } from "../nodes/arithmetic.ts";
import type { Tape } from "../operators/tape.ts";
import type { Weights } from "./weights.ts";

/** A parameter as PyTorch's state dict would name and lay it out. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** It starts uniformly distributed within ± this bound. */
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
  /** The same function in ONNX's standard operators and for any number of windows, where `forward` is not that already. */
  readonly infer?: (graph: GraphBuilder, weights: Weights, windows: Real) => Real;
}

import { sizeOf } from "../graph/shape.ts";
import type { RandomStream } from "../random.ts";
import type { ParameterSpec } from "./network.ts";

/** A parameter's values under its name: one entry of what PyTorch calls a state dict. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** The parameters' values in the network's order, named and laid out as in PyTorch's state dict. */
export type Weights = readonly Weight[];

/** All weights one after the other, as training keeps them (PyTorch's `parameters_to_vector`). */
export function flatWeights(weights: Weights): Float32Array {
  const flat = new Float32Array(weights.reduce((size, { data }) => size + data.length, 0));
  let offset = 0;
  for (const { data } of weights) {
    flat.set(data, offset);
    offset += data.length;
  }
  return flat;
}

/** The weights in a flat vector, as copies. */
export function namedWeights(parameters: readonly ParameterSpec[], flat: Float32Array): Weights {
  let offset = 0;
  return parameters.map(({ name, shape }) => {
    const start = offset;
    offset += sizeOf(shape);
    return { name, shape, data: flat.slice(start, offset) };
  });
}

/** Fresh weights, each parameter uniform within its bound. */
export function initialWeights(parameters: readonly ParameterSpec[], random: RandomStream): Weights {
  return parameters.map(({ name, shape, bound }) => ({
    name,
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => (2 * random() - 1) * bound),
  }));
}

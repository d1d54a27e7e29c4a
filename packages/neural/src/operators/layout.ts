import { fixed, type Shape } from "../graph/shape.ts";
import { zeros } from "../graph/tensor.ts";
import type { Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { record, type Tape } from "./tape.ts";

/** The same values, row-major, in another shape. */
export function reshape(tape: Tape, x: Real, shape: Shape): Real {
  const nodes = layout(tape.graph);
  return record(tape, [x], nodes.reshape(x, shape), (gradient) => [() => nodes.reshape(gradient, x.shape)]);
}

/** Parts one after the other along `axis`. */
export function concat(tape: Tape, parts: readonly Real[], axis: number): Real {
  const nodes = layout(tape.graph);
  const joined = nodes.concat(parts, axis);
  if (parts.length === 1) return joined;
  tape.record({
    inputs: parts,
    outputs: [joined],
    pullback([gradient]) {
      const sizes = parts.map((part) => fixed(part.shape, axis));
      return gradient ? nodes.split(gradient, sizes, axis) : [];
    },
  });
  return joined;
}

/** Consecutive parts of the given sizes along `axis`. */
export function split(tape: Tape, x: Real, sizes: readonly number[], axis: number): readonly Real[] {
  const nodes = layout(tape.graph);
  const parts = nodes.split(x, sizes, axis);
  if (parts.length === 1) return parts;
  tape.record({
    inputs: [x],
    outputs: parts,
    pullback(gradients) {
      const filled = parts.map(
        (part, index) => gradients[index] ?? tape.graph.constant(zeros("float32", part.shape)),
      );
      return [nodes.concat(filled, axis)];
    },
  });
  return parts;
}

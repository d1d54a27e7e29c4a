import type { GraphBuilder } from "../graph/graph.ts";
import { axisOf, type Shape } from "../graph/shape.ts";
import { int64 } from "../graph/tensor.ts";
import type { Real } from "./arithmetic.ts";

/** Sums of one graph. Without `axes` they go over everything and give a scalar of shape []. */
export interface Reduction {
  sum(x: Real, axes?: readonly number[], keepAxes?: boolean): Real;
  sumOfSquares(x: Real): Real;
}

export function reduction(graph: GraphBuilder): Reduction {
  return {
    sum(x, axes, keepAxes = false) {
      const summed = axes?.map((axis) => axisOf(axis, x.shape.length));
      const inputs = summed ? [x, graph.constant(int64([summed.length], summed))] : [x];
      const attributes = { keepdims: { int: keepAxes ? 1 : 0 } };
      return graph.node(
        { operator: "ReduceSum", inputs, attributes },
        { type: "float32", shape: reduced(x.shape, summed, keepAxes) },
      );
    },
    sumOfSquares(x) {
      const attributes = { keepdims: { int: 0 } };
      return graph.node(
        { operator: "ReduceSumSquare", inputs: [x], attributes },
        { type: "float32", shape: [] },
      );
    },
  };
}

function reduced(shape: Shape, axes: readonly number[] | undefined, keepAxes: boolean): Shape {
  const gone = new Set(axes ?? shape.keys());
  return keepAxes
    ? shape.map((dimension, axis) => (gone.has(axis) ? 1 : dimension))
    : shape.filter((_, axis) => !gone.has(axis));
}

import type { GraphBuilder } from "../graph/graph.ts";
import type { Dimension } from "../graph/shape.ts";
import type { Real, RealType } from "./arithmetic.ts";

export interface Transposed {
  readonly left?: boolean;
  readonly right?: boolean;
}

/** Matrix nodes of one graph. */
export interface Matrix {
  /**
   * left [m, k] · right [k, n] + addend → [m, n], each factor transposed first where asked for; `addend` broadcasts
   * to [m, n]. One `Gemm`: the addend costs less than an addition after it.
   */
  product(left: Real, right: Real, addend?: Real, transposed?: Transposed): Real;
  /** `x` with its axes in another order: axis k of the result is axis `order[k]` of `x`. */
  transpose<T extends RealType>(x: Real<T>, order: readonly number[]): Real<T>;
}

export function matrix(graph: GraphBuilder): Matrix {
  return {
    product(left, right, addend, transposed = {}) {
      const [m, k] = sides(left, transposed.left ?? false);
      const [k2, n] = sides(right, transposed.right ?? false);
      if (k !== k2) throw new Error(`A product of [${m}, ${k}] and [${k2}, ${n}] does not exist`);
      const attributes = {
        transA: { int: transposed.left ? 1 : 0 },
        transB: { int: transposed.right ? 1 : 0 },
      };
      const inputs = addend ? [left, right, addend] : [left, right];
      return graph.node({ operator: "Gemm", inputs, attributes }, { type: "float32", shape: [m, n] });
    },
    transpose(x, order) {
      if (
        order.toSorted((a, b) => a - b).some((axis, index) => axis !== index) ||
        order.length !== x.shape.length
      )
        throw new Error(`[${order.join(", ")}] does not order the ${x.shape.length} axes of ${x.name}`);
      const shape = order.map((axis) => x.shape[axis] ?? 1);
      return graph.node(
        { operator: "Transpose", inputs: [x], attributes: { perm: { ints: order } } },
        { type: x.type, shape },
      );
    },
  };
}

function sides(x: Real, transposed: boolean): readonly [Dimension, Dimension] {
  const [rows, columns] = x.shape;
  if (rows === undefined || columns === undefined || x.shape.length !== 2)
    throw new Error(`${x.name} is not a matrix`);
  return transposed ? [columns, rows] : [rows, columns];
}

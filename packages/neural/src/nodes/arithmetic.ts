import type { GraphBuilder, Value } from "../graph/graph.ts";
import { broadcast } from "../graph/shape.ts";
import { type ElementType, float32, float64, type Tensor } from "../graph/tensor.ts";

/** The element types with which a graph computes: float32 in networks, float64 around them. */
export type RealType = "float32" | "float64";
export type Real<T extends RealType = "float32"> = Value<T>;

/** Element-wise nodes of one graph. Shapes broadcast as in NumPy; a number stands for a constant of the other's type. */
export interface Arithmetic {
  add<T extends RealType>(left: Real<T>, right: Real<T> | number): Real<T>;
  sub<T extends RealType>(left: Real<T>, right: Real<T> | number): Real<T>;
  mul<T extends RealType>(left: Real<T>, right: Real<T> | number): Real<T>;
  div<T extends RealType>(left: Real<T>, right: Real<T> | number): Real<T>;
  min<T extends RealType>(left: Real<T>, right: Real<T> | number): Real<T>;
  neg<T extends RealType>(x: Real<T>): Real<T>;
  abs<T extends RealType>(x: Real<T>): Real<T>;
  sqrt<T extends RealType>(x: Real<T>): Real<T>;
  exp<T extends RealType>(x: Real<T>): Real<T>;
  sigmoid(x: Real): Real;
  tanh(x: Real): Real;
  relu(x: Real): Real;
  /** `x` where it is a number, `fallback` where it is NaN. */
  numberOr<T extends RealType>(x: Real<T>, fallback: Real<T>): Real<T>;
  /** 1 where `x` > 0, else 0. */
  positive(x: Real): Real;
  cast<T extends ElementType>(x: Value, type: T): Value<T>;
}

export function arithmetic(graph: GraphBuilder): Arithmetic {
  const scalar = <T extends RealType>(type: T, value: number): Real<T> => {
    const tensor: Tensor = type === "float32" ? float32([], [value]) : float64([], [value]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line above pairs them
    return graph.constant(tensor as Tensor<T>);
  };
  const unary =
    (operator: string) =>
    <T extends RealType>(x: Real<T>): Real<T> =>
      graph.node({ operator, inputs: [x] }, x);
  const binary =
    (operator: string) =>
    <T extends RealType>(left: Real<T>, right: Real<T> | number): Real<T> => {
      const other = typeof right === "number" ? scalar(left.type, right) : right;
      const shape = broadcast(left.shape, other.shape);
      return graph.node({ operator, inputs: [left, other] }, { type: left.type, shape });
    };
  const cast = <T extends ElementType>(x: Value, type: T): Value<T> =>
    graph.node(
      { operator: "Cast", inputs: [x], attributes: { to: { elementType: type } } },
      { type, shape: x.shape },
    );
  return {
    add: binary("Add"),
    sub: binary("Sub"),
    mul: binary("Mul"),
    div: binary("Div"),
    min: binary("Min"),
    neg: unary("Neg"),
    abs: unary("Abs"),
    sqrt: unary("Sqrt"),
    exp: unary("Exp"),
    sigmoid: unary("Sigmoid"),
    tanh: unary("Tanh"),
    relu: unary("Relu"),
    numberOr(x, fallback) {
      const missing = graph.node({ operator: "IsNaN", inputs: [x] }, { type: "bool", shape: x.shape });
      const shape = broadcast(x.shape, fallback.shape);
      return graph.node({ operator: "Where", inputs: [missing, fallback, x] }, { type: x.type, shape });
    },
    positive(x) {
      const above = graph.node(
        { operator: "Greater", inputs: [x, scalar("float32", 0)] },
        { type: "bool", shape: x.shape },
      );
      return cast(above, "float32");
    },
    cast,
  };
}

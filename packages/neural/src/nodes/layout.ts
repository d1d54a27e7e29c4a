import type { GraphBuilder, Value } from "../graph/graph.ts";
import { axisOf, type Dimension, fixed, type Shape } from "../graph/shape.ts";
import { type ElementType, int64 } from "../graph/tensor.ts";

/** Nodes that move values without computing. */
export interface Layout {
  concat<T extends ElementType>(parts: readonly Value<T>[], axis: number): Value<T>;
  /** Consecutive parts of the given sizes along `axis`. Each is a copy. */
  split<T extends ElementType>(x: Value<T>, sizes: readonly number[], axis: number): readonly Value<T>[];
  /** The same values, row-major, in another shape. At most one dimension may be free; it is inferred when the graph runs. */
  reshape<T extends ElementType>(x: Value<T>, shape: Shape): Value<T>;
  /** Rows of `x` (along its first axis) at `indices`: the result has the shape [...indices.shape, ...row]. */
  rowsAt<T extends ElementType>(x: Value<T>, indices: Value<"int32"> | Value<"int64">): Value<T>;
  /** The part from `start` (inclusive) to `end` (exclusive) along `axis`. */
  slice<T extends ElementType>(x: Value<T>, axis: number, start: number, end: number): Value<T>;
}

export function layout(graph: GraphBuilder): Layout {
  return {
    concat(parts, axis) {
      const [first] = parts;
      if (!first) throw new Error("Nothing to concatenate");
      if (parts.length === 1) return first;
      const along = axisOf(axis, first.shape.length);
      const size = parts.reduce((sum, part) => sum + fixed(part.shape, along), 0);
      const attributes = { axis: { int: along } };
      return graph.node(
        { operator: "Concat", inputs: parts, attributes },
        { type: first.type, shape: withSize(first.shape, along, size) },
      );
    },
    split(x, sizes, axis) {
      const along = axisOf(axis, x.shape.length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total !== fixed(x.shape, along))
        throw new Error(`Sizes ${sizes.join(" + ")} do not fill axis ${along} of [${x.shape.join(", ")}]`);
      if (sizes.length === 1) return [x];
      const inputs = [x, graph.constant(int64([sizes.length], sizes))];
      const results = sizes.map((size) => ({ type: x.type, shape: withSize(x.shape, along, size) }));
      return graph.nodes({ operator: "Split", inputs, attributes: { axis: { int: along } } }, results);
    },
    reshape(x, shape) {
      const target = shape.map((dimension) => (typeof dimension === "number" ? dimension : -1));
      if (target.filter((size) => size === -1).length > 1)
        throw new Error(`[${shape.join(", ")}] has two free dimensions`);
      return graph.node(
        { operator: "Reshape", inputs: [x, graph.constant(int64([target.length], target))] },
        { type: x.type, shape },
      );
    },
    rowsAt(x, indices) {
      const shape = [...indices.shape, ...x.shape.slice(1)];
      return graph.node(
        { operator: "Gather", inputs: [x, indices], attributes: { axis: { int: 0 } } },
        { type: x.type, shape },
      );
    },
    slice(x, axis, start, end) {
      const along = axisOf(axis, x.shape.length);
      const bounds = [[start], [end], [along]].map((values) => graph.constant(int64([1], values)));
      const shape = withSize(x.shape, along, end - start);
      return graph.node({ operator: "Slice", inputs: [x, ...bounds] }, { type: x.type, shape });
    },
  };
}

const withSize = (shape: Shape, axis: number, size: number): Dimension[] =>
  shape.map((dimension, index) => (index === axis ? size : dimension));

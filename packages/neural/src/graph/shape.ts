/** A size, or the name of a dimension that is free until the graph runs (such as `N`, the number of windows). */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** The number of elements of a shape without free dimensions. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** The shape of an element-wise result by NumPy's broadcasting rule; free dimensions broadcast against 1 and themselves. */
export function broadcast(left: Shape, right: Shape): Shape {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    if (a === b || b === 1) return a;
    if (a === 1) return b;
    throw new Error(`Shapes [${left.join(", ")}] and [${right.join(", ")}] do not broadcast`);
  });
}

/** `axis` counted from the front: −1 is the last axis of a shape of `rank` dimensions. */
export function axisOf(axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank)
    throw new Error(`A shape of rank ${rank} has no axis ${axis}`);
  return resolved;
}

/** A dimension that must be known while the graph is built. */
export function fixed(shape: Shape, axis: number): number {
  const dimension = shape[axisOf(axis, shape.length)];
  if (typeof dimension !== "number")
    throw new Error(`Axis ${axis} of [${shape.join(", ")}] is free, but a size is needed`);
  return dimension;
}

export const sameShape = (left: Shape, right: Shape): boolean =>
  left.length === right.length && left.every((dimension, axis) => dimension === right[axis]);

import type { Shape } from "./shape.ts";
import { sizeOf } from "./shape.ts";

/** The ONNX element types that FLTS graphs use, with their code in `TensorProto.DataType` and the array that holds them. */
export const elementTypes = {
  float32: { code: 1, array: Float32Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
  bool: { code: 9, array: Uint8Array },
  float64: { code: 11, array: Float64Array },
} as const;

export type ElementType = keyof typeof elementTypes;

interface ElementArrays {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly bool: Uint8Array;
  readonly float64: Float64Array;
}
export type ElementArray<T extends ElementType = ElementType> = ElementArrays[T];

/** A tensor with its values: row-major, `data.length` is the product of `shape`. */
export interface Tensor<T extends ElementType = ElementType> {
  readonly type: T;
  readonly shape: readonly number[];
  readonly data: ElementArray<T>;
}

export function tensor<T extends ElementType>(
  type: T,
  shape: readonly number[],
  data: ElementArray<T>,
): Tensor<T> {
  const size = sizeOf(shape);
  if (data.length !== size)
    throw new Error(`A ${type} tensor [${shape.join(", ")}] needs ${size} values, not ${data.length}`);
  return { type, shape, data };
}

export const float32 = (shape: readonly number[], values: ArrayLike<number>): Tensor<"float32"> =>
  tensor("float32", shape, values instanceof Float32Array ? values : Float32Array.from(values));

export const float64 = (shape: readonly number[], values: ArrayLike<number>): Tensor<"float64"> =>
  tensor("float64", shape, values instanceof Float64Array ? values : Float64Array.from(values));

export const int32 = (shape: readonly number[], values: ArrayLike<number>): Tensor<"int32"> =>
  tensor("int32", shape, values instanceof Int32Array ? values : Int32Array.from(values));

export const int64 = (shape: readonly number[], values: readonly number[]): Tensor<"int64"> =>
  tensor("int64", shape, BigInt64Array.from(values, BigInt));

export const bool = (shape: readonly number[], values: readonly boolean[]): Tensor<"bool"> =>
  tensor("bool", shape, Uint8Array.from(values, Number));

/** The little-endian bytes of a tensor, as ONNX's `raw_data` and safetensors want them (Node runs on little-endian machines). */
export function bytesOf({ data }: { readonly data: ElementArray }): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A zero-filled array for `shape`, which must have no free dimension. */
export function zeros<T extends ElementType>(type: T, shape: Shape): Tensor<T> {
  const array: new (length: number) => ElementArray = elementTypes[type].array;
  const fixed = shape.map((dimension) => {
    if (typeof dimension === "string") throw new Error(`The free dimension ${dimension} has no size`);
    return dimension;
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript cannot follow the table from T to its array
  return { type, shape: fixed, data: new array(sizeOf(fixed)) as ElementArray<T> };
}

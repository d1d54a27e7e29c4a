/** A tensor in a fixture: base64 of little-endian, row-major values. */
export interface StoredTensor {
  readonly dtype: "float32";
  readonly shape: readonly number[];
  readonly data: string;
}

export function decoded({ data }: StoredTensor): Float32Array {
  return floatsOf(Buffer.from(data, "base64"));
}

export function floatsOf(file: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(file).buffer);
}

/** ‖actual − expected‖ / ‖expected‖, in the 2-norm. */
export function relativeDistance(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values against ${expected.length}`);
  return norm(actual.map((value, index) => value - (expected[index] ?? 0))) / norm(expected);
}

export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values against ${expected.length}`);
  return actual.reduce((worst, value, index) => Math.max(worst, Math.abs(value - (expected[index] ?? 0))), 0);
}

/** The largest |actual / expected − 1|. */
export function largestRatio(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values against ${expected.length}`);
  return Math.max(...actual.map((value, index) => Math.abs(value / (expected[index] ?? 0) - 1)));
}

const norm = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

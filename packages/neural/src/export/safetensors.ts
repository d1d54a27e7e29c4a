import { bytesOf } from "../graph/tensor.ts";
import type { Weights } from "../networks/weights.ts";

/**
 * Weights in the safetensors format: the header's length (8 bytes, little-endian), a JSON header padded with spaces to a
 * multiple of 8, and the values. See https://github.com/huggingface/safetensors#format.
 *
 * @param metadata  pairs for the header's `__metadata__`
 */
export function safetensors(weights: Weights, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, data } of weights) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + padded + offset).fill(0x20, 0, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(json, 8);
  let position = 8 + padded;
  for (const weight of weights) {
    const bytes = bytesOf(weight);
    file.set(bytes, position);
    position += bytes.length;
  }
  return file;
}

import { expect, test } from "vitest";
import { safetensors } from "../../src/export/safetensors.ts";

const weights = [
  { name: "fc.weight", shape: [1, 3], data: Float32Array.of(1, 2, 3) },
  { name: "fc.bias", shape: [1], data: Float32Array.of(-0.5) },
];

function parsed(file: Uint8Array): {
  readonly header: Record<string, { data_offsets: [number, number] }>;
  readonly values: Uint8Array;
} {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  return {
    header: JSON.parse(Buffer.from(file.subarray(8, 8 + length)).toString()),
    values: file.subarray(8 + length),
  };
}

test("the header names type, shape and place of every weight", () => {
  expect(parsed(safetensors(weights, { format: "pt" })).header).toEqual({
    __metadata__: { format: "pt" },
    "fc.weight": { dtype: "F32", shape: [1, 3], data_offsets: [0, 12] },
    "fc.bias": { dtype: "F32", shape: [1], data_offsets: [12, 16] },
  });
});

test("values stand where the header says, on a boundary of eight bytes", () => {
  const file = safetensors(weights);
  const { header, values } = parsed(file);
  expect((file.length - values.length) % 8).toBe(0);
  for (const { name, data } of weights) {
    const [start, end] = header[name]?.data_offsets ?? [0, 0];
    expect(new Float32Array(values.slice(start, end).buffer)).toEqual(data);
  }
});

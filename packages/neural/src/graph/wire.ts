/**
 * The part of the protobuf wire format that ONNX files need. Every function returns the bytes of one field, tag first;
 * `message` puts fields together. See https://protobuf.dev/programming-guides/encoding.
 */
export type Field = Uint8Array;

const wireType = { varint: 0, bytes: 2, fixed32: 5 } as const;
const utf8 = new TextEncoder();

export function message(fields: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((size, field) => size + field.length, 0));
  let offset = 0;
  for (const field of fields) {
    bytes.set(field, offset);
    offset += field.length;
  }
  return bytes;
}

/** An integer within ±2⁵³; a negative one is written in two's complement of 64 bits, as `int64` fields are. */
export const varintField = (field: number, value: number): Field =>
  Uint8Array.from([...varint(tag(field, wireType.varint)), ...varint(value)]);

export const bytesField = (field: number, bytes: Uint8Array): Field =>
  message([Uint8Array.from([...varint(tag(field, wireType.bytes)), ...varint(bytes.length)]), bytes]);

export const textField = (field: number, text: string): Field => bytesField(field, utf8.encode(text));

export const messageField = (field: number, fields: readonly Field[]): Field =>
  bytesField(field, message(fields));

export const packedVarintsField = (field: number, values: readonly number[]): Field =>
  bytesField(field, Uint8Array.from(values.flatMap(varint)));

export const packedFloatsField = (field: number, values: readonly number[]): Field =>
  bytesField(field, new Uint8Array(Float32Array.from(values).buffer));

export const floatField = (field: number, value: number): Field =>
  message([
    Uint8Array.from(varint(tag(field, wireType.fixed32))),
    new Uint8Array(Float32Array.of(value).buffer),
  ]);

const tag = (field: number, type: number): number => (field << 3) | type;

function varint(value: number): number[] {
  if (!Number.isSafeInteger(value))
    throw new Error(`${value} is not an integer that a varint field can hold`);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

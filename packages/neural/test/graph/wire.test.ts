import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytesField,
  floatField,
  message,
  packedVarintsField,
  textField,
  varintField,
} from "../../src/graph/wire.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("the examples of the protobuf documentation come out byte for byte", () => {
  expect(hex(varintField(1, 150))).toBe("089601");
  expect(hex(textField(2, "testing"))).toBe("120774657374696e67");
  expect(hex(bytesField(3, varintField(1, 150)))).toBe("1a03089601");
  expect(hex(packedVarintsField(6, [3, 270, 86942]))).toBe("3206038e029ea705");
});

test("a negative integer takes ten bytes of two's complement", () => {
  expect(hex(varintField(1, -1))).toBe("08ffffffffffffffffff01");
});

test("a float is little-endian and of fixed width", () => {
  expect(hex(floatField(2, 1))).toBe("150000803f");
});

test("a field number above 15 has a tag of two bytes", () => {
  expect(hex(varintField(20, 2))).toBe("a00102");
});

test("an integer that a double cannot hold exactly is refused", () => {
  expect(() => varintField(1, 2 ** 60)).toThrow(/not an integer/);
  expect(() => varintField(1, 0.5)).toThrow(/not an integer/);
});

test("any safe integer reads back from its varint", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const [, ...bytes] = varintField(1, value);
      const bits = bytes.reduceRight((rest, byte) => (rest << 7n) | BigInt(byte & 0x7f), 0n);
      expect(Number(BigInt.asIntN(64, bits))).toBe(value);
    }),
  );
});

test("a message is its fields, one after the other", () => {
  expect(hex(message([varintField(1, 1), varintField(2, 2)]))).toBe("08011002");
});

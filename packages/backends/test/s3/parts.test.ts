import { collect } from "@flts/testing/contract/collect";
import { expectCode } from "@flts/testing/contract/expect-code";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cutIntoParts } from "../../src/s3/parts.ts";

const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 });

/** Gives its chunks in one buffer, which it uses again and again. */
async function* inOneBuffer(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(20);
  for (const piece of pieces) {
    buffer.set(piece);
    yield buffer.subarray(0, piece.byteLength);
  }
}

const limits = { partBytes: 7, maxBytes: Number.POSITIVE_INFINITY, subject: "key=k" };

test("parts are the stream again, all of one size but the last, which says so", async () => {
  await fc.assert(
    fc.asyncProperty(chunks, async (pieces) => {
      const parts = await collect(cutIntoParts(inOneBuffer(pieces), limits));
      expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toStrictEqual(Buffer.concat(pieces));
      expect(parts.slice(0, -1).every(({ bytes, last }) => bytes.byteLength === 7 && !last)).toBe(true);
      expect(parts.at(-1)?.last).toBe(true);
      expect(parts.length === 1 || parts.at(-1)?.bytes.byteLength !== 0).toBe(true);
    }),
  );
});

test("a stream may have as many bytes as allowed and not one more", async () => {
  const pieces = [new Uint8Array(10), new Uint8Array(5)];
  expect(await collect(cutIntoParts(inOneBuffer(pieces), { ...limits, maxBytes: 15 }))).toHaveLength(3);
  await expectCode(
    "OBJECT_TOO_LARGE",
    collect(cutIntoParts(inOneBuffer(pieces), { ...limits, maxBytes: 14 })),
    /14 bytes.*key=k/,
  );
});

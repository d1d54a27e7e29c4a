import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRange, sliceChunks } from "../src/range.ts";

describe("parseRange", () => {
  it.each([
    [undefined, null],
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=2-5", { start: 2, end: 6 }],
    ["bytes=8-", { start: 8, end: 10 }],
    ["bytes=8-99", { start: 8, end: 10 }],
    ["bytes=-3", { start: 7, end: 10 }],
    ["bytes=-99", { start: 0, end: 10 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-2", null],
    ["bytes=-", null],
    ["bytes=0-1,4-5", null],
    ["lines=0-1", null],
    ["bytes=a-b", null],
    ["bytes=0-99999999999999999999", null],
  ])("reads %s of ten bytes", (header, range) => {
    expect(parseRange(header, 10)).toEqual(range);
  });
});

describe("sliceChunks", () => {
  it("gives exactly the bytes of the range, however the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 9 })),
        fc.nat(40),
        fc.nat(40),
        async (chunks, a, b) => {
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          const whole = Buffer.concat(chunks);
          const part = await buffer(sliceChunks(streamOf(chunks), { start, end }));
          expect(part).toEqual(whole.subarray(start, end));
        },
      ),
    );
  });

  it("stops reading behind the range", async () => {
    let read = 0;
    const chunks = (async function* () {
      for (; ; read++) yield new Uint8Array(10);
    })();
    await buffer(sliceChunks(chunks, { start: 0, end: 15 }));
    expect(read).toBeLessThanOrEqual(2);
  });
});

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

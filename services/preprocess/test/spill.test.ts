import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSpill } from "../src/spill.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flts-spill-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("keeps the bytes of each name in the order they came, and reads any part of them", () => {
  const piece = fc.record({ name: fc.constantFrom("a", "b", "c"), bytes: fc.uint8Array({ maxLength: 50 }) });
  fc.assert(
    fc.property(fc.array(piece), fc.nat(60), fc.nat(60), (pieces, start, length) => {
      const spill = openSpill({ folder, maxBytes: 1e6 });
      try {
        for (const { name, bytes } of pieces) spill.append(name, bytes);
        for (const name of ["a", "b", "c"]) {
          const whole = Buffer.concat(pieces.filter((kept) => kept.name === name).map(({ bytes }) => bytes));
          expect(spill.sizeOf(name)).toBe(whole.length);
          expect(Buffer.concat([...spill.chunks(name)])).toEqual(whole);
          const from = Math.min(start, whole.length);
          const target = new Uint8Array(Math.min(length, whole.length - from));
          spill.read(name, from, target);
          expect(Buffer.from(target)).toEqual(whole.subarray(from, from + target.length));
        }
      } finally {
        spill.close();
      }
    }),
  );
});

test("leaves nothing in its folder, not even while it is open", () => {
  const spill = openSpill({ folder, maxBytes: 100 });
  spill.append("a", new Uint8Array(100));
  expect(readdirSync(folder)).toEqual([]);
  spill.close();
});

test("takes up to its limit and not a byte more, and says which setting to raise", () => {
  const spill = openSpill({ folder, maxBytes: 100 });
  spill.append("a", new Uint8Array(60));
  spill.append("b", new Uint8Array(40));
  expect(() => spill.append("a", new Uint8Array(1))).toThrow(
    expect.objectContaining({
      code: "OBJECT_TOO_LARGE",
      message: expect.stringContaining("SPILL_MAX_BYTES=100"),
    }),
  );
  spill.close();
});

test("a folder that is not there is a fault of the configuration", () => {
  expect(() => openSpill({ folder: join(folder, "absent"), maxBytes: 100 })).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining("SPILL_DIR") }),
  );
});

test("bytes that were never kept cannot be read", () => {
  const spill = openSpill({ folder, maxBytes: 100 });
  spill.append("a", new Uint8Array(10));
  expect(() => spill.read("a", 8, new Uint8Array(3))).toThrow(RangeError);
  spill.close();
});

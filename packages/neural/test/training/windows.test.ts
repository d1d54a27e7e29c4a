import fc from "fast-check";
import { expect, test } from "vitest";
import { batchArrays, fillBatch, windowStarts } from "../../src/training/windows.ts";

test("the reference's table has the reference's number of windows", () => {
  expect(windowStarts({ start: 0, end: 15_927 }, 10, 1)).toHaveLength(15_917);
});

test("every window lies within its range with all that it forecasts", () => {
  const sizes = fc.record({
    start: fc.nat(50),
    length: fc.nat(50),
    window: fc.integer({ min: 1, max: 12 }),
    horizon: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(sizes, ({ start, length, window, horizon }) => {
      const starts = windowStarts({ start, end: start + length }, window, horizon);
      expect(starts).toHaveLength(Math.max(0, length - window - horizon + 1));
      expect(starts.every((first) => first >= start && first + window + horizon <= start + length)).toBe(
        true,
      );
    }),
  );
});

test("a short batch repeats its first window at weight zero", () => {
  const layout = { batch: 3, window: 2, horizon: 2, targets: 2 };
  const arrays = batchArrays(layout);
  fillBatch(arrays, layout, Int32Array.of(7, 4));
  expect([...arrays.windowRows]).toEqual([7, 8, 4, 5, 7, 8]);
  expect([...arrays.targetRows]).toEqual([9, 10, 6, 7, 9, 10]);
  expect([...arrays.rowWeights]).toEqual([1 / 8, 1 / 8, 0]);
});

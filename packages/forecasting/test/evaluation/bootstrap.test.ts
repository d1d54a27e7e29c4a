import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareLosses, defaultBlockLength } from "../../src/evaluation/bootstrap.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";

const zeros = (rows: number) => new Float64Array(rows);
const noise = (rows: number, seed: number, mean = 0, memory = 0) => {
  const normal = normalFrom(seededUniform(seed));
  let level = 0;
  return Float64Array.from({ length: rows }, () => {
    level = memory * level + Math.sqrt(1 - memory ** 2) * normal();
    return mean + level;
  });
};

test("the difference is that of the means, and its sign says who is better", () => {
  const comparison = compareLosses(Float64Array.of(1, 2, 3), Float64Array.of(2, 4, 6), { seed: 1 });
  expect(comparison.difference).toBe(-2);
  expect(comparison).toMatchObject({ rows: 3, blockLength: 3 });
});

test("a constant difference has an interval of no width", () => {
  const comparison = compareLosses(zeros(100).fill(3), zeros(100).fill(1), { seed: 1 });
  expect(comparison.low).toBeCloseTo(2, 12);
  expect(comparison.high).toBeCloseTo(2, 12);
});

test("the same seed gives the same interval, another seed nearly the same", () => {
  const losses = noise(400, 5, 0.2);
  const first = compareLosses(losses, zeros(400), { seed: 1 });
  expect(compareLosses(losses, zeros(400), { seed: 1 })).toEqual(first);
  const second = compareLosses(losses, zeros(400), { seed: 2 });
  expect(second).not.toEqual(first);
  expect(Math.abs(second.low - first.low)).toBeLessThan(0.02);
});

test("exchanging the two turns the interval round", () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 200 }), fc.integer(), (rows, seed) => {
      const [a, b] = [noise(rows, seed), noise(rows, seed + 1)];
      const forward = compareLosses(a, b, { seed: 3, resamples: 50 });
      const backward = compareLosses(b, a, { seed: 3, resamples: 50 });
      expect(backward.difference).toBeCloseTo(-forward.difference, 10);
      expect(backward.low).toBeCloseTo(-forward.high, 10);
      expect(backward.high).toBeCloseTo(-forward.low, 10);
    }),
    { numRuns: 30 },
  );
});

describe("the width of the interval", () => {
  test("is that of the normal approximation for independent losses", () => {
    const { low, high } = compareLosses(noise(2000, 7), zeros(2000), { seed: 1 });
    const expected = (2 * 1.645) / Math.sqrt(2000);
    expect((high - low) / expected).toBeGreaterThan(0.85);
    expect((high - low) / expected).toBeLessThan(1.15);
  });

  test("grows when neighbouring losses are alike, which single rows would not see", () => {
    const alike = noise(2000, 7, 0, 0.8);
    const blocks = compareLosses(alike, zeros(2000), { seed: 1 });
    const single = compareLosses(alike, zeros(2000), { seed: 1, blockLength: 1 });
    expect((blocks.high - blocks.low) / (single.high - single.low)).toBeGreaterThan(1.8);
  });

  test("grows with the confidence asked for", () => {
    const losses = noise(300, 9);
    const widthAt = (confidence: number) => {
      const { low, high } = compareLosses(losses, zeros(300), { seed: 1, confidence });
      return high - low;
    };
    expect(widthAt(0.99)).toBeGreaterThan(1.3 * widthAt(0.9));
  });
});

test("the interval holds the true difference about as often as it says", () => {
  let inside = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { low, high } = compareLosses(noise(500, seed, 0.1, 0.5), zeros(500), { seed, resamples: 300 });
    if (low <= 0.1 && high >= 0.1) inside++;
  }
  expect(inside / 200).toBeGreaterThan(0.82);
  expect(inside / 200).toBeLessThan(0.97);
});

test("p is small for a clear difference and large for none", () => {
  expect(compareLosses(noise(500, 3, 0.5), zeros(500), { seed: 1 }).p).toBeLessThan(0.01);
  expect(compareLosses(zeros(500), zeros(500), { seed: 1 }).p).toBe(1);
  expect(compareLosses(noise(500, 4, 0), zeros(500), { seed: 1 }).p).toBeGreaterThan(0.05);
});

test("the centre does not lean towards the middle rows", () => {
  const ends = zeros(100).fill(0);
  ends[0] = 100;
  ends[99] = 100;
  const { low, high, difference } = compareLosses(ends, zeros(100), {
    seed: 1,
    blockLength: 10,
    resamples: 5000,
  });
  expect(difference).toBe(2);
  expect((low + high) / 2).toBeGreaterThan(1);
});

test.each([
  [25, 10],
  [20, 10],
  [26, 13],
  [23, 1],
])("resamples of a trend over %d rows in blocks of %d lie around its mean", (rows, blockLength) => {
  const trend = Float64Array.from({ length: rows }, (_, row) => row);
  const { low, high, difference } = compareLosses(trend, zeros(rows), {
    seed: 1,
    blockLength,
    resamples: 20_000,
  });
  expect(difference).toBeCloseTo((rows - 1) / 2, 9);
  expect(Math.abs((low + high) / 2 - difference)).toBeLessThan(0.4);
});

test("blocks grow with the cube root of the rows", () => {
  expect(defaultBlockLength(1000)).toBe(20);
  expect(defaultBlockLength(3)).toBe(3);
  expect(defaultBlockLength(1)).toBe(1);
});

test("losses that do not belong together are refused", () => {
  for (const [a, b] of [
    [zeros(2), zeros(3)],
    [zeros(0), zeros(0)],
    [Float64Array.of(Number.NaN), zeros(1)],
  ] as const) {
    expect(() => compareLosses(a, b, { seed: 1 })).toThrow(
      expect.objectContaining({ code: "TABLE_INVALID" }),
    );
  }
});

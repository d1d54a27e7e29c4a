import { expect, test } from "vitest";
import { randomStream, shuffle } from "../src/random.ts";

const take = (seed: string): number[] => Array.from({ length: 5 }, randomStream(seed));

test("a stream depends on its seed alone", () => {
  expect(take("a")).toEqual(take("a"));
  expect(take("a")).not.toEqual(take("b"));
  // Weights of a model trained today must be those of one trained tomorrow.
  expect(take("flts")).toMatchInlineSnapshot(`
    [
      0.07795522850938141,
      0.051137421978637576,
      0.004709548549726605,
      0.42621847800910473,
      0.596522512845695,
    ]
  `);
});

test("numbers are uniform in [0, 1)", () => {
  const values = Array.from({ length: 20_000 }, randomStream("uniform"));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  expect(mean).toBeCloseTo(0.5, 2);
});

test("a shuffle keeps every value and reaches every place", () => {
  const random = randomStream("shuffle");
  const places = Array.from({ length: 4 }, () => new Set<number>());
  for (let round = 0; round < 100; round += 1) {
    const values = Int32Array.of(0, 1, 2, 3);
    shuffle(values, random);
    expect([...values].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    for (const [place, value] of values.entries()) places[place]?.add(value);
  }
  expect(places.map((seen) => seen.size)).toEqual([4, 4, 4, 4]);
});

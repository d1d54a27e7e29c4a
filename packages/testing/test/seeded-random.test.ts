import fc from "fast-check";
import { expect, test } from "vitest";
import { createSeededRandom } from "../src/seeded-random.ts";

const draw = (seed: number, count: number): readonly number[] => {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

test("gives the same sequence for the same seed, also in later releases", () => {
  expect(draw(1, 3)).toStrictEqual(draw(1, 3));
  expect(draw(1, 3)).not.toStrictEqual(draw(2, 3));
  expect(createSeededRandom(1).hex(8)).toMatchInlineSnapshot(`"a00087fbf7479cb8"`);
});

test("stays within [0, 1) and spreads evenly", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const numbers = draw(seed, 500);
      expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
      const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.1);
    }),
  );
});

test("writes bytes as hexadecimal digits", () => {
  expect(createSeededRandom(7).hex(16)).toMatch(/^[0-9a-f]{32}$/);
  expect(createSeededRandom(7).hex(0)).toBe("");
});

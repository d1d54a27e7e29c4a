import { expect, test } from "vitest";
import { integerFrom, normalFrom, seededUniform } from "../src/random.ts";

const draw = (next: () => number, count: number) => Array.from({ length: count }, next);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("a seed fixes the sequence, and neighbouring seeds differ", () => {
  expect(draw(seededUniform(1), 5)).toEqual(draw(seededUniform(1), 5));
  expect(draw(seededUniform(1), 5)).not.toEqual(draw(seededUniform(2), 5));
});

test("uniform draws fill [0, 1) evenly and do not follow each other", () => {
  const values = draw(seededUniform(3), 20_000);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  expect(mean(values)).toBeCloseTo(0.5, 2);
  expect(mean(values.map((value) => value * value))).toBeCloseTo(1 / 3, 2);
  expect(mean(values.slice(1).map((value, index) => value * (values[index] ?? 0)))).toBeCloseTo(0.25, 2);
});

test("normal draws have mean 0 and variance 1", () => {
  const values = draw(normalFrom(seededUniform(4)), 20_000);
  expect(mean(values)).toBeCloseTo(0, 1);
  expect(mean(values.map((value) => value * value))).toBeCloseTo(1, 1);
});

test("integers reach both ends of their range", () => {
  const uniform = seededUniform(5);
  expect(new Set(draw(() => integerFrom(uniform, 3), 100))).toEqual(new Set([0, 1, 2]));
});

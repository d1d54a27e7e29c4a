import { expect, test } from "vitest";
import { learningRateAt, learningRateSchedules } from "../../src/training/schedule.ts";

const ratesOf = (schedule: (typeof learningRateSchedules)[number]): number[] =>
  Array.from({ length: 100 }, (_, step) => learningRateAt(schedule, 2, step, 100));

test("a constant rate stays", () => {
  expect(new Set(ratesOf("constant"))).toEqual(new Set([2]));
});

test("a linear rate rises over the first tenth and falls to zero", () => {
  const rates = ratesOf("linear");
  expect(rates.indexOf(Math.max(...rates))).toBe(10);
  expect(rates[4]).toBeCloseTo(0.9, 12);
  expect(rates[99]).toBeLessThan(0.02);
});

test("a cosine rate is half its peak in the middle and falls all the way", () => {
  const rates = ratesOf("cosine");
  expect(rates.toSorted((a, b) => b - a)).toEqual(rates);
  expect(learningRateAt("cosine", 2, 4.5, 10)).toBeCloseTo(1, 12);
});

test.each(learningRateSchedules)(
  "a %s rate is above zero in every step, even when there is only one",
  (schedule) => {
    expect(learningRateAt(schedule, 1, 0, 1)).toBeGreaterThan(0);
    expect(ratesOf(schedule).every((rate) => rate > 0 && rate <= 2)).toBe(true);
  },
);

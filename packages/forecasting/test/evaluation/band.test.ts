import { expect, test } from "vitest";
import { bandAround, centreOf } from "../../src/evaluation/band.ts";

const standing = { last: 100, scale: 10 };
const shape = { centre: { weight: 1, reach: 1 }, lower: -1, upper: 2, minimum: null };

test("a centre goes its share of the way from the last value to the forecast, as far as its reach", () => {
  expect(centreOf(108, standing, 0, { weight: 1, reach: null })).toBe(108);
  expect(centreOf(108, standing, 0, { weight: 0.5, reach: null })).toBe(104);
  expect(centreOf(108, standing, 0, { weight: 0, reach: null })).toBe(100);
  expect(centreOf(500, standing, 0, { weight: 1, reach: 2 })).toBe(120);
  expect(centreOf(-500, standing, 0, { weight: 0.5, reach: 2 })).toBe(90);
});

test("the reach grows with the root of the step", () => {
  expect(centreOf(500, standing, 3, { weight: 1, reach: 2 })).toBe(140);
  expect(centreOf(500, standing, 3, { weight: 0.25, reach: 2 })).toBe(110);
});

test("without a last value the forecast is all there is", () => {
  expect(centreOf(500, { last: Number.NaN, scale: 1 }, 0, { weight: 0, reach: 0 })).toBe(500);
});

test("a band lies around its centre, in scales, and not below what the target can be", () => {
  expect(bandAround(105, standing, 0, shape)).toEqual({ lower: 95, upper: 125 });
  expect(bandAround(105, standing, 0, { ...shape, minimum: 97 })).toEqual({ lower: 97, upper: 125 });
  expect(bandAround(105, standing, 0, { ...shape, minimum: 130 })).toEqual({ lower: 105, upper: 130 });
});

test("a forecast up to four scales from the last value is taken in, one further off is not", () => {
  expect(bandAround(140, standing, 0, shape)).toEqual({ lower: 100, upper: 140 });
  expect(bandAround(60, standing, 0, shape)).toEqual({ lower: 60, upper: 110 });
  expect(bandAround(141, standing, 0, shape)).toEqual({ lower: 100, upper: 130 });
  expect(bandAround(180, standing, 3, shape)).toEqual({ lower: 110, upper: 180 });
});

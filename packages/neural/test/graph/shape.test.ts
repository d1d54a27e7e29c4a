import { expect, test } from "vitest";
import { axisOf, broadcast, fixed } from "../../src/graph/shape.ts";

test("shapes broadcast from their last axis, ones and missing axes stretch", () => {
  expect(broadcast([4, 1, 3], [2, 1])).toEqual([4, 2, 3]);
  expect(broadcast([], [5])).toEqual([5]);
});

test("a free dimension broadcasts against one and against itself", () => {
  expect(broadcast(["N", 3], [1, 3])).toEqual(["N", 3]);
  expect(broadcast(["N"], ["N"])).toEqual(["N"]);
  expect(() => broadcast(["N"], ["M"])).toThrow("do not broadcast");
});

test("different sizes do not broadcast", () => {
  expect(() => broadcast([2], [3])).toThrow("do not broadcast");
});

test("axes count from the end when negative and must exist", () => {
  expect(axisOf(-1, 3)).toBe(2);
  expect(() => axisOf(3, 3)).toThrow("no axis 3");
});

test("a size that is free cannot be used as a number", () => {
  expect(fixed(["N", 7], 1)).toBe(7);
  expect(() => fixed(["N", 7], 0)).toThrow(/is free/);
});

import { expect, test } from "vitest";
import { graphBuilder } from "../../src/graph/graph.ts";
import { layout } from "../../src/nodes/layout.ts";
import { matrix } from "../../src/nodes/matrix.ts";
import { reduction } from "../../src/nodes/reduction.ts";

const start = () => {
  const graph = graphBuilder("shapes");
  return {
    ...layout(graph),
    ...matrix(graph),
    ...reduction(graph),
    x: graph.input("x", "float32", [4, 6]),
    free: graph.input("free", "float32", ["N", 6]),
  };
};

test("shapes are known while the graph is built", () => {
  const { concat, split, transpose, slice, product, sum, x, free } = start();
  expect(concat([x, x], -1).shape).toEqual([4, 12]);
  expect(concat([free, free], 1).shape).toEqual(["N", 12]);
  expect(split(x, [1, 3], 0).map((part) => part.shape)).toEqual([
    [1, 6],
    [3, 6],
  ]);
  expect(transpose(free, [1, 0]).shape).toEqual([6, "N"]);
  expect(slice(x, 1, 2, 5).shape).toEqual([4, 3]);
  expect(product(free, x, undefined, { right: true }).shape).toEqual(["N", 4]);
  expect(sum(x, [1], true).shape).toEqual([4, 1]);
  expect(sum(x, [0]).shape).toEqual([6]);
  expect(sum(x).shape).toEqual([]);
});

test("shapes that do not fit are refused while the graph is built", () => {
  const { concat, split, transpose, reshape, product, x, free } = start();
  expect(() => concat([], 0)).toThrow("Nothing to concatenate");
  expect(() => concat([free, free], 0)).toThrow(/is free/);
  expect(() => split(x, [1, 2], 0)).toThrow("Sizes 1 + 2 do not fill axis 0");
  expect(() => transpose(x, [0, 0])).toThrow("does not order the 2 axes");
  expect(() => reshape(x, ["N", "M"])).toThrow("two free dimensions");
  expect(() => product(x, x)).toThrow("A product of [4, 6] and [4, 6] does not exist");
});

test("joining one part and cutting into one part cost no node", () => {
  const { concat, split, x } = start();
  expect(concat([x], 0)).toBe(x);
  expect(split(x, [4], 0)).toEqual([x]);
});

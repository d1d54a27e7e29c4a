import { expect, test } from "vitest";
import { lossCurve } from "../../src/export/loss-curve.ts";

const curve = (values: readonly number[]) => ({ label: "train", color: "#1f77b4", values });
const heights = (svg: string): number[] =>
  [...svg.matchAll(/<circle[^>]* cy="([\d.]+)"/g)].map(([, y]) => Number(y));

test("a falling loss is drawn falling, one point for each epoch", () => {
  const drawn = heights(lossCurve("LSTM", [curve([1, 0.5, 0.25, 0.125])]));
  expect(drawn).toHaveLength(4);
  expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
});

test("positive losses get a logarithmic axis: halving is always the same way down", () => {
  const [first = 0, second = 0, third = 0] = heights(lossCurve("LSTM", [curve([4, 2, 1])]));
  expect(second - first).toBeCloseTo(third - second, 0);
});

test("text is escaped", () => {
  expect(lossCurve("<script>&", [curve([1])])).toContain("&lt;script&gt;&amp;");
});

test.each([
  ["no epochs", []],
  ["one epoch", [0.3]],
  ["equal losses", [1, 1, 1]],
  ["a loss of zero", [1, 0]],
  ["losses that are no numbers", [1, Number.NaN, Number.POSITIVE_INFINITY, 0.5]],
])("%s make a chart all the same", (_, values) => {
  const svg = lossCurve("GRU", [curve(values), { ...curve(values), label: "test" }], 1);
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

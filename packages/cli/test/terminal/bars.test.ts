import { progressBar, sparkline } from "@flts/cli/terminal/bars";
import fc from "fast-check";
import { expect, test } from "vitest";

test("a bar fills in eighths of a column", () => {
  expect(progressBar(0, 4)).toBe("░░░░");
  expect(progressBar(0.5, 4)).toBe("██░░");
  expect(progressBar(0.53125, 4)).toBe("██▏░");
  expect(progressBar(1, 4)).toBe("████");
});

test("a bar has its width whatever the fraction", () => {
  fc.assert(
    fc.property(fc.double(), fc.integer({ min: 0, max: 200 }), (fraction, width) => {
      expect(progressBar(fraction, width)).toHaveLength(width);
    }),
  );
});

test("a curve runs from its lowest to its highest value", () => {
  expect(sparkline([8, 4, 2, 1], 10)).toBe("█▄▂▁");
});

test("a curve without change is flat, and one without values is empty", () => {
  expect(sparkline([3, 3, 3], 10)).toBe("▁▁▁");
  expect(sparkline([Number.NaN], 10)).toBe("");
});

test("more values than columns are averaged, and the whole run stays in sight", () => {
  const falling = Array.from({ length: 1000 }, (_, index) => 1000 - index);
  expect(sparkline(falling, 8)).toBe("█▇▆▅▄▃▂▁");
});

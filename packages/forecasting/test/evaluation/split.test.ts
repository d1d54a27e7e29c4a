import fc from "fast-check";
import { expect, test } from "vitest";
import { splitRows } from "../../src/evaluation/split.ts";
import { copyWindows, countWindows } from "../../src/windows.ts";

test("a long table is cut 70/10/10/10 in time", () => {
  expect(splitRows(15_927, { window: 10, horizon: 1 })).toEqual({
    fit: [0, 11_148],
    stop: [11_148, 12_741],
    calibrate: [12_741, 14_334],
    score: [14_334, 15_927],
  });
});

test("other shares are followed", () => {
  const shares = { stop: 0.2, calibrate: 0.1, score: 0.3 };
  expect(splitRows(1000, { window: 5, horizon: 1, shares })).toEqual({
    fit: [0, 400],
    stop: [400, 600],
    calibrate: [600, 700],
    score: [700, 1000],
  });
});

test("the parts touch, cover all rows and hold a window each, or the table is too short", () => {
  const size = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.nat({ max: 3000 }), size, size, (spare, window, horizon) => {
      const least = 4 * (window + horizon);
      expect(() => splitRows(least - 1, { window, horizon })).toThrow(`at least ${least}`);
      const rows = least + spare;
      const { fit, stop, calibrate, score } = splitRows(rows, { window, horizon });
      expect([fit[0], stop[0], calibrate[0], score[0]]).toEqual([0, fit[1], stop[1], calibrate[1]]);
      expect(score[1]).toBe(rows);
      for (const part of [fit, stop, calibrate, score])
        expect(countWindows(part, window, horizon)).toBeGreaterThan(0);
    }),
  );
});

test("fifty rows are enough for windows of ten, thirty are not", () => {
  expect(splitRows(50, { window: 10, horizon: 1 }).fit).toEqual([0, 17]);
  expect(() => splitRows(30, { window: 10, horizon: 1 })).toThrow(
    "Not enough rows (30) for input_len=10 output_len=1",
  );
  expect(() => splitRows(30, { window: 10, horizon: 1 })).toThrow(
    expect.objectContaining({ code: "TABLE_TOO_SHORT" }),
  );
});

test("windows are counted and copied row by row, with a stride", () => {
  expect(countWindows([5, 20], 10, 1)).toBe(5);
  expect(countWindows([5, 10], 10, 1)).toBe(0);
  const matrix = Float64Array.of(0, 1, 10, 11, 20, 21, 30, 31);
  expect(copyWindows(matrix, 2, 1, 2, 2)).toEqual(Float64Array.of(10, 11, 20, 21, 20, 21, 30, 31));
  expect(copyWindows(matrix, 2, 0, 2, 1, 3)).toEqual(Float64Array.of(0, 1, 30, 31));
});

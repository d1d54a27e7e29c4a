import { type ForecastSeries, plotForecast } from "@flts/cli/terminal/plot";
import { createStyle, widthOf } from "@flts/cli/terminal/style";
import fc from "fast-check";
import { expect, test } from "vitest";

const plain = createStyle(false);
const times = { first: "2018-03-05 13:00:00", turn: "2018-03-05 15:18:00", last: "2018-03-05 15:46:00" };

const rising: ForecastSeries = {
  name: "down",
  actual: [0, 1, 2, 3, 4, 5],
  forecast: [6, 7],
  lower: [5, 5],
  upper: [7, 9],
  times,
};

test("measurements, border, forecast and its shaded interval stand in their places", () => {
  expect(plotForecast(rising, { width: 60, height: 8 }, plain)).toEqual([
    "   9 ┤                                          ┊       ░░░░",
    "     ┤                                          ┊   ░░░░░░⢀⣀",
    "     ┤                                          ┊⢀⣀⡠⠤⠔⠒⠒⠉⠉⠁░",
    "     ┤                                  ⢀⣀⣀⠤⠤⠔⠒⠊⠉⠁  ░░░░░░░░",
    "3.86 ┤                          ⣀⣀⠤⠤⠒⠒⠉⠉⠁       ┊           ",
    "     ┤                 ⣀⣀⡠⠤⠤⠒⠒⠉⠉                ┊           ",
    "     ┤         ⣀⣀⠤⠤⠒⠒⠉⠉                         ┊           ",
    "   0 ┤⣀⡠⠤⠤⠒⠒⠊⠉⠉                                 ┊           ",
    "     └──────────────────────────────────────────────────────",
    "      2018-03-05 13:00                      2018-03-05 15:46",
    "  ── down measured   ┊ ── forecast   ░░ interval",
  ]);
});

test("a plot fits the width it is given, for any numbers", () => {
  const values = fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: false }), { maxLength: 80 });
  fc.assert(
    fc.property(
      values,
      values,
      fc.integer({ min: 60, max: 160 }),
      fc.integer({ min: 2, max: 20 }),
      (actual, forecast, width, height) => {
        const series = { name: "down", actual, forecast, lower: forecast, upper: forecast, times };
        for (const line of plotForecast(series, { width, height }, plain))
          expect(widthOf(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test("the axis names the first and the last time, and the turn where there is room", () => {
  const wide = plotForecast(rising, { width: 90, height: 6 }, plain);
  expect(wide.at(-2)).toContain("2018-03-05 13:00");
  expect(wide.at(-2)).toContain("2018-03-05 15:18");
  expect(wide.at(-2)?.endsWith("2018-03-05 15:46")).toBe(true);
  expect(plotForecast(rising, { width: 45, height: 6 }, plain).at(-2)).not.toContain("15:18");
});

test("a flat line and a single point have a plot, nothing has none", () => {
  const flat = { ...rising, actual: [3, 3, 3], forecast: [], lower: [], upper: [] };
  expect(plotForecast(flat, { width: 60, height: 5 }, plain)[0]).toMatch(/^4 ┤/);
  const nothing = { ...flat, actual: [Number.NaN] };
  expect(plotForecast(nothing, { width: 60, height: 5 }, plain)).toEqual(["nothing to plot"]);
});

test("without an interval nothing is shaded and the legend does not speak of one", () => {
  const lines = plotForecast({ ...rising, lower: [], upper: [] }, { width: 60, height: 8 }, plain).join("\n");
  expect(lines).not.toContain("░");
  expect(lines).not.toContain("interval");
});

test("neighbours of one colour share their escape sequences", () => {
  const vivid = createStyle(true);
  const bottom = plotForecast(rising, { width: 60, height: 8 }, vivid)[7];
  expect(bottom).toBe(
    `${vivid.faint("   0 ┤")}${vivid.actual("⣀⡠⠤⠤⠒⠒⠊⠉⠉")}${vivid.faint(`${" ".repeat(33)}┊${" ".repeat(11)}`)}`,
  );
});

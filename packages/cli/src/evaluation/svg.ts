import type { StationEvaluation } from "@flts/families/evaluation/station";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { shortTime, si } from "../terminal/numbers.ts";

/** The last day of two-minute rows. */
const SHOWN_ROWS = 720;
const WIDTH = 1200;
const HEIGHT = 360;
const MARGIN = { left: 64, right: 16, top: 32, bottom: 28 };
const GRID_LINES = 4;
const MEASURED = "#0891b2";
const FORECAST = "#d97706";

/** The end of a test file as a picture: what was measured, what was forecast, and the 90 % interval. Readable on light and dark pages. */
export function forecastSvg(
  { station, forecasts }: StationEvaluation,
  targets: readonly string[],
  target: string,
): string {
  const index = targets.indexOf(target);
  const pick = (values: Float64Array) =>
    values.filter((_, position) => position % targets.length === index).subarray(-SHOWN_ROWS);
  const [actual, forecast, lower, upper] = [
    forecasts.actual,
    forecasts.forecast,
    forecasts.lower,
    forecasts.upper,
  ].map(pick) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const times = forecasts.timesMs.subarray(-SHOWN_ROWS);
  // The upper bound of a burst would flatten everything else: it is cut off above the highest value.
  const values = [...actual, ...forecast];
  const [low, high] = [Math.min(0, ...values), Math.max(...values) * 1.05 || 1];
  const x = (row: number) =>
    MARGIN.left + (row * (WIDTH - MARGIN.left - MARGIN.right)) / Math.max(1, actual.length - 1);
  const y = (value: number) => {
    const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
    return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  };
  const point = (value: number, row: number) => `${x(row).toFixed(1)},${y(value).toFixed(1)}`;
  const line = (series: Float64Array, colour: string) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="1.4" points="${Array.from(series, point).join(" ")}"/>`;
  const band = [
    ...Array.from(upper, point),
    ...Array.from(lower, (value, row) => point(value, row)).toReversed(),
  ];
  const text = (atX: number, atY: number, anchor: string, content: string, colour = "#888") =>
    `<text x="${atX}" y="${atY}" text-anchor="${anchor}" fill="${colour}">${escapeXml(content)}</text>`;
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, step) => {
    const value = low + ((high - low) * step) / GRID_LINES;
    const height = y(value).toFixed(1);
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height}" y2="${height}" stroke="#888" stroke-opacity=".25"/>${text(MARGIN.left - 8, Number(height) + 4, "end", si(value))}`;
  });
  const time = (row: number) => shortTime(formatTimestamp(times[row] ?? 0));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
    `<title>${escapeXml(`${target} of ${station}, measured and forecast`)}</title>`,
    ...grid,
    `<polygon fill="${FORECAST}" fill-opacity=".18" points="${band.join(" ")}"/>`,
    line(actual, MEASURED),
    line(forecast, FORECAST),
    text(MARGIN.left, HEIGHT - 8, "start", time(0)),
    text(WIDTH - MARGIN.right, HEIGHT - 8, "end", time(times.length - 1)),
    text(MARGIN.left, 20, "start", `${station}, ${target}, measured`, MEASURED),
    text(
      WIDTH - MARGIN.right,
      20,
      "end",
      `forecast by ${forecasts.family}, with its 90 % interval`,
      FORECAST,
    ),
    "</svg>",
  ].join("\n")}\n`;
}

const escapeXml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

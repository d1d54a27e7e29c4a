import { type BrailleCanvas, createBrailleCanvas } from "./braille.ts";
import { shortTime, si } from "./numbers.ts";
import { type Paint, pad, type Style, widthOf } from "./style.ts";

/** A forecast behind the measurements it follows on. */
export interface ForecastSeries {
  /** What is plotted, such as `down`. */
  readonly name: string;
  /** The last measurements, oldest first; NaN leaves a gap. */
  readonly actual: readonly number[];
  readonly forecast: readonly number[];
  /** Bounds of the prediction interval, as long as `forecast`; empty when there is none. */
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  /** Time stamps of the first measurement, the first and the last forecast. */
  readonly times: { readonly first: string; readonly turn: string; readonly last: string };
}

export interface PlotSize {
  /** Columns the whole plot may take, axis and labels included. */
  readonly width: number;
  /** Rows of the plotting area. */
  readonly height: number;
}

/**
 * The plot as lines: measurements, then beyond a dotted border the forecast, its interval shaded. Works without colour: the border tells
 * which is which.
 */
export function plotForecast(series: ForecastSeries, { width, height }: PlotSize, style: Style): string[] {
  const points = series.actual.length + series.forecast.length;
  const range = rangeOf([...series.actual, ...series.forecast, ...series.lower, ...series.upper]);
  if (points === 0 || range === null) return [style.faint("nothing to plot")];
  const ticks = tickLabels(range, height);
  const margin = Math.max(...ticks.map(widthOf));
  const columns = Math.max(10, width - margin - 2);
  const scale = scaleOf(points, range, columns, height);
  const actual = createBrailleCanvas(columns, height);
  const forecast = createBrailleCanvas(columns, height);
  trace(actual, series.actual, 0, scale);
  trace(forecast, [series.actual.at(-1) ?? Number.NaN, ...series.forecast], series.actual.length - 1, scale);
  const shaded = bandOf(series, scale, columns);
  const border = Math.floor(scale.x(series.actual.length - 0.5) / 2);

  const rows = Array.from({ length: height }, (_, row) => {
    const cells = Array.from({ length: columns }, (__, column): Cell => {
      // Where both lines cross a cell the forecast wins: it is what the plot is for.
      const ahead = forecast.cell(column, row);
      if (ahead !== null) return [ahead, style.forecast];
      const behind = actual.cell(column, row);
      if (behind !== null) return [behind, style.actual];
      if (shaded(column, row)) return ["░", style.faint];
      return [column === border ? "┊" : " ", style.faint];
    });
    return style.faint(`${pad(ticks[row] ?? "", margin, "left")} ┤`) + painted(cells);
  });
  return [
    ...rows,
    style.faint(`${" ".repeat(margin)} └${"─".repeat(columns)}`),
    style.faint(timeAxis(series.times, border, margin + 2, columns)),
    legend(series, style),
  ];
}

export type Cell = readonly [character: string, paint: Paint];

/** Cells as text; neighbours of one colour share its escape sequences. */
export function painted(cells: readonly Cell[]): string {
  let text = "";
  let run = "";
  for (const [index, [character, paint]] of cells.entries()) {
    run += character;
    if (cells[index + 1]?.[1] === paint) continue;
    text += run.trim() === "" ? run : paint(run);
    run = "";
  }
  return text;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

export function rangeOf(values: readonly number[]): Range | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  return low === high ? { low: low - 1, high: high + 1 } : { low, high };
}

/** Labels of the rows, empty for most: the top, the bottom, and some between. */
export function tickLabels({ low, high }: Range, height: number): string[] {
  const every = height > 8 ? 4 : Math.max(1, Math.ceil(height / 2));
  return Array.from({ length: height }, (_, row) => {
    const last = row === height - 1;
    if (!last && (row % every !== 0 || height - 1 - row < every / 2)) return "";
    return si(last ? low : high - ((high - low) * row) / Math.max(1, height - 1));
  });
}

interface Scale {
  /** Dot column of a point's index. */
  readonly x: (index: number) => number;
  /** Dot row of a value; the top is 0. */
  readonly y: (value: number) => number;
}

export function scaleOf(points: number, { low, high }: Range, columns: number, height: number): Scale {
  const right = columns * 2 - 1;
  const bottom = height * 4 - 1;
  return {
    x: (index) => Math.round((index * right) / Math.max(1, points - 1)),
    y: (value) => Math.round(((high - value) / (high - low)) * bottom),
  };
}

export function trace(
  canvas: BrailleCanvas,
  values: readonly number[],
  offset: number,
  { x, y }: Scale,
): void {
  let from: { readonly x: number; readonly y: number } | null = null;
  for (const [index, value] of values.entries()) {
    const to = Number.isFinite(value) ? { x: x(offset + index), y: y(value) } : null;
    if (to !== null) canvas.line(from?.x ?? to.x, from?.y ?? to.y, to.x, to.y);
    from = to;
  }
}

/** Whether a cell lies within the interval; between two forecasts the bounds are joined by straight lines. */
function bandOf(
  { actual, forecast, lower, upper }: ForecastSeries,
  { x, y }: Scale,
  columns: number,
): (column: number, row: number) => boolean {
  const bands = new Map<number, { readonly top: number; readonly bottom: number }>();
  for (let step = 0; step < forecast.length; step++) {
    const [low, high] = [lower[step], upper[step]];
    if (low === undefined || high === undefined) continue;
    const until = Math.max(step, Math.min(step + 1, forecast.length - 1));
    const first = x(actual.length + step);
    const last = x(actual.length + until);
    for (let dotX = first; dotX <= last; dotX++) {
      const share = last === first ? 0 : (dotX - first) / (last - first);
      const top = y(high + ((upper[until] ?? high) - high) * share);
      const bottom = y(low + ((lower[until] ?? low) - low) * share);
      const column = Math.min(columns - 1, Math.floor(dotX / 2));
      if (Number.isFinite(top) && Number.isFinite(bottom)) bands.set(column, { top, bottom });
    }
  }
  return (column, row) => {
    const band = bands.get(column);
    return band !== undefined && row >= Math.floor(band.top / 4) && row <= Math.floor(band.bottom / 4);
  };
}

/** The first time at the left, the last at the right, the turn beneath its border where there is room. */
function timeAxis(times: ForecastSeries["times"], border: number, margin: number, columns: number): string {
  const [first, turn, last] = [times.first, times.turn, times.last].map(shortTime) as [
    string,
    string,
    string,
  ];
  const cells = Array.from({ length: columns }, () => " ");
  const write = (text: string, at: number): boolean => {
    const free = cells.slice(Math.max(0, at - 1), at + text.length + 1);
    if (at < 0 || at + text.length > columns || free.some((cell) => cell !== " ")) return false;
    cells.splice(at, text.length, ...Array.from(text));
    return true;
  };
  write(last, columns - last.length);
  write(first, 0);
  if (!write(turn, border)) write(turn, border - turn.length);
  return `${" ".repeat(margin)}${cells.join("")}`.trimEnd();
}

function legend({ name, lower }: ForecastSeries, style: Style): string {
  const interval = lower.length > 0 ? `   ${style.faint("░░")} interval` : "";
  return `  ${style.actual("──")} ${name} measured   ┊ ${style.forecast("──")} forecast${interval}`;
}

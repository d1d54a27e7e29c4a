import { createBrailleCanvas } from "./braille.ts";
import { shortTime } from "./numbers.ts";
import { type Cell, type PlotSize, painted, rangeOf, scaleOf, tickLabels, trace } from "./plot.ts";
import { pad, type Style, widthOf } from "./style.ts";

/** What came beside what was forecast for the same rows. */
export interface ComparisonSeries {
  /** What is plotted, such as `down`. */
  readonly name: string;
  /** Whose forecasts these are. */
  readonly by: string;
  /** As long as each other, oldest first; NaN leaves a gap. */
  readonly actual: readonly number[];
  readonly forecast: readonly number[];
  /** Time stamps of the first and the last row. */
  readonly first: string;
  readonly last: string;
}

/** Both lines in one plot, as lines of text. Without colour they cannot be told apart, but their distance can be seen. */
export function plotComparison(
  series: ComparisonSeries,
  { width, height }: PlotSize,
  style: Style,
): string[] {
  const range = rangeOf([...series.actual, ...series.forecast]);
  if (range === null) return [style.faint("nothing to plot")];
  const ticks = tickLabels(range, height);
  const margin = Math.max(...ticks.map(widthOf));
  const columns = Math.max(10, width - margin - 2);
  const scale = scaleOf(series.actual.length, range, columns, height);
  const [actual, forecast] = [series.actual, series.forecast].map((values) => {
    const canvas = createBrailleCanvas(columns, height);
    trace(canvas, values, 0, scale);
    return canvas;
  }) as [ReturnType<typeof createBrailleCanvas>, ReturnType<typeof createBrailleCanvas>];
  const rows = Array.from({ length: height }, (_, row) => {
    const cells = Array.from({ length: columns }, (__, column): Cell => {
      const guessed = forecast.cell(column, row);
      if (guessed !== null) return [guessed, style.forecast];
      return [actual.cell(column, row) ?? " ", style.actual];
    });
    return style.faint(`${pad(ticks[row] ?? "", margin, "left")} ┤`) + painted(cells);
  });
  const last = shortTime(series.last);
  const first = pad(shortTime(series.first), Math.max(0, columns - widthOf(last)));
  return [
    ...rows,
    style.faint(`${" ".repeat(margin)} └${"─".repeat(columns)}`),
    style.faint(`${" ".repeat(margin + 2)}${first}${last}`),
    `  ${style.actual("──")} ${series.name} measured   ${style.forecast("──")} forecast by ${series.by}, one step ahead`,
  ];
}

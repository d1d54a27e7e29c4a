import type { meanNrmse, StationEvaluation } from "@flts/families/evaluation/station";
import type { Errors } from "@flts/forecasting/evaluation/standing";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { plotComparison } from "../terminal/comparison-plot.ts";
import { count, duration, fixed, percentOf, si } from "../terminal/numbers.ts";
import type { Style } from "../terminal/style.ts";
import { renderTable } from "../terminal/table.ts";

/** Rows of the test file that are plotted, its last ones: more could not be told apart on a terminal. */
const PLOTTED_ROWS = 150;
const PLOT_HEIGHT = 10;

const right = (title: string) => ({ title, align: "right" as const });

/** A station's evaluation for people: a table and a plot for each target, and how sure the differences are. */
export function stationText(
  evaluation: StationEvaluation,
  targets: readonly string[],
  { style, width }: { readonly style: Style; readonly width: number },
): string[] {
  const { station, rows, best, reason, failed, pairs } = evaluation;
  return [
    `${style.strong(station)}  ${style.faint(`${count(rows.train)} rows to train on, ${count(rows.test)} to test on, one step ahead`)}`,
    ...targets.flatMap((target) => ["", ...targetText(evaluation, targets, target, { style, width })]),
    "",
    best === null
      ? style.bad(`The gate would promote none of them: ${reason}`)
      : `The gate would promote ${style.good(best)}, chosen on the train file. ${style.faint(reason)}`,
    ...failed.map(({ family, code, message }) =>
      style.bad(`${family} was not trained (${code}): ${message}`),
    ),
    ...pairs.map(({ a, b, difference, low, high }) => {
      const line = `  ${a} − ${b}: nrmse ${fixed(difference, 4)}, 90 % interval ${fixed(low, 4)} … ${fixed(high, 4)}`;
      return high < 0 ? style.good(line) : low > 0 ? style.bad(line) : style.faint(line);
    }),
  ];
}

function targetText(
  { families, baselines, best, forecasts }: StationEvaluation,
  targets: readonly string[],
  target: string,
  { style, width }: { readonly style: Style; readonly width: number },
): string[] {
  const lines = [
    ...families.map(({ name, perTarget, seconds }) => cells(name, perTarget[target], seconds)),
    ...baselines.map(({ name, perTarget }) => cells(name, perTarget[target], null)),
  ].toSorted((x, y) => Number(x[1]) - Number(y[1]));
  const titles = [
    { title: target },
    ...["nrmse", "rmse", "mae", "R²", "inside 90 %", "width", "training"].map(right),
  ];
  const index = targets.indexOf(target);
  const pick = (values: Float64Array) =>
    Array.from(values.filter((_, position) => position % targets.length === index)).slice(-PLOTTED_ROWS);
  const times = forecasts.timesMs.subarray(-PLOTTED_ROWS);
  return [
    ...renderTable(
      titles,
      lines.map((line) => (line[0] === best ? line.map(style.good) : line)),
      style,
    ),
    "",
    ...plotComparison(
      {
        name: target,
        by: forecasts.family,
        actual: pick(forecasts.actual),
        forecast: pick(forecasts.forecast),
        first: formatTimestamp(times[0] ?? 0),
        last: formatTimestamp(times.at(-1) ?? 0),
      },
      { width, height: PLOT_HEIGHT },
      style,
    ),
  ];
}

const cells = (name: string, errors: Errors | undefined, seconds: number | null) => [
  name,
  fixed(errors?.nrmse, 4),
  si(errors?.rmse ?? Number.NaN),
  si(errors?.mae ?? Number.NaN),
  fixed(errors?.r2, 3),
  errors?.coverage === null || errors === undefined ? "" : percentOf(errors.coverage),
  errors?.width === null || errors === undefined ? "" : fixed(errors.width, 2),
  seconds === null ? "" : duration(seconds),
];

/** The mean over the stations. */
export const meanText = (
  mean: ReturnType<typeof meanNrmse>,
  stations: number,
  style: Style,
): readonly string[] =>
  renderTable(
    [{ title: `mean of ${stations} stations` }, right("nrmse")],
    mean
      .toSorted((a, b) => a.nrmse - b.nrmse)
      .map(({ name, nrmse }) => {
        const line = [name, fixed(nrmse, 4)];
        return name === "best" ? line.map(style.good) : line;
      }),
    style,
  );

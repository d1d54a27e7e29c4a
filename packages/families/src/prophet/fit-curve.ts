import { FltsError } from "@flts/common/contracts/errors";
import { meanOf } from "@flts/common/scaler/sum";
import type { Curve } from "./curve.ts";
import { solve } from "./stan.ts";
import { type Terms, termCount, termWriter } from "./terms.ts";

export interface CurveSpec {
  readonly growth: "linear" | "flat";
  /** How often the rate may change, spread evenly over the first `changepointRange` of the rows. */
  readonly changepoints: number;
  readonly changepointRange: number;
  readonly terms: Terms;
  readonly mode: "additive" | "multiplicative";
  /** Standard deviations of the priors: the larger, the freer. */
  readonly seasonalityPriorScale: number;
  readonly holidaysPriorScale: number;
  readonly changepointPriorScale: number;
}

/**
 * More rows than this are averaged in blocks: beyond seventy days of two-minute rows Stan's time and memory grow, and curves of hours and days do not get better.
 */
const MAX_ROWS = 50_000;

/**
 * Fits a Prophet model to a series, as Prophet does: times scaled to [0, 1], values by the largest of them, parameters by maximum a posteriori.
 * @param timesMs rising
 * @param values as long; NaNs are left out
 * @throws TABLE_TOO_SHORT for fewer than two values at different times, TRAINING_DIVERGED
 */
export async function fitCurve(timesMs: Float64Array, values: Float64Array, spec: CurveSpec): Promise<Curve> {
  const { times, series } = thinned(knownOf(timesMs, values), MAX_ROWS);
  const start = times[0] ?? Number.NaN;
  const span = (times.at(-1) ?? Number.NaN) - start;
  if (!(span > 0))
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `Not enough rows (${times.length}): a curve needs two values at different times`,
    );
  const largest = series.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const unit = largest === 0 ? 1 : largest;
  const y = series.map((value) => value / unit);
  const { growth, mode, terms } = spec;
  const scaled = { start_ms: start, span_ms: span, unit, mode, terms };
  if (y.every((value) => value === y[0])) return constantCurve(scaled, y[0] ?? 0);

  const u = times.map((time) => (time - start) / span);
  const changepoints = changepointsOf(u, spec);
  const termScales = [
    ...terms.seasonalities.flatMap(({ order }) =>
      Array.from({ length: 2 * order }, () => spec.seasonalityPriorScale),
    ),
    ...terms.holidays.map(() => spec.holidaysPriorScale),
  ];
  const solution = await solve({
    growth,
    times: u,
    series: y,
    changepoints,
    terms: termMatrix(times, terms),
    multiplicative: mode === "multiplicative",
    // Stan wants a column at least: one of zeros has no effect.
    termScales: termScales.length === 0 ? [1] : termScales,
    changeScale: spec.changepointPriorScale,
    rate: growth === "linear" ? y.at(-1)! - y[0]! : 0,
    offset: growth === "linear" ? y[0]! : meanOf(y),
  });
  return {
    ...scaled,
    trend:
      growth === "flat"
        ? { rate: 0, offset: solution.offset, changepoints: [] }
        : {
            rate: solution.rate,
            offset: solution.offset,
            changepoints: changepoints.map((at, index) => ({ at, change: solution.changes[index]! })),
          },
    coefficients: Array.from(solution.coefficients.subarray(0, termScales.length)),
    noise: solution.noise,
  };
}

interface Series {
  readonly times: Float64Array;
  readonly series: Float64Array;
}

function knownOf(timesMs: Float64Array, values: Float64Array): Series {
  const isKnown = (_: number, row: number) => !Number.isNaN(values[row]!);
  return { times: timesMs.filter(isKnown), series: values.filter(isKnown) };
}

/** The means of blocks of consecutive rows, as few as leave at most `limit` blocks. */
function thinned({ times, series }: Series, limit: number): Series {
  const size = Math.ceil(times.length / limit);
  if (size <= 1) return { times, series };
  const blockMeans = (values: Float64Array) =>
    Float64Array.from({ length: Math.ceil(values.length / size) }, (_, block) =>
      meanOf(values.subarray(block * size, (block + 1) * size)),
    );
  return { times: blockMeans(times), series: blockMeans(series) };
}

/** Prophet does not optimize where there is nothing to find. */
const constantCurve = (scaled: Omit<Curve, "trend" | "coefficients" | "noise">, level: number): Curve => ({
  ...scaled,
  trend: { rate: 0, offset: level, changepoints: [] },
  coefficients: Array.from({ length: termCount(scaled.terms) }, () => 0),
  noise: 0,
});

/** Prophet's choice: evenly by rows, the first row left out; without any, one at the start, where a change is the rate's own. */
function changepointsOf(u: Float64Array, { changepoints, changepointRange }: CurveSpec): number[] {
  const history = Math.floor(u.length * changepointRange);
  const count = Math.min(changepoints, history - 1);
  if (count < 1) return [0];
  return Array.from({ length: count }, (_, index) => u[Math.round(((index + 1) / count) * (history - 1))]!);
}

/** A row of terms for each time. */
function termMatrix(times: Float64Array, terms: Terms): number[][] {
  const write = termWriter(terms);
  const row = new Float64Array(Math.max(1, termCount(terms)));
  return Array.from(times, (time) => {
    write(time, row);
    return Array.from(row);
  });
}

import { FltsError } from "@flts/common/contracts/errors";
import { quantileOfSorted } from "@flts/common/scaler/quantile";
import { z } from "zod";
import { isNonNegative } from "../non-negative.ts";
import { type RollingForecasts, seriesOf } from "./forecasts.ts";

/**
 * Prediction intervals by split conformal inference on scale-normalised errors (J. Lei et al., "Distribution-free predictive
 * inference for regression", 2018, §5.2): an error is measured in units of how restless the target was just before, so that a
 * quiet night gets narrow bands and a busy evening wide ones. Quantiles are per target and per step ahead, one for each side,
 * because traffic rises further than it falls.
 *
 * Errors are those of the forecast drawn in towards the last value, at most `reach` scales away from it. How far a target moves
 * in units of its recent changes stays the same from week to week; how wrong a model is does not, least of all one that has
 * lost the level (docs/adr/0010-intervals-under-drift.md). All that this needs is in the window that the forecast is made from.
 */
export const intervalsSchema = z.object({
  /** The share of values meant to fall inside. */
  level: z.number().gt(0).lt(1),
  /** Rows that the scale looks back at. */
  window: z.number().int().positive(),
  /** How far from the last value a band's centre lies at most, in scales times the root of the step; without it, as far as the forecast. */
  reach: z.number().nonnegative().optional(),
  /** Forecasts calibrated on, per step: few of them make wide and uncertain bands. */
  calibratedOn: z.number().int().nonnegative(),
  targets: z.array(
    z.object({
      target: z.string(),
      /** No scale is smaller: a target that stood still for a while may yet move. Raw units. */
      floor: z.number().nonnegative(),
      /** The scale where history is too short or too full of holes to say. Raw units. */
      typical: z.number().nonnegative(),
      /** Nothing below this was seen; null for a target that can be negative. */
      minimum: z.number().nullable(),
      /** Per step ahead, in units of the scale: at most 0 and at least 0. */
      lower: z.array(z.number()),
      upper: z.array(z.number()),
    }),
  ),
});
export type Intervals = z.infer<typeof intervalsSchema>;

/**
 * How far back the scale looks: the trainers' default window; other lengths were not compared. Of the scales compared, those by
 * change (mean absolute change, deviation) kept coverage on both stations, and those by level lost 15 points on El Born.
 */
export const SCALE_WINDOW = 10;
const FLOOR_SHARE = 0.01;
/** Of 0, ¼, ½, ¾ and 1 the largest that kept every family's coverage on folds of the train files; each quarter less costs good models 2 % of their interval score. */
const REACH = 0.5;
/** A forecast up to so many scales, times the root of the step, from the last value lies inside its band; one further off need not. */
const PLAUSIBLE = 4;
/** In scales: nine tenths of normal errors as large as recent changes lie within. Few errors cannot show that a model does better. */
const LEAST_BOUND_OF_FEW = 2;

/**
 * Calibrates intervals on forecasts from the calibrate rows.
 * @param columns the targets' columns of the table that the origins point into, raw units
 * @throws TABLE_TOO_SHORT without a single forecast
 */
export function calibrateIntervals(
  forecasts: RollingForecasts,
  columns: readonly Float64Array[],
  level = 0.9,
): Intervals {
  const { targets, horizon, origins } = forecasts;
  if (origins.length === 0)
    throw new FltsError("TABLE_TOO_SHORT", "intervals need at least one forecast to calibrate on");
  return {
    level,
    window: SCALE_WINDOW,
    reach: REACH,
    calibratedOn: origins.length,
    targets: targets.map((target, index) => {
      const column = columns[index]!;
      const steps = Array.from({ length: horizon }, (_, step) => seriesOf(forecasts, index, step + 1));
      const { actual } = steps[0]!;
      const floor = FLOOR_SHARE * quantileOfSorted(actual.map(Math.abs).toSorted(), 0.5);
      const recents = Array.from(origins, (origin) => recentOf(column, origin, SCALE_WINDOW));
      const known = Float64Array.from(recents, ({ change }) => change)
        .filter((change) => !Number.isNaN(change))
        .toSorted();
      const typical = known.length === 0 ? floor : Math.max(quantileOfSorted(known, 0.5), floor);
      const standings = recents.map((recent) => standingAt(recent, floor, typical));
      const bounds = steps.map((step, ahead) =>
        conformalBounds(
          step.actual.map((value, row) => {
            const standing = standings[row]!;
            return (value - centreOf(step.forecast[row]!, standing, ahead, REACH)) / standing.scale;
          }),
          level,
        ),
      );
      return {
        target,
        floor,
        typical,
        minimum: steps.every((step) => isNonNegative(step.actual)) ? 0 : null,
        lower: bounds.map(([lower]) => lower),
        upper: bounds.map(([, upper]) => upper),
      };
    }),
  };
}

/** Where a target stands when it is forecast. Raw units. */
export interface LastStanding {
  /** The last value known; NaN where history has none. */
  readonly last: number;
  /** How far it has moved from row to row of late; above 0. */
  readonly scale: number;
}

/** Each target's standing at the end of its recent values (raw units, as many as there are): `[targets]`. */
export function lastStandings(intervals: Intervals, recent: readonly Float64Array[]): LastStanding[] {
  return intervals.targets.map(({ floor, typical }, index) => {
    const values = recent[index]!;
    return standingAt(recentOf(values, values.length - 1, intervals.window), floor, typical);
  });
}

/**
 * The bands around one forecast. Beyond the calibrated steps the widths grow with the square root of the step, as those of a
 * random walk do.
 * @param forecast `[steps, targets]`, row-major, raw units
 * @returns the same shape; lower ≤ upper, with the forecast between them unless it is implausibly far from the last value
 */
export function bandsOf(
  { targets, reach }: Intervals,
  standings: readonly LastStanding[],
  forecast: Float64Array,
): { lower: Float64Array; upper: Float64Array } {
  const lower = new Float64Array(forecast.length);
  const upper = new Float64Array(forecast.length);
  for (const [position, value] of forecast.entries()) {
    const index = position % targets.length;
    const step = Math.floor(position / targets.length);
    const target = targets[index]!;
    const standing = standings[index]!;
    const at = Math.min(step, target.lower.length - 1);
    const width = standing.scale * Math.sqrt((step + 1) / (at + 1));
    const centre = centreOf(value, standing, step, reach);
    const least = target.minimum ?? Number.NEGATIVE_INFINITY;
    const low = Math.max(centre + target.lower[at]! * width, least);
    const high = Math.max(centre + target.upper[at]! * width, least);
    const inside = reach === undefined || value === centreOf(value, standing, step, PLAUSIBLE);
    lower[position] = inside ? Math.min(low, value) : low;
    upper[position] = inside ? Math.max(high, value) : high;
  }
  return { lower, upper };
}

/** The bands of many forecasts, each from where its targets stand at its origin: `[n, horizon, targets]` each. */
export function bandsOfAll(
  intervals: Intervals,
  { origins, forecast, horizon, targets }: RollingForecasts,
  columns: readonly Float64Array[],
): { lower: Float64Array; upper: Float64Array } {
  const size = horizon * targets.length;
  const lower = new Float64Array(forecast.length);
  const upper = new Float64Array(forecast.length);
  for (const [index, origin] of origins.entries()) {
    const recent = columns.map((column) =>
      column.subarray(Math.max(0, origin + 1 - intervals.window), origin + 1),
    );
    const bands = bandsOf(
      intervals,
      lastStandings(intervals, recent),
      forecast.subarray(index * size, (index + 1) * size),
    );
    lower.set(bands.lower, index * size);
    upper.set(bands.upper, index * size);
  }
  return { lower, upper };
}

/** The forecast, or what comes nearest to it within `reach` scales of the last value; `ahead` counts steps from 0. */
function centreOf(
  forecast: number,
  { last, scale }: LastStanding,
  ahead: number,
  reach: number | undefined,
): number {
  if (reach === undefined || Number.isNaN(last)) return forecast;
  const far = reach * scale * Math.sqrt(ahead + 1);
  return Math.min(Math.max(forecast, last - far), last + far);
}

interface Recent {
  readonly last: number;
  readonly change: number;
}

/** The last value, and the mean absolute change from row to row, over the last `window` rows up to `end`; NaN where there is none. */
function recentOf(values: Float64Array, end: number, window: number): Recent {
  let last = Number.NaN;
  let sum = 0;
  let count = 0;
  for (let row = Math.max(0, end - window + 1); row <= end; row++) {
    const value = values[row] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const change = Math.abs(value - values[row - 1]!);
    if (row > end - window + 1 && row > 0 && !Number.isNaN(change)) {
      sum += change;
      count++;
    }
    last = value;
  }
  return { last, change: sum / count };
}

/** The scale is never 0, so that errors can be divided by it. */
const standingAt = ({ last, change }: Recent, floor: number, typical: number): LastStanding => ({
  last,
  scale: Math.max(Number.isNaN(change) ? typical : change, floor, Number.MIN_VALUE ** 0.5),
});

/**
 * The (1 − level)/2 and (1 + level)/2 quantiles with the finite-sample correction (ranks out of n + 1). Fewer errors than have
 * such ranks (19 at 90 %) say nothing of either tail: then both sides get the largest error, stretched as far as errors with
 * the tail of a Cauchy distribution would have to be, whose chance of k times the largest of n is about 1 / (k · (n + 1)).
 */
function conformalBounds(errors: Float64Array, level: number): [lower: number, upper: number] {
  const sorted = errors.toSorted();
  const tail = ((1 - level) / 2) * (sorted.length + 1);
  if (tail < 1 - 1e-9) {
    const largest = Math.max(-sorted[0]!, sorted.at(-1)!);
    const factor = Math.max(1, 1 / ((1 - level) * (sorted.length + 1)));
    const stretched = Math.max(largest * factor, LEAST_BOUND_OF_FEW);
    return [-stretched, stretched];
  }
  const below = sorted[Math.max(Math.floor(tail), 1) - 1]!;
  const above = sorted[Math.min(Math.ceil(sorted.length + 1 - tail), sorted.length) - 1]!;
  return [Math.min(below, 0), Math.max(above, 0)];
}

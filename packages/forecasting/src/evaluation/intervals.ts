import { FltsError } from "@flts/common/contracts/errors";
import { z } from "zod";
import { isNonNegative } from "../non-negative.ts";
import { bandAround, type Centre, centreSchema } from "./band.ts";
import { type ChooseCentre, type ForecastStep, learnCentre, scaledErrors } from "./band-centre.ts";
import { conformalBounds } from "./conformal.ts";
import { type RollingForecasts, seriesOf } from "./forecasts.ts";
import { type LastStanding, standingAt, standingsAt } from "./recent-scale.ts";

/**
 * Prediction intervals by split conformal inference on scale-normalised errors (J. Lei et al., "Distribution-free predictive
 * inference for regression", 2018, §5.2): an error is measured in units of how restless the target was just before, so that a
 * quiet night gets narrow bands and a busy evening wide ones. Quantiles are per target and per step ahead, one for each side,
 * because traffic rises further than it falls.
 *
 * Errors are those of a centre between the last value and the forecast. How far a target moves in units of its recent changes
 * stays the same from week to week; how wrong a model is does not, if it can lose the level. So a band follows the forecast as far
 * as that paid on the rows calibrated on, and no further than a few recent changes (docs/adr/0010-intervals-under-drift.md). All that
 * it needs then is in the window that the forecast is made from.
 */
export const intervalsSchema = z.object({
  /** The share of values meant to fall inside. */
  level: z.number().gt(0).lt(1),
  /** Rows that the scale looks back at. */
  window: z.number().int().positive(),
  /** Of models stored before each target had its centre: that of all, which moves with the forecast within so many scales. */
  reach: z.number().nonnegative().optional(),
  /** Forecasts calibrated on, one step ahead: few of them make wide and uncertain bands. */
  calibratedOn: z.number().int().nonnegative(),
  targets: z.array(
    z.object({
      target: z.string(),
      centre: centreSchema.optional(),
      /** No scale is smaller. Raw units. */
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
const SCALE_WINDOW = 10;
const LEVEL = 0.9;

/** Forecasts from rows that the model was not fitted on. */
export interface CalibrationForecasts {
  /** One step ahead of every row. */
  readonly next: RollingForecasts;
  /** Several steps ahead, of some rows: errors of neighbours are almost the same. Without it bands are for one step. */
  readonly ahead?: RollingForecasts;
}

export interface CalibrationOptions {
  readonly level?: number;
  readonly chooseCentre?: ChooseCentre;
}

/**
 * Calibrates intervals.
 * @param columns the targets' columns of the table that the origins point into, raw units
 * @throws TABLE_TOO_SHORT without a single forecast
 */
export function calibrateIntervals(
  { next, ahead = next }: CalibrationForecasts,
  columns: readonly Float64Array[],
  { level = LEVEL, chooseCentre = learnCentre }: CalibrationOptions = {},
): Intervals {
  if (next.origins.length === 0)
    throw new FltsError("TABLE_TOO_SHORT", "intervals need at least one forecast to calibrate on");
  return {
    level,
    window: SCALE_WINDOW,
    calibratedOn: next.origins.length,
    targets: next.targets.map((target, index) => {
      const column = columns[index]!;
      const first = seriesOf(next, index);
      const { limits, standings } = standingsAt(column, next.origins, SCALE_WINDOW, first.actual);
      const later = Array.from(ahead.origins, (origin) => standingAt(column, origin, SCALE_WINDOW, limits));
      const steps: readonly ForecastStep[] = [
        { ahead: 0, ...first, standings },
        ...Array.from({ length: ahead.horizon - 1 }, (_, step) => ({
          ahead: step + 1,
          ...seriesOf(ahead, index, step + 2),
          standings: later,
        })),
      ];
      const minimum = steps.every(({ actual }) => isNonNegative(actual)) ? 0 : null;
      const centre = chooseCentre(steps[0]!, { level, minimum });
      const bounds = steps.map((step) => conformalBounds(scaledErrors(step, centre), level));
      return {
        target,
        centre,
        ...limits,
        minimum,
        lower: bounds.map(([lower]) => lower),
        upper: bounds.map(([, upper]) => upper),
      };
    }),
  };
}

/** Each target's standing at the end of its recent values (raw units, as many as there are): `[targets]`. */
export function lastStandings(intervals: Intervals, recent: readonly Float64Array[]): LastStanding[] {
  return intervals.targets.map((limits, index) => {
    const values = recent[index]!;
    return standingAt(values, values.length - 1, intervals.window, limits);
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
  const common: Centre = { weight: 1, reach: reach ?? null };
  for (const [position, value] of forecast.entries()) {
    const index = position % targets.length;
    const step = Math.floor(position / targets.length);
    const { centre = common, minimum, ...bounds } = targets[index]!;
    const at = Math.min(step, bounds.lower.length - 1);
    const stretch = Math.sqrt((step + 1) / (at + 1));
    const band = bandAround(value, standings[index]!, step, {
      centre,
      minimum,
      lower: bounds.lower[at]! * stretch,
      upper: bounds.upper[at]! * stretch,
    });
    lower[position] = band.lower;
    upper[position] = band.upper;
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

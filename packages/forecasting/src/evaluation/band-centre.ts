import { type BandShape, bandAround, type Centre, centreOf } from "./band.ts";
import { conformalBounds } from "./conformal.ts";
import { intervalScore } from "./metrics.ts";
import type { LastStanding } from "./recent-scale.ts";

/** One target's forecasts at one step ahead, in the order of time. Raw units. */
export interface ForecastStep {
  /** Steps from the last value, counted from 0. */
  readonly ahead: number;
  readonly actual: Float64Array;
  readonly forecast: Float64Array;
  /** Where the target stood when each was made. */
  readonly standings: readonly LastStanding[];
}

export interface Choice {
  readonly level: number;
  readonly minimum: number | null;
}

/** Makes a target's centre, for all steps, of its forecasts of the next one. */
export type ChooseCentre = (next: ForecastStep, choice: Choice) => Centre;

const LAST_VALUE: Centre = { weight: 0, reach: 0 };
const WEIGHTS = [0.25, 0.5, 0.75, 1];
const REACHES = [0.5, 1, 2];
/** From those that trust the forecast least: of equals the first is taken. */
const CENTRES: readonly Centre[] = REACHES.flatMap((reach) => WEIGHTS.map((weight) => ({ weight, reach })));
/** What is left of fewer rows, without a block, knows no tails (19 at 90 %). */
const LEAST_ROWS = 80;
/** Where there are too few rows to learn from. */
const CAUTIOUS: Centre = { weight: 1, reach: 0.5 };

export interface Learning {
  readonly among: readonly Centre[];
  /** Parts, in time, that rows are cut into. */
  readonly blocks: number;
  /** What a centre's ratios to the last value's scores, one of each block, come to; at least 1 is no use. */
  readonly verdict: (ratios: readonly number[]) => number;
}

/** Found on folds of the train files (docs/adr/0010-intervals-under-drift.md). */
export const LEARNING: Learning = { among: CENTRES, blocks: 4, verdict: mean };

/**
 * The centre that a model has earned: rows are cut into blocks in time, the bands of each block are calibrated on the others, their
 * interval score is put in ratio to that of bands around the last value, and the centre of least mean ratio is taken. A model with
 * skill gets bands around its forecasts; one that loses the level, for a while even, gets them nearer to the last value, because
 * what was calibrated on the other blocks fails there.
 */
export function learnCentre(
  next: ForecastStep,
  choice: Choice,
  { among, blocks, verdict }: Learning = LEARNING,
): Centre {
  if (next.actual.length < LEAST_ROWS) return CAUTIOUS;
  const base = blockScores(next, LAST_VALUE, choice, blocks);
  let best = LAST_VALUE;
  let least = 1;
  for (const centre of among) {
    const scores = blockScores(next, centre, choice, blocks);
    const ratio = verdict(scores.map((score, block) => score / base[block]!));
    if (ratio < least) [best, least] = [centre, ratio];
  }
  return best;
}

/** Errors from a centre in units of the scale. */
export function scaledErrors({ ahead, actual, forecast, standings }: ForecastStep, centre: Centre) {
  return actual.map((value, row) => {
    const standing = standings[row]!;
    return (value - centreOf(forecast[row]!, standing, ahead, centre)) / standing.scale;
  });
}

/** The interval score of each block of rows under bands calibrated on the other blocks. */
function blockScores(
  step: ForecastStep,
  centre: Centre,
  { level, minimum }: Choice,
  blocks: number,
): number[] {
  const { ahead, actual, forecast, standings } = step;
  const errors = scaledErrors(step, centre);
  return Array.from({ length: blocks }, (_, block) => {
    const start = Math.floor((block * actual.length) / blocks);
    const end = Math.floor(((block + 1) * actual.length) / blocks);
    const others = errors.filter((__, row) => row < start || row >= end);
    const [lower, upper] = conformalBounds(others, level);
    const shape: BandShape = { centre, minimum, lower, upper };
    const lows = new Float64Array(end - start);
    const highs = new Float64Array(end - start);
    for (let row = start; row < end; row++) {
      const band = bandAround(forecast[row]!, standings[row]!, ahead, shape);
      lows[row - start] = band.lower;
      highs[row - start] = band.upper;
    }
    return intervalScore(actual.subarray(start, end), lows, highs, level);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

import { z } from "zod";
import type { LastStanding } from "./recent-scale.ts";

/**
 * How far a band follows the forecast: so much of the way from the last value to it, but as if it lay at most `reach` scales,
 * times the root of the step, from there (null: wherever it lies). Weight 0 is a band around the last value, weight 1 without a
 * reach one around the forecast.
 */
export const centreSchema = z.object({
  weight: z.number().min(0).max(1),
  reach: z.number().nonnegative().nullable(),
});
export type Centre = z.infer<typeof centreSchema>;

/** A target's band at one step ahead. */
export interface BandShape {
  readonly centre: Centre;
  /** From the centre, in scales: at most 0 and at least 0. */
  readonly lower: number;
  readonly upper: number;
  /** Nothing below this was seen; null for a target that can be negative. Raw units. */
  readonly minimum: number | null;
}

export interface Band {
  readonly lower: number;
  readonly upper: number;
}

/** A forecast up to so many scales, times the root of the step, from the last value lies inside its band; one further off need not. */
const PLAUSIBLE: Centre = { weight: 1, reach: 4 };

/**
 * The band around one forecast; lower ≤ upper, with the forecast between them unless it is implausibly far from the last value.
 * @param ahead steps from the last value, counted from 0
 */
export function bandAround(
  forecast: number,
  standing: LastStanding,
  ahead: number,
  { centre, lower, upper, minimum }: BandShape,
): Band {
  const middle = centreOf(forecast, standing, ahead, centre);
  const least = minimum ?? Number.NEGATIVE_INFINITY;
  const low = Math.max(middle + lower * standing.scale, least);
  const high = Math.max(middle + upper * standing.scale, least);
  if (forecast !== centreOf(forecast, standing, ahead, PLAUSIBLE)) return { lower: low, upper: high };
  return { lower: Math.min(low, forecast), upper: Math.max(high, forecast) };
}

/** Where a band has its centre: what errors are measured from. */
export function centreOf(
  forecast: number,
  { last, scale }: LastStanding,
  ahead: number,
  { weight, reach }: Centre,
): number {
  if (Number.isNaN(last)) return forecast;
  const far = reach === null ? Number.POSITIVE_INFINITY : reach * scale * Math.sqrt(ahead + 1);
  const near = Math.min(Math.max(forecast, last - far), last + far);
  return weight === 1 ? near : last + weight * (near - last);
}

import { z } from "zod";
import { DAY_MS, type Seasonality } from "./terms.ts";

/** Harmonics of a seasonality; 0 leaves it out, `auto` decides by the length of the series. */
export type SeasonalitySetting = "auto" | number;

const names = ["yearly", "weekly", "daily"] as const;

/** Prophet's periods, its orders, and the days that a series must cover for `auto` to take them. */
const known: Readonly<
  Record<(typeof names)[number], { periodDays: number; order: number; enoughDays: number }>
> = {
  yearly: { periodDays: 365.25, order: 10, enoughDays: 730 },
  weekly: { periodDays: 7, order: 3, enoughDays: 14 },
  daily: { periodDays: 1, order: 4, enoughDays: 2 },
};

/** A seasonality by its name, as an environment variable: `auto`, `true`, `false`, or a number of harmonics. */
export const seasonalitySetting = (name: (typeof names)[number]) =>
  z
    .string()
    .toLowerCase()
    .regex(/^(auto|true|false|\d{1,3})$/, "must be auto, true, false, or a number of harmonics up to 999")
    .transform((text): SeasonalitySetting => {
      if (text === "auto") return "auto";
      if (text === "true") return known[name].order;
      return text === "false" ? 0 : Number(text);
    })
    .default("auto");

/**
 * The seasonalities of a series. Prophet's own rule for `auto`: the series covers the period twice, and, but for the year, is sampled more often than that.
 * @param timesMs rising
 */
export function seasonalitiesOf(
  timesMs: Float64Array,
  settings: Readonly<Record<(typeof names)[number], SeasonalitySetting>>,
): Seasonality[] {
  const spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0);
  const stepMs = smallestStep(timesMs);
  return names.flatMap((name) => {
    const { periodDays, order, enoughDays } = known[name];
    const shows = spanMs >= enoughDays * DAY_MS && (name === "yearly" || stepMs < periodDays * DAY_MS);
    const setting = settings[name];
    const harmonics = setting === "auto" ? (shows ? order : 0) : setting;
    return harmonics === 0 ? [] : [{ name, period_days: periodDays, order: harmonics }];
  });
}

function smallestStep(timesMs: Float64Array): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let row = 1; row < timesMs.length; row++) {
    const step = timesMs[row]! - timesMs[row - 1]!;
    if (step > 0 && step < smallest) smallest = step;
  }
  return smallest;
}

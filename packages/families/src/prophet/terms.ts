import { z } from "zod";

/**
 * Everything in a Prophet model but its trend: what repeats with the clock and the calendar. A row of terms holds, in this order, the sines and cosines of
 * each seasonality (`sin 1, cos 1, sin 2, cos 2 …`), then one 0 or 1 for each holiday.
 */
export const termsSchema = z.object({
  seasonalities: z.array(
    z.object({
      name: z.string(),
      period_days: z.number().positive(),
      /** Harmonics: each is a sine and a cosine. */
      order: z.number().int().positive(),
    }),
  ),
  holidays: z.array(
    z.object({
      name: z.string(),
      /** Midnights at which its days begin, milliseconds, zone-less as the tables' time stamps are. */
      days_ms: z.array(z.number()),
    }),
  ),
});
export type Terms = z.infer<typeof termsSchema>;
export type Seasonality = Terms["seasonalities"][number];
export type Holiday = Terms["holidays"][number];

export const DAY_MS = 86_400_000;

/** The length of a row of terms. */
export const termCount = ({ seasonalities, holidays }: Terms): number =>
  seasonalities.reduce((sum, { order }) => sum + 2 * order, holidays.length);

/** Writes the terms of a time into `row`. */
export type TermWriter = (timeMs: number, row: Float64Array) => void;

/** Prophet's features (S. J. Taylor, B. Letham, "Forecasting at scale", 2018, §3.2 and §3.3), without windows around holidays. */
export function termWriter({ seasonalities, holidays }: Terms): TermWriter {
  const firstHoliday = termCount({ seasonalities, holidays: [] });
  const holidaysOn = new Map<number, number[]>();
  for (const [index, { days_ms }] of holidays.entries())
    for (const day of days_ms) holidaysOn.set(day, [...(holidaysOn.get(day) ?? []), firstHoliday + index]);
  return (timeMs, row) => {
    let position = 0;
    for (const { period_days, order } of seasonalities) {
      const turn = (2 * Math.PI * (timeMs / DAY_MS)) / period_days;
      for (let harmonic = 1; harmonic <= order; harmonic++) {
        row[position++] = Math.sin(harmonic * turn);
        row[position++] = Math.cos(harmonic * turn);
      }
    }
    row.fill(0, firstHoliday);
    for (const column of holidaysOn.get(Math.floor(timeMs / DAY_MS) * DAY_MS) ?? []) row[column] = 1;
  };
}

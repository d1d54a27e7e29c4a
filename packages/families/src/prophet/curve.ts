import { z } from "zod";
import { termCount, termsSchema, termWriter } from "./terms.ts";

/**
 * A fitted Prophet model of one series: a function of time alone. With `u = (time − start) / span`, the trend is piecewise linear in `u`, and
 *
 *     forecast = unit · (trend · (1 + multiplicative terms) + additive terms)
 *
 * (S. J. Taylor, B. Letham, "Forecasting at scale", 2018, §3). All terms are of the one mode.
 */
export const curveSchema = z.object({
  start_ms: z.number(),
  span_ms: z.number().positive(),
  /** The largest absolute value fitted, by which the series was divided. */
  unit: z.number().positive(),
  trend: z.object({
    /** Growth over the span before the first changepoint. */
    rate: z.number(),
    /** At the start. */
    offset: z.number(),
    /** Where, in `u`, the rate changes, and by how much; rising. */
    changepoints: z.array(z.object({ at: z.number(), change: z.number() })),
  }),
  mode: z.enum(["additive", "multiplicative"]),
  terms: termsSchema,
  /** One for each term, in the order of a row of terms. */
  coefficients: z.array(z.number()),
  /** Standard deviation of what the curve leaves unexplained, in units. */
  noise: z.number().nonnegative(),
});
export type Curve = z.infer<typeof curveSchema>;

/** The curve as a function of time stamps in milliseconds. It reuses memory between calls. */
export function curveAt({
  start_ms,
  span_ms,
  unit,
  trend,
  mode,
  terms,
  coefficients,
}: Curve): (timeMs: number) => number {
  const writeTerms = termWriter(terms);
  const row = new Float64Array(termCount(terms));
  return (timeMs) => {
    const u = (timeMs - start_ms) / span_ms;
    let rate = trend.rate;
    let offset = trend.offset;
    for (const { at, change } of trend.changepoints) {
      if (at > u) break;
      rate += change;
      offset -= at * change; // so that the trend has no step there
    }
    const level = rate * u + offset;
    writeTerms(timeMs, row);
    let sum = 0;
    for (const [index, coefficient] of coefficients.entries()) sum += coefficient * row[index]!;
    return unit * (mode === "additive" ? level + sum : level * (1 + sum));
  };
}

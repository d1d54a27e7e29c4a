import type { LoggedForecast } from "@flts/common/contracts/inference-log";
import type { Table } from "@flts/forecasting/table/table";
import { parseTimestamp } from "@flts/forecasting/table/timestamp";
import { z } from "zod";

/** How wrong a row's forecasts of one target were: means over those forecasts. Raw units. */
const rowError = z.object({
  squared: z.number(),
  absolute: z.number(),
  /** Share of them whose interval held the value. */
  inside: z.number(),
  /** The squared error of persistence from the same origins; null where one of them knew no last value. */
  persistence: z.number().nullable(),
});

/** A row that had been forecast before it came. */
export const scoredRow = z.object({
  ts: z.string(),
  forecasts: z.number().int().positive(),
  targets: z.record(z.string(), rowError),
});
export type ScoredRow = z.infer<typeof scoredRow>;

type RowError = z.infer<typeof rowError>;

/**
 * Holds the rows of a table against the forecasts that were made before them, joined on the second.
 * @param table raw units, risen times; a cell without a value scores nothing
 * @param after rows up to this time were scored when they first came; null: none were
 * @returns rows with at least one forecast, in order of time
 */
export function scoreRows(
  table: Table,
  forecasts: readonly LoggedForecast[],
  after: string | null,
): ScoredRow[] {
  const columns = new Map(table.columns.map((column, index) => [column, table.values[index]!]));
  const errors = new Map<string, RowErrors>();
  for (const forecast of forecasts)
    for (const step of forecast.steps) {
      if (after !== null && step.ts <= after) continue;
      const row = rowAt(table.timesMs, parseTimestamp(step.ts));
      if (row < 0) continue;
      for (const [target, predicted] of Object.entries(step.pred)) {
        const actual = columns.get(target)?.[row] ?? Number.NaN;
        if (!Number.isFinite(actual)) continue;
        const lower = step.lower[target] ?? Number.POSITIVE_INFINITY;
        const upper = step.upper[target] ?? Number.NEGATIVE_INFINITY;
        const last = forecast.last[target] ?? null;
        const found = errors.get(step.ts) ?? new Map<string, RowError[]>();
        errors.set(step.ts, found);
        const each = found.get(target) ?? [];
        found.set(target, each);
        each.push({
          squared: (predicted - actual) ** 2,
          absolute: Math.abs(predicted - actual),
          inside: Number(actual >= lower && actual <= upper),
          persistence: last === null ? null : (last - actual) ** 2,
        });
      }
    }
  return [...errors]
    .map(([ts, found]) => ({
      ts,
      forecasts: [...found.values()].reduce((most, each) => Math.max(most, each.length), 0),
      targets: Object.fromEntries([...found].map(([target, each]) => [target, meanError(each)])),
    }))
    .toSorted((a, b) => parseTimestamp(a.ts) - parseTimestamp(b.ts));
}

/** The row of a second among risen times; −1 where there is none. */
function rowAt(timesMs: Float64Array, secondMs: number): number {
  let [low, high] = [0, timesMs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timesMs[middle]! < secondMs) low = middle + 1;
    else high = middle;
  }
  return timesMs[low]! < secondMs + 1000 ? low : -1;
}

/** By target. */
type RowErrors = Map<string, RowError[]>;

function meanError(each: readonly RowError[]): RowError {
  const mean = (pick: (error: RowError) => number): number =>
    each.reduce((sum, error) => sum + pick(error), 0) / each.length;
  return {
    squared: mean(({ squared }) => squared),
    absolute: mean(({ absolute }) => absolute),
    inside: mean(({ inside }) => inside),
    persistence: each.some(({ persistence }) => persistence === null)
      ? null
      : mean(({ persistence }) => persistence ?? 0),
  };
}

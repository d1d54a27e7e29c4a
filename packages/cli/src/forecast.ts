/** A forecast of one target as the command line shows it, in raw units. */
export interface ForecastPoint {
  /** `YYYY-MM-DDTHH:MM:SS`, without a zone, as `POST /predict` answers. */
  readonly ts: string;
  readonly value: number;
  /** Bounds of the prediction interval; null where the model has none. */
  readonly lower: number | null;
  readonly upper: number | null;
}

/** A point under its target's name: `{ts, down, down_lower, down_upper}`. */
export const namedPoint = (target: string, { ts, value, lower, upper }: ForecastPoint) => ({
  ts,
  [target]: value,
  [`${target}_lower`]: lower,
  [`${target}_upper`]: upper,
});

/** The points of a target out of an answer's rows; rows without a number for it are left out. */
export function pointsOf(
  target: string,
  rows: readonly Readonly<Record<string, string | number | null>>[],
): readonly ForecastPoint[] {
  return rows.flatMap((row) => {
    const { ts, [target]: value, [`${target}_lower`]: lower, [`${target}_upper`]: upper } = row;
    if (typeof ts !== "string" || typeof value !== "number") return [];
    return [{ ts, value, lower: numberOrNull(lower), upper: numberOrNull(upper) }];
  });
}

const numberOrNull = (value: string | number | null | undefined): number | null =>
  typeof value === "number" ? value : null;

/** The target of an answer's rows: the first column with numbers, `down` where it is among them. */
export function targetOf(rows: readonly Readonly<Record<string, string | number | null>>[]): string {
  const numeric = Object.entries(rows[0] ?? {}).filter(([, value]) => typeof value === "number");
  return numeric.some(([name]) => name === "down") ? "down" : (numeric[0]?.[0] ?? "down");
}

/** The name of a column `n` steps back. */
export const lagColumn = (column: string, n: number): string => `${column}_lag(-${n})`;

/** What a lag's name says; `undefined` for a column that is no lag. */
export function parseLagColumn(name: string): { column: string; n: number } | undefined {
  const match = /^(.+)_lag\(-(\d+)\)$/.exec(name);
  return match === null ? undefined : { column: match[1]!, n: Number(match[2]) };
}

/** For each row the row whose time lies exactly `distanceMs` (above 0) earlier, −1 where there is none. Times must rise. */
export function rowsBefore(timesMs: Float64Array, distanceMs: number): Int32Array {
  const sources = new Int32Array(timesMs.length);
  let candidate = 0;
  for (let row = 0; row < timesMs.length; row++) {
    const wanted = timesMs[row]! - distanceMs;
    while (timesMs[candidate]! < wanted) candidate++;
    sources[row] = timesMs[candidate] === wanted ? candidate : -1;
  }
  return sources;
}

/** Each value replaced in place by that of its source row, which lies before it; NaN where the source is −1. */
export function lagValues(values: Float64Array, sources: Int32Array): Float64Array {
  for (let row = values.length - 1; row >= 0; row--) {
    const source = sources[row]!;
    values[row] = source < 0 ? Number.NaN : values[source]!;
  }
  return values;
}

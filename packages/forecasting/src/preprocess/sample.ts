import { integerFrom, seededUniform } from "../random.ts";
import { rowCount, sliceRows, type Table, takeRows } from "../table/table.ts";

/**
 * At most `rows` rows (0 = all): the first ones or, with `random`, a seeded draw without repetition. The drawn rows stay in
 * order of time, unlike the reference's, because windows over shuffled rows mean nothing.
 */
export function sampleRows(table: Table, rows: number, strategy: string, seed: number): Table {
  const total = rowCount(table);
  if (rows === 0 || rows >= total) return table;
  return strategy === "random" ? takeRows(table, drawSorted(total, rows, seed)) : sliceRows(table, 0, rows);
}

/** `count` different numbers below `total` in ascending order, all subsets equally likely (R. Floyd, 1987). */
function drawSorted(total: number, count: number, seed: number): Float64Array {
  const uniform = seededUniform(seed);
  const drawn = new Set<number>();
  for (let top = total - count; top < total; top++) {
    const candidate = integerFrom(uniform, top + 1);
    drawn.add(drawn.has(candidate) ? top : candidate);
  }
  return Float64Array.from(drawn).toSorted();
}
